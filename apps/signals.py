"""Signals end the command as exceptions, so that its temporary files are removed."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_interrupted = threading.Event()


@contextmanager
def ending_by_exceptions() -> Iterator[None]:
    """SIGTERM raises SystemExit and SIGINT KeyboardInterrupt, which is remembered.

    Python drops an exception that is raised while a callback of its garbage collector or a
    finaliser runs (JAX has such a callback): the signal is then sent again.
    """

    def terminate(number, frame) -> None:
        raise SystemExit(128 + number)  # as shells have it

    def interrupt(number, frame) -> None:
        _interrupted.set()
        raise KeyboardInterrupt

    def send_again(dropped) -> None:
        number = {SystemExit: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}.get(
            dropped.exc_type
        )
        if number is None:
            hook_before(dropped)
        else:  # later: what is raised here would be dropped too
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()

    if threading.current_thread() is not threading.main_thread():
        yield  # no signal can be caught there
        return
    _interrupted.clear()
    handlers = {signal.SIGTERM: terminate, signal.SIGINT: interrupt}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    hook_before, sys.unraisablehook = sys.unraisablehook, send_again
    try:
        yield
    finally:
        sys.unraisablehook = hook_before
        for number, handler in before.items():
            signal.signal(number, handler)


def was_interrupted() -> bool:
    """Whether KeyboardInterrupt was raised, so that an error that follows is not to be shown.

    TensorFlow, where it traces a function, carries on and fails later for a reason of its own.
    """
    return _interrupted.is_set()
