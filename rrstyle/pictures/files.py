"""Bytes of pictures: read with a cap, under a bare name."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from rrstyle.durable import bare_name, named_errors
from rrstyle.pictures.decoding import ImageError, refusal

MAX_BYTES = 100 * 2**20  # of a file

Source = str | os.PathLike | bytes | BinaryIO


def read_bytes(source: Source, name: str | None = None) -> tuple[bytes, str]:
    """The content of a path, bytes or a binary stream, and the bare name to show.

    Raises:
        ImageError: If there are more than MAX_BYTES, or no file can have this path.
        OSError: If a path is missing, not a regular file or not readable; one line that names it.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        label = bare_name(path.name if name is None else name)
        with named_errors(label, "cannot be read", missing="file", invalid=ImageError):
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device might never end
                raise IsADirectoryError(errno.EISDIR, "a folder, pipe or device")
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    else:
        label = bare_name(name or "")
        data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise refusal(label, "the file is too large", f"at most {MAX_BYTES} bytes", "more")
    return data, label
