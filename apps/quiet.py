"""Imports without the chatter of TensorFlow's start, and without the work of the collector."""

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Around imports: native code says nothing, and the garbage collector rests.

    TensorFlow 2.21 prints "oneDNN custom operations are on" and more on import whatever
    TF_CPP_MIN_LOG_LEVEL says: its logger is not initialised by then. It is shown where the imports
    fail, and to a user who sets that variable to 0.

    The hundreds of thousands of objects that Keras and TensorFlow make stay until the process ends.
    To collect among them takes a fifth of the time of their import, and as much at the end.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        with _quiet_errors():
            yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


@contextmanager
def _quiet_errors() -> Iterator[None]:
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
        yield
        return
    sys.stderr.flush()
    # The file descriptor, not sys.stderr: the writer is C++.
    with tempfile.TemporaryFile() as kept:
        before = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C
            os.dup2(before, 2)
            kept.seek(0)
            os.write(2, kept.read())  # what TensorFlow said may be why it failed
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
