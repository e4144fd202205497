"""Files in and out: bytes read with a cap, names shown bare, files written whole or not at all."""

import errno
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rrstyle.pictures.decoding import ImageError

MAX_BYTES = 100 * 2**20  # of a file
MAX_NAME = 100  # characters of a name that is shown

Source = str | os.PathLike | bytes | BinaryIO


def read_bytes(source: Source, name: str | None = None) -> tuple[bytes, str]:
    """The content of a path, of bytes or of a binary stream, and the bare name to show.

    Raises:
        ImageError: more than MAX_BYTES, or a path that no file can have.
        OSError: a path that is missing, not a regular file or not readable; one line, named.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        label = _bare_name(path.name if name is None else name)
        with _plain_os_errors(label, "cannot be read", missing="file"):
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device might never end
                raise IsADirectoryError(errno.EISDIR, "a folder, pipe or device")
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    else:
        label = _bare_name(name or "")
        data = source if isinstance(source, bytes) else source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{label}: the file is too large; at most {MAX_BYTES} bytes; received more"
        )
    return data, label


def write_whole(path: str | os.PathLike, data: bytes, *, overwrite: bool = False) -> None:
    """Writes a file whole or not at all: a temporary neighbour, synced, then renamed.

    A symbolic link is replaced, not followed. No error leaves the neighbour (".<random>.tmp")
    behind; only a kill in between can.

    Args:
        path: where to; its folder must exist.
        data: the content.
        overwrite: replace a file that is there; a folder or a device is never replaced.

    Raises:
        FileExistsError: the name is taken and `overwrite` is False.
        OSError: no such folder, not writable, disk full, a folder or device in the way.
        ImageError: a path that no file can have (a NUL in it).
    """
    target = Path(path)
    neighbour = target.parent / f".{secrets.token_hex(8)}.tmp"
    with _plain_os_errors(_bare_name(os.fsdecode(path)), "not written", missing="folder"):
        if overwrite and target.exists() and not (target.is_symlink() or target.is_file()):
            # Renamed over /dev/null, a file would take the device away.
            raise IsADirectoryError(errno.EISDIR, "a folder or a device")
        try:
            with neighbour.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            if overwrite:
                neighbour.replace(target)
            else:
                _publish(neighbour, target)
        finally:
            neighbour.unlink(missing_ok=True)


def _publish(neighbour: Path, target: Path) -> None:
    """Gives the finished file its name unless another process took it meanwhile."""
    try:
        target.hardlink_to(neighbour)  # atomic: fails where the name is taken
    except OSError:
        # Taken, or no hard links here (FAT, some network folders), where looking first leaves a
        # moment's race.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "a name that is taken") from None
        neighbour.replace(target)


_OS_HINTS = {
    errno.ENOTDIR: "part of its path is not a folder; check the path",
    errno.EISDIR: "it is not a regular file; name a file",
    errno.EACCES: "permission is denied; choose another place",
    errno.ENOSPC: "the disk is full; free some space",
    errno.EEXIST: "the file exists; choose another name or allow overwriting",
    errno.ENAMETOOLONG: "the name is too long; shorten it",
}


@contextmanager
def _plain_os_errors(label: str, outcome: str, *, missing: str) -> Iterator[None]:
    """Turns the system's errors into a line of their own class, with their errno."""
    try:
        yield
    except OSError as error:
        hints = _OS_HINTS | {errno.ENOENT: f"there is no such {missing}; check the path"}
        hint = hints.get(error.errno or 0, "the system refused; see its words")
        plain = type(error)(f"{label}: {outcome}, {hint}; received {error.strerror!r}")
        plain.errno = error.errno
        raise plain from error
    except ValueError as error:  # a NUL, or characters that no file name can hold
        raise ImageError(
            f"{label}: {outcome}, no file can have this name; check the path; received {error}"
        ) from error


def _bare_name(name: str) -> str:
    """The last part of a name of either system, on one line, without invisible characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    if seen.strip(" .") == "":
        return "image"
    return seen if len(seen) <= MAX_NAME else seen[: MAX_NAME - 1] + "…"
