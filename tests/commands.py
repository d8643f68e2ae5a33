"""Commands of the project as real processes, started fast.

Importing TensorFlow takes seconds. A fork server imports it once; each command is a process of its
own forked from it, with its own arguments, output and signals, that runs the script as Python does.
"""

import multiprocessing
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AT_MOST = 900.0
"""Seconds that a command may take; one that hangs is a failure."""

SCRIPTS = Path(__file__).parent.parent / "experiments"

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "awl_vae.system.quiet_tensorflow",
        "awl_vae.experiments.run_auc_adapted",
        "awl_vae.training.runner",
        "awl_vae.training.loss_adapted",
        "awl_vae.training.auc_adapted",
        "awl_vae.training.baselines",
    ]
)


def _main(script, arguments, output):
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{output}/{name}", os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    # multiprocessing has put a stand-in for the closed standard input, and unbuffered streams.
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Tests may be run behind `nohup`.
    # What TensorFlow leaves in the temporary directory goes with the output.
    os.environ["TMPDIR"], tempfile.tempdir = str(output), None
    sys.argv = [str(SCRIPTS / script), *arguments]
    sys.path.insert(0, str(SCRIPTS))  # as Python does
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.stdout.flush()


class Command:
    """A started command.

    Args:
        script: file name in experiments/.
        *arguments: its flags.

    Attributes:
        output: where what it prints goes, until it has ended.
    """

    def __init__(self, script, *arguments):
        self.output = Path(tempfile.mkdtemp())
        arguments = [str(argument) for argument in arguments]
        self._process = _CONTEXT.Process(target=_main, args=(script, arguments, self.output))
        self._process.start()

    def is_running(self):
        return self._process.is_alive()

    def memory(self):
        """Resident memory in bytes."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self):
        """Sends SIGKILL; returns the exit status."""
        self._process.kill()
        return self.wait()

    def wait_for_lines(self, path, num_lines):
        """Waits until a file has so many lines; the command must not end before."""
        while not path.exists() or len(path.read_text().splitlines()) < num_lines:
            assert self.is_running()
            time.sleep(0.001)

    def wait_until_said(self, text):
        """Waits until a text is on standard error; the command must not end before."""
        file = self.output / "stderr"
        while not file.exists() or text not in file.read_text(errors="surrogateescape"):
            assert self.is_running()
            time.sleep(0.01)

    def kill_at(self, path, num_lines):
        """Sends SIGKILL once a file has so many lines."""
        self.wait_for_lines(path, num_lines)
        assert self.kill() == -signal.SIGKILL

    def interrupt(self):
        """Sends SIGINT, as Ctrl-C does."""
        os.kill(self._process.pid, signal.SIGINT)

    def wait(self):
        """Waits for the end; returns the exit status, negative for a signal."""
        self._process.join(AT_MOST)
        if self.is_running():
            self._process.kill()
            raise AssertionError(f"It did not end: {(self.output / 'stderr').read_text()}")
        files = [self.output / name for name in ("stdout", "stderr")]
        self.stdout, self.stderr = (  # One that was killed at once has written none.
            file.read_text(errors="surrogateescape") if file.exists() else "" for file in files
        )
        shutil.rmtree(self.output)
        return self._process.exitcode


def wait_until(is_so, seconds=120.0):
    """Waits for something that a command does."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run(script, *arguments, expected=0):
    """Runs a command to its end and checks its exit status."""
    command = Command(script, *arguments)
    status = command.wait()
    assert status == expected, command.stderr
    return command


_KILLED_AT_A_WRITE = """
import os, runpy, signal, sys
real, left = os.replace, int(sys.argv.pop(1))
def replace(*args):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
os.replace = replace
sys.argv[0] = sys.argv.pop(1)
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def killed_before_each_write(script, *arguments):
    """Starts a command again and again until it ends; returns how often it was killed.

    The first start is killed by SIGKILL before its first write of a file, the second before its
    second, and so on.
    """
    for kills in range(200):
        command = [sys.executable, "-c", _KILLED_AT_A_WRITE, str(kills + 1)]
        command += [str(SCRIPTS / script), *map(str, arguments)]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode == 0:
            return kills
        assert process.returncode == -signal.SIGKILL, process.stderr
    raise AssertionError("the command does not get to its end")


def workers(command, title):
    """The numbers of a command's processes on Ray, by something in their titles."""
    own = f"TMPDIR={command.output}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            is_called = re.match(rb"ray::.*" + title.encode(), (path / "cmdline").read_bytes())
            if is_called and own in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)
        except OSError:
            pass


def kill_a_worker(command, title):
    """Kills the youngest of them; a search's own is older than those of its branches."""
    wait_until(lambda: list(workers(command, title)))
    os.kill(max(workers(command, title)), signal.SIGKILL)
