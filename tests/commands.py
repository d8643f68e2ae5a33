"""Commands of the project as real processes, started fast.

Importing TensorFlow takes seconds. A fork server imports it once; each command is a process of its
own forked from it, with its own arguments, output and signals, that runs the script as Python does.
"""

import multiprocessing
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent / "experiments"

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["experiments.run_auc_adapted"])


def _main(script, arguments, output):
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{output}/{name}", os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
    # multiprocessing has put a stand-in for the closed standard input, and unbuffered streams.
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    # What TensorFlow leaves in the temporary directory goes with the output.
    os.environ["TMPDIR"], tempfile.tempdir = str(output), None
    sys.argv = [str(SCRIPTS / script), *arguments]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.stdout.flush()


class Command:
    """A started command.

    Args:
        script: file name in experiments/.
        *arguments: its flags.
    """

    def __init__(self, script, *arguments):
        self._output = Path(tempfile.mkdtemp())
        arguments = [str(argument) for argument in arguments]
        self._process = _CONTEXT.Process(target=_main, args=(script, arguments, self._output))
        self._process.start()

    def is_running(self):
        return self._process.is_alive()

    def kill(self):
        """Sends SIGKILL; returns the exit status."""
        self._process.kill()
        return self.wait()

    def wait(self):
        """Waits for the end; returns the exit status, negative for a signal."""
        self._process.join()
        self.stdout, self.stderr = (
            (self._output / name).read_text() for name in ("stdout", "stderr")
        )
        shutil.rmtree(self._output)
        return self._process.exitcode


def run(script, *arguments, expected=0):
    """Runs a command to its end and checks its exit status."""
    command = Command(script, *arguments)
    status = command.wait()
    assert status == expected, command.stderr
    return command
