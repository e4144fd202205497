"""A folder of this process's own for temporary files; those of killed processes are removed."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rrstyle.durable import locked

_PREFIX = "rrstyle-scratch-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder in which Python makes temporary files until the context is left, and is removed.

    TensorFlow writes modules to such files, and only removes them when a process ends by itself.
    The folder is locked: one that nobody holds was left by a process that was killed, and is
    removed here.
    """
    _remove_left_behind()
    before = tempfile.tempdir
    made = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    with made as name, locked(Path(name)):
        tempfile.tempdir = name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before


def _remove_left_behind() -> None:
    if os.name == "nt":  # no owners there: what is left stays until the system removes it
        return
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/.lock"):
        folder = lock.parent
        # As Python names them: a folder for results may begin alike, and has a lock too.
        if not re.fullmatch(f"{_PREFIX}[a-z0-9_]{{8}}", folder.name) or folder.is_symlink():
            continue
        with suppress(OSError):  # another user's, or one that lives
            if folder.stat().st_uid == os.getuid():
                with locked(folder, required=True):
                    shutil.rmtree(folder)
