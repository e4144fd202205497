"""Atomic writes: a file or folder appears whole or not at all, even after a kill or power loss."""

import errno
import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

MAX_NAME = 100  # characters of a name that is shown
TEMPORARY = ".tmp"  # end of the names that only a kill leaves behind
REMOVED = f".old{TEMPORARY}"  # of folders on their way out

_HINTS = {
    errno.ENOTDIR: "part of its path is not a folder; check the path",
    errno.EISDIR: "it is not a regular file; name a file",
    errno.EACCES: "permission is denied; choose another place",
    errno.ENOSPC: "the disk is full; free some space",
    errno.EEXIST: "the file exists; choose another name or allow overwriting",
    errno.ENAMETOOLONG: "the name is too long; shorten it",
}


def write_whole(path: str | os.PathLike, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file whole or not at all: to a temporary neighbour, synced, then renamed.

    A symbolic link is replaced, not followed; a folder or a device never is. Only a kill can leave
    the neighbour behind.

    Raises:
        FileExistsError: If the name is taken and `overwrite` is False.
        OSError: If the folder is missing or not writable, or the disk is full.
        ValueError: If no file can have this path (a NUL in it).
    """
    target = Path(path)
    neighbour = temporary_neighbour(target)
    with named_errors(bare_name(os.fsdecode(path)), "not written", missing="folder"):
        # Renamed over /dev/null, a file would take the device away.
        if overwrite and target.exists() and not (target.is_symlink() or target.is_file()):
            raise IsADirectoryError(errno.EISDIR, "a folder or a device")
        try:
            with neighbour.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            publish(neighbour, target, overwrite=overwrite)
        finally:
            neighbour.unlink(missing_ok=True)


def publish(neighbour: Path, target: Path, *, overwrite: bool = False) -> None:
    """Give the finished file its name; FileExistsError if it is taken, unless overwriting."""
    if overwrite:
        neighbour.replace(target)
        return
    try:
        target.hardlink_to(neighbour)  # atomic: fails where the name is taken
    except OSError:
        # Taken, or a file system without hard links (FAT, some network folders), where another
        # process can still take the name between this check and the renaming.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "a name that is taken") from None
        neighbour.replace(target)


@contextmanager
def whole_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder to fill, renamed to `target` once the block ends without an error.

    Its files are synced before. After a kill at any moment `target` is complete or does not exist.

    Args:
        target: Folder to make; its parent must exist.
        replace: Permission to replace a folder that is there; otherwise it must not exist, or be
            empty.
    """
    made = temporary_neighbour(target)
    made.mkdir()
    try:
        yield made
        for path in (*made.rglob("*"), made):
            _sync(path)
        if replace and target.exists():
            old = target.rename(temporary_neighbour(target, REMOVED))
            try:
                made.rename(target)
            except BaseException:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            made.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder; after a kill in between, what is left has another name."""
    shutil.rmtree(folder.rename(temporary_neighbour(folder, REMOVED)))


def temporary_neighbour(path: Path, end: str = TEMPORARY) -> Path:
    """A new name in the same folder: hidden, random, and with this end."""
    return path.parent / f".{secrets.token_hex(8)}{end}"


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path, *, required: bool = False) -> Iterator[None]:
    """Lock a folder, which must exist, against other processes; the lock ends with the process.

    Raises:
        BlockingIOError: If another process holds the folder.
        OSError: If the lock is `required` and the file system has no locks.
    """
    lock = filelock.FileLock(folder / ".lock", blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        rule = "another run is writing it; wait for its end, or choose another folder"
        raise BlockingIOError(f"{folder.name}: {rule}") from None
    except NotImplementedError as error:  # a file system without locks
        if required:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def named_errors(
    label: str, outcome: str, *, missing: str, invalid: type[ValueError] | None = ValueError
) -> Iterator[None]:
    """Turn the system's errors into one line that names the file and what to do.

    Args:
        label: Name to show, of `bare_name`.
        outcome: Words for what failed, such as "cannot be read".
        missing: "file" or "folder": what there is not, where the system finds nothing.
        invalid: Error raised for a name that no file can have; None lets any ValueError pass.
    """
    try:
        yield
    except OSError as error:
        hints = _HINTS | {errno.ENOENT: f"there is no such {missing}; check the path"}
        hint = hints.get(error.errno or 0, "the system refused; see its words")
        plain = type(error)(f"{label}: {outcome}, {hint}; received {error.strerror!r}")
        plain.errno = error.errno
        raise plain from error
    except ValueError as error:  # a NUL, or characters that no file name can hold
        if invalid is None:
            raise
        rule = "no file can have this name; check the path"
        raise invalid(f"{label}: {outcome}, {rule}; received {error}") from error


def bare_name(name: str) -> str:
    """The last part of a path of any system, on one line, without invisible characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    if seen.strip(" .") == "":
        return "image"
    return seen if len(seen) <= MAX_NAME else seen[: MAX_NAME - 1] + "…"
