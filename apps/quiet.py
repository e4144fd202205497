"""Imports without the chatter of TensorFlow's start."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps native code from writing to stderr, unless what runs inside fails.

    TensorFlow 2.21 prints "oneDNN custom operations are on" and more on import whatever
    TF_CPP_MIN_LOG_LEVEL says: its logger is not initialised by then. A user who sets that
    variable to 0 gets to see it.
    """
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
