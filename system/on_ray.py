"""Tasks on Ray, on this machine or on a cluster; the one module that imports it.

A worker or a node that dies is no error: its tasks are made again, and go on from their files.
Those are on storage that all see; where a worker does not see them, it is sent them and sends them
back.
"""

import contextlib
import io
import logging
import os
import pickle
import shutil
import signal
import sys
import tarfile
import traceback
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from awl_vae.system.ahead import num_cores
from awl_vae.system.errors import UserError, install_hint
from awl_vae.system.files import write_text
from awl_vae.system.lock import waiting_lock
from awl_vae.system.progress_table import ProgressTable, Report, ReportingBar
from awl_vae.system.tasks import TOKEN, Engine, Given, Made, Task
from awl_vae.system.terminal import ProgressBar, silent_stderr

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_task_oom_retries": "3",  # Without it what does not fit is tried for ever.
}
"""What Ray reads of the environment where that says nothing."""

os.environ.update({name: os.environ.get(name, value) for name, value in SETTINGS.items()})
try:
    import ray
    import ray.data
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ModuleNotFoundError as error:
    raise UserError(f"Expected Ray: {install_hint('cluster')}. Received: {error}") from error

RETRIES = 3
"""How often a task is made again whose worker died."""

LOOKED_AT_EVERY = 0.5
"""Seconds between two looks at the tasks."""

STORE_BYTES = 256 << 20
"""Shared memory of a cluster on this machine: nothing but overlays goes through it."""

TENSORFLOW_THREADS = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
"""What TensorFlow reads, where a program says nothing."""

_ROOT = str(Path(sys.modules["awl_vae"].__file__ or "").parents[1])
"""Where workers find this package, also that of a checkout which is not installed."""

THREADS = "OMP_NUM_THREADS"
"""What Ray sets, so that arithmetic has other threads, and other bits, than without it."""


