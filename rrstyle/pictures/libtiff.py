"""What libtiff finds wrong in a file: it prints that to stderr, and Pillow often reads on."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import _imaging

# void (*)(const char *module, const char *format, va_list)
_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
_told: list[bytes] = []


@_Handler
def _hear(module: bytes, words: bytes, values: int) -> None:
    _told.append(words)


def _setter() -> Callable[[Any], Any] | None:
    """libtiff's function that takes a handler and gives the one before; None where it is hidden."""
    try:
        found = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (OSError, AttributeError):  # linked into Pillow, as on Windows
        return None
    found.restype, found.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return found


_set_handler = _setter()


@contextmanager
def errors_raised() -> Iterator[None]:
    """Raises ValueError where libtiff reports an error; for one thread at a time."""
    if _set_handler is None:
        yield
        return
    _told.clear()
    before = _set_handler(ctypes.cast(_hear, ctypes.c_void_p))
    try:
        yield
    finally:
        _set_handler(before)
    if _told:
        raise ValueError(_told[0].decode(errors="replace"))
