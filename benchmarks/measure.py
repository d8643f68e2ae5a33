"""What the benchmarks share: sides that take turns, and tables of what they took."""

import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from awl_vae.system import write_json, write_text
from awl_vae.system.terminal import ProgressBar

HERE = Path(__file__).parent
AWL_VAE = Path(sys.executable).with_name("awl-vae")
NUM_THREADS = 2
"""Of each side."""

LOOKED_AT_EVERY = 0.2
"""Seconds from one look at the memory to the next."""

PACKAGES = ("tensorflow", "keras", "numpy", "torch", "onnxruntime")


def environment() -> dict[str, str]:
    """The environment variables of a process that runs a script of this directory."""
    return os.environ | {"PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}


class Worker:
    """One side of a comparison, in a process of its own that waits while another has its turn.

    The script prints a line when it is ready; for each line that it reads it does its work once
    and prints what it took. As a context manager it ends the process.

    Args:
        script: file name in this directory.
        *arguments: its arguments.
        python: the interpreter.
    """

    def __init__(self, script: str, *arguments, python: str = sys.executable):
        command = [python, HERE / script, *arguments]
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(),
        )
        self._read()

    def __call__(self) -> float:
        """Has one turn; returns what the worker printed."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._errors, self._process:
            self._process.stdin.close()

    def _read(self):
        while line := self._process.stdout.readline():
            if line.startswith("= "):
                return line[2:]
        self._errors.seek(0)
        command = " ".join(map(str, self._process.args))
        raise RuntimeError(
            f"Expected a worker that runs. Received: {command}\n{self._errors.read()}"
        )


def serve(work: Callable[[], float]) -> None:
    """The worker's side: does `work` once to warm up, and then once for each line it reads."""
    work()
    print("= ready", flush=True)
    for _ in sys.stdin:
        print(f"= {work()!r}", flush=True)


def alternate(
    sides: Mapping[str, Callable[[], float]], rounds: int, note: Callable[[str], None]
) -> dict[str, list[float]]:
    """Lets the sides take turns, `rounds` times; returns what each took.

    Args:
        sides: by name, what has its turn and returns what it took.
        rounds: how often.
        note: is told a side's name after each of its turns.
    """
    taken = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            taken[name].append(side())
            note(name)
    return taken


def peak_memory(
    command: Sequence[str | Path], *, stdin: Path | None = None, statuses: Sequence[int] = (0,)
) -> float:
    """Peak anonymous megabytes of a command and all that it starts.

    Anonymous is what has no file behind it: a cache that is mapped goes where room is needed.
    Shared memory counts, once. Linux alone tells it.

    Args:
        command: the command.
        stdin: what its standard input is read from.
        statuses: the exit statuses that it may have.
    """
    peak = 0
    with (
        open(stdin or os.devnull, "rb") as lines,
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [str(part) for part in command],
            stdin=lines,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment(),
        ) as process,
    ):
        while process.poll() is None:
            peak = max(peak, _anonymous(process.pid))
            time.sleep(LOOKED_AT_EVERY)
        if process.returncode not in statuses:
            errors.seek(0)
            raise RuntimeError(f"Expected a command that ends well. Received: {errors.read()}")
    return peak / 1e6


def report_peaks(
    title: str, counts: Sequence[int], peak_of: Callable[[int], float], path: Path
) -> None:
    """Measures the peak memory for each number of images, the smallest first; see `report`.

    Args:
        title: see `report`.
        counts: the numbers.
        peak_of: a number to the megabytes.
        path: see `report`.
    """
    rows = []
    bar = ProgressBar(len(counts))
    for count in counts:
        peak = peak_of(count)
        of_smallest = peak / rows[0]["peak, MB"] if rows else 1.0
        rows.append({"images": count, "peak, MB": peak, "of the smallest": of_smallest})
        bar.advance(1, f"{count} images")
    bar.close()
    report(title, tuple(rows[0]), rows, path)


def _anonymous(root: int) -> int:
    """Bytes of a process and its descendants, with the shared memory of the one that has most."""
    parents, anonymous, shared = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            found = dict(line.split(":", 1) for line in path.read_text().splitlines())
        except OSError:  # It has ended.
            continue
        process = int(path.parent.name)
        parents[process] = int(found["PPid"])
        anonymous[process], shared[process] = (
            1024 * int(found.get(name, "0 kB").split()[0]) for name in ("RssAnon", "RssShmem")
        )

    def is_below(process):
        while process not in (root, 0):
            process = parents.get(process, 0)
        return process == root

    tree = [process for process in parents if is_below(process)]
    return sum(anonymous[each] for each in tree) + max((shared[each] for each in tree), default=0)


def seconds_a_call(call: Callable[[], object], at_least: float) -> float:
    """Mean seconds of a call, repeated until `at_least` seconds are over."""
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < at_least:
        call()
        count += 1
    return (time.perf_counter() - start) / count


def seconds_an_image(
    inspect: Callable[[object], object], images: Sequence[object], batch_size: int
) -> float:
    """Mean seconds of an image, after one pass to warm up; one at a time is no sequence."""
    batches = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    for _ in range(2):
        start = time.perf_counter()
        for batch in batches:
            inspect(batch[0] if batch_size == 1 else batch)
    return (time.perf_counter() - start) / len(images)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, minimum and maximum."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def spread_of_ratios(values: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    """The spread of the ratios of two sides, round by round."""
    return spread([value / other for value, other in zip(values, others, strict=True)])


def shown(value) -> str:
    """A cell as text: a number in three digits or more, a spread as median (minimum to maximum)."""
    if isinstance(value, Mapping):
        return "{median} ({min} to {max})".format_map({k: shown(v) for k, v in value.items()})
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 100 else f"{value:#.3g}"
    return str(value)


def report(title: str, columns: Sequence[str], rows: Sequence[Mapping], path: Path) -> None:
    """Prints a table in Markdown, and writes it with its numbers and the machine as JSON.

    Args:
        title: what was measured.
        columns: the keys of the rows that the table shows.
        rows: dicts; their values are shown by `shown`.
        path: the JSON file; the table goes beside it, with the suffix .md.
    """
    lines = [f"### {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for row in rows:
        lines.append(f"| {' | '.join(shown(row[name]) for name in columns)} |")
    text = "\n".join(lines) + "\n"
    print(text)
    write_text(path.with_suffix(".md"), text)
    write_json(path, {"title": title, "machine": machine(), "rows": list(rows)})


def machine() -> dict:
    """The processor, its cores, the threads of each side, and the versions."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {"processor": names[0], "cores": len(names), "threads": NUM_THREADS} | versions