class OnRay(Engine):
    """A cluster of Ray's, started on this machine where no address is given.

    Args:
        address: of a cluster that is there.
    """

    is_parallel = True

    def __init__(self, address: str | None = None):
        self._address = address

    def run(self, tasks: Sequence[Task], bar: ProgressBar | None = None) -> list[Any]:
        """See `Engine.run`."""
        if not tasks:
            return []
        if isinstance(bar, _RemoteBar):  # within a task, on the cluster of that
            return _results(tasks, bar.board, lambda: None, _counted(bar, tasks), is_part=True)
        with _cluster(self._address):
            board = _actor(_Reports)
            units = {task.name: task.units for task in tasks}
            with ProgressTable(units) as table:
                return _results(
                    tasks,
                    board,
                    lambda: table.take(ray.get(board.take.remote())),
                    lambda task: table.finish(task.name),
                    is_part=False,
                )

    def map(
        self,
        function: Callable[[Iterable[Given]], Iterator[Made]],
        values: Iterable[Given],
        *,
        together: int,
        num_threads: int,
    ) -> Generator[Made, None, None]:
        """See `Engine.map`; by as many workers as there is room for."""
        values = iter(values)
        # Compressed, since all are sent at the beginning.
        parts = [
            {"number": number, "part": zlib.compress(pickle.dumps(part), 1)}
            for number, part in enumerate(iter(lambda: list(islice(values, together)), []))
        ]
        if not parts:
            return
        with _cluster(self._address):
            _check_room(num_threads)
            _settle_data()
            tries = _actor(_Tries)
            room = sum(int(cpus // num_threads) for cpus in _cpus())
            results = (
                ray.data.from_items(parts, override_num_blocks=len(parts))
                .map_batches(
                    _Mapped,
                    fn_constructor_args=(ray.put(pickle.dumps(function)), num_threads, tries),
                    batch_size=1,
                    compute=ray.data.ActorPoolStrategy(size=min(room, len(parts))),
                    num_cpus=num_threads,
                )
                .iter_rows()
            )
            try:
                # Closed, so that what Ray Data has going here ends before the cluster does.
                rows: Any = iter(results)
                with contextlib.closing(rows):
                    for row in rows:
                        yield from _opened(row["kind"], pickle.loads(row["value"]))
            except ray.exceptions.RayError as error:
                text = " ".join(str(error).split())
                raise UserError(
                    "Expected nodes with the same packages, that live; the same command goes on. "
                    f"Received: {type(error).__name__} {text:.300}"
                ) from error


class _Tries:
    """Counts how often each part of the work was begun, for Ray Data begins it for ever."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def begin(self, number: int) -> int:
        self._counts[number] += 1
        return self._counts[number]


class _Mapped:
    """Makes a function's calls in a worker, which has it for as long as it lives."""

    def __init__(self, function: Any, num_threads: int, tries: Any):
        os.environ.pop(THREADS, None)
        os.environ.update({name: str(num_threads) for name in TENSORFLOW_THREADS})
        self._pickled, self._tries = function, tries
        self._function: Callable[[Any], Iterator[Any]] | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        kind, value = _called(self._results, int(batch["number"][0]), batch["part"][0])
        return {"kind": [kind], "value": [pickle.dumps(value)]}

    def _results(self, number: int, part: bytes) -> list[Any]:
        values = pickle.loads(zlib.decompress(part))
        if ray.get(self._tries.begin.remote(number)) > RETRIES + 1:
            raise _lost(f"{values[0]}, or one of {len(values) - 1} after it", "its process")
        if self._function is None:
            self._function = pickle.loads(ray.get(self._pickled))
        return list(self._function(values))


def _actor(kind: type) -> Any:
    """One on the driver's node: no other takes it along when it dies."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), False)
    remote: Any = ray.remote(num_cpus=0)(kind)
    return remote.options(scheduling_strategy=here).remote()


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Ray, for as long as the block lasts."""
    # "A worker died" and the like would go to standard output, between what is the command's own.
    ray._private.worker._worker_logs_enabled = False
    ours = {} if address else _ours()
    on_term, path = signal.getsignal(signal.SIGTERM), os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([_ROOT, path]) if path else _ROOT
    try:
        with silent_stderr():
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **ours,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"Expected a Ray cluster at {address or 'this machine'} of the same versions, and what "
            "it asks for, such as its token by RAY_AUTH_MODE and RAY_AUTH_TOKEN_PATH. "
            f"Received: {' '.join(str(error).split())}"
        ) from error
    finally:
        os.environ["PYTHONPATH"] = path
    try:
        signal.signal(signal.SIGTERM, on_term)  # which Ray replaces
        yield
    finally:
        ray.shutdown()


def _settle_data() -> None:
    """Has Ray Data keep the order, and say nothing: the terminal is the command's."""
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    settings = ray.data.DataContext.get_current()
    settings.enable_progress_bars = settings.print_on_execution_start = False
    settings.execution_options.preserve_order = True


def _ours() -> dict[str, Any]:
    """What a cluster is started with on this machine."""
    return {
        "num_cpus": num_cores(),
        "include_dashboard": False,
        "object_store_memory": STORE_BYTES,
    }


def _results(
    tasks: Sequence[Task],
    board: Any,
    on_look: Callable[[], None],
    on_end: Callable[[Task], None],
    *,
    is_part: bool,
) -> list[Any]:
    """What each task gives; raises what the first gives that fails."""
    _check_room(max(task.num_threads for task in tasks))
    token = uuid.uuid4().hex
    places = {path.parent / TOKEN for task in tasks for path in task.paths[:1]}
    for place in places:
        write_text(place, token)
    try:
        going = {}
        for index, task in enumerate(tasks):
            call = _call.options(num_cpus=task.num_threads, name=task.name)
            files = [ray.put(_packed(task.paths))] if _is_far(task) else []
            threads = os.environ.get(THREADS)
            going[call.remote(task, token, files, board, threads, is_part)] = index
        results: dict[int, Any] = {}
        while going:
            ended, _ = ray.wait(list(going), timeout=LOOKED_AT_EVERY)
            on_look()
            for each in ended:
                index = going.pop(each)
                results[index] = _result(tasks[index], each)
                on_end(tasks[index])
        return [results[index] for index in range(len(tasks))]
    finally:
        for place in places:
            place.unlink(missing_ok=True)


def _is_far(task: Task) -> bool:
    """Whether the task has files that a worker may not see: not in a cluster of one node."""
    return bool(task.paths) and sum(node["Alive"] for node in ray.nodes()) > 1


def _cpus() -> list[float]:
    """How many each node has."""
    return [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]


def _check_room(num_threads: int) -> None:
    """Checks that some node has room for a task: for one without it Ray waits for ever."""
    if num_threads > (most := max(_cpus())):
        raise UserError(
            f"Expected --num_threads of at most {most:.0f}, which the largest node of the cluster "
            f"has. Received: --num_threads={num_threads}"
        )


def _result(task: Task, reference: Any) -> Any:
    try:
        kind, value, files = ray.get(reference)
    except ray.exceptions.RayError as error:
        lost = _lost(task.name, type(error).__name__)
        if task.on_lost is not None:
            return task.on_lost(str(lost))
        raise lost from error
    if files:
        _unpack(files, task.paths)
    return _opened(kind, value, f"{task.name}:\n")


def _lost(name: str, reason: str) -> UserError:
    """What is said of a task whose workers have died."""
    return UserError(
        f"Expected a worker that lives until its task ends. Received: {name}, which ended "
        f"{RETRIES + 1} times with {reason}; the same command goes on"
    )


def _opened(kind: str, value: Any, name: str = "") -> Any:
    """What a call has given, or raises what it has raised; see `_called`."""
    if kind == "error":
        raise UserError(value)
    if kind == "traceback":
        raise RuntimeError(f"{name}{value}")
    return value


def _called(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """What a call in a worker gives, in a form that the driver takes: ("value", it)."""
    try:
        return "value", function(*arguments)
    except UserError as error:
        return "error", error.in_flags
    except Exception:
        return "traceback", traceback.format_exc()


def _counted(bar: "_RemoteBar", tasks: Sequence[Task]) -> Callable[[Task], None]:
    """What tells a task's bar that parts of it have ended."""
    num_ended = 0

    def count(task: Task) -> None:
        nonlocal num_ended
        num_ended += 1
        bar.advance(task.units, f"{num_ended} of {len(tasks)} side by side")

    bar.show(f"0 of {len(tasks)} side by side")
    return count


class _RemoteBar(ReportingBar):
    """The bar of a task in a worker."""

    def __init__(self, task: Task, board: Any, is_part: bool):
        super().__init__(task.name, task.units, board.put.remote, is_part=is_part)
        self.board = board


class _Reports:
    """Holds the latest report of each task, and all lines, until they are taken."""

    def __init__(self) -> None:
        self._latest: dict[str, Report] = {}
        self._said: list[Report] = []

    def put(self, report: Report) -> None:
        if report.said:
            self._said.append(report)
        else:
            self._latest[report.name] = report

    def take(self) -> list[Report]:
        reports = [*self._said, *self._latest.values()]
        self._latest, self._said = {}, []
        return reports


@ray.remote(max_retries=RETRIES)
def _call(
    task: Task, token: str, files: list[Any], board: Any, threads: str | None, is_part: bool
) -> tuple[str, Any, bytes]:
    """Makes a task's call in a worker: ("value", what it gives, files that nobody else sees)."""
    os.environ.pop(THREADS, None)
    if threads is not None:
        os.environ[THREADS] = threads

    def call() -> tuple[Any, bytes]:
        with _in_place(task, token, files) as is_shared:
            value = task.function(*task.arguments, bar=_RemoteBar(task, board, is_part))
            return value, b"" if is_shared else _packed(task.paths)

    kind, value = _called(call)
    return kind, *(value if kind == "value" else (value, b""))


@contextlib.contextmanager
def _in_place(task: Task, token: str, files: list[Any]) -> Iterator[bool]:
    """Holds a task's files, until the worker is gone that had them; whether the driver sees them.

    A worker is tried to be replaced before it has ended, where it is not it but its parent or its
    node that died.
    """
    if not task.paths:
        yield True
        return
    first = task.paths[0]
    mark = first.parent / TOKEN
    is_shared = mark.exists() and mark.read_text() == token
    with waiting_lock(first.with_name(f".{first.name}.lock")):
        if files and not is_shared:
            _unpack(ray.get(files[0]), task.paths)
        yield is_shared


def _packed(paths: Sequence[Path]) -> bytes:
    """Files and directories, so far as they are there, by their positions."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for index, path in enumerate(paths):
            if path.exists():
                archive.add(path, str(index))
    return packed.getvalue()


def _unpack(packed: bytes, paths: Sequence[Path]) -> None:
    """Puts files and directories in the place of what was there."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    beside = paths[0].with_name(f".{paths[0].name}.sent")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(beside, filter="data")
    for index, path in enumerate(paths):
        if (found := beside / str(index)).exists():
            if path.is_dir():
                shutil.rmtree(path)
            os.replace(found, path)
    shutil.rmtree(beside, ignore_errors=True)  # Nothing was sent, so nothing is there.
