"""Signals that end the command: they do so as exceptions, so that temporary files go with it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_interrupted = threading.Event()


@contextmanager
def ending_by_exceptions() -> Iterator[None]:
    """SIGTERM raises SystemExit and SIGINT KeyboardInterrupt, which is remembered."""

    def terminate(number, frame) -> None:
        raise SystemExit(128 + number)  # as shells have it

    def interrupt(number, frame) -> None:
        _interrupted.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # no signal can be caught there
        return
    _interrupted.clear()
    handlers = {signal.SIGTERM: terminate, signal.SIGINT: interrupt}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def was_interrupted() -> bool:
    """Whether KeyboardInterrupt was raised, and an error that follows is not to be told.

    TensorFlow, tracing a function, goes on after it and fails later for a reason of its own.
    """
    return _interrupted.is_set()
