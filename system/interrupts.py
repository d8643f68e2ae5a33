"""Ctrl-C: it ends a command at any moment, also where the exception that it raises is lost."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130
"""The exit status: a shell's, of a command that SIGINT ends."""

AGAIN_SECONDS = 0.25
"""After so long what was raised and lost, or could not be raised, is raised again."""

CALL_C = ("tensorflow.python.ops.gen_", "tensorflow.python.eager.execute")
"""How the names of the modules begin that call C code which may call Python."""


def exit_at_interrupts() -> None:
    """From here on Ctrl-C ends the process with a line: for imports, before anything is begun.

    An import that an exception goes through says so by many lines, or by another exception. Where
    SIGINT is ignored, as behind `nohup`, it stays so.
    """

    def end(*_: object) -> None:
        os.write(2, b"\nInterrupted.\n")
        os._exit(INTERRUPTED)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)


def interruptible(main: Callable[[], int]) -> int:
    """Calls `main`, which Ctrl-C ends by a KeyboardInterrupt; after it Ctrl-C does nothing more.

    One that is raised in the callback of a weak reference, or in what C code calls, is forgotten or
    becomes an exception of another kind. So it is raised again, until it is on its way out; and
    where `main` ends in another way, it has the last word. What TensorFlow's C code calls may not
    raise at all, or that frees memory twice; then it is raised a moment later.

    Raises:
        KeyboardInterrupt: If it was interrupted.
    """
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        interrupt_again(number, frame)

    def interrupt_again(_: int, frame: FrameType | None) -> None:
        # What cleans up is not disturbed: it runs while the exception is handled.
        if not _is_called_by_c(frame) and not _is_on_its_way(sys.exception()):
            raise KeyboardInterrupt

    def forget(lost: "sys.UnraisableHookArgs") -> None:
        # By default it is printed, with a traceback.
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(lost)

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return main()
    sys.unraisablehook = forget
    signal.signal(signal.SIGALRM, interrupt_again)
    try:
        signal.signal(signal.SIGINT, interrupt)
        return main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        if is_interrupted:
            raise KeyboardInterrupt


def _is_on_its_way(error: BaseException | None) -> bool:
    """Whether an exception that is being handled is a KeyboardInterrupt, or came of one."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def _is_called_by_c(frame: FrameType | None) -> bool:
    """Whether Python that is running was called by C code of TensorFlow."""
    while frame is not None and (frame := frame.f_back) is not None:
        if str(frame.f_globals.get("__name__")).startswith(CALL_C):
            return True
    return False
