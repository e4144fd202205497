"""Where pictures are written: names in a folder, and what is checked before computing starts."""

import tempfile
from pathlib import Path

from rrstyle.pictures.images import SUFFIXES

EXISTS = "the file exists; pass --overwrite to replace it, or choose another output"


def choose_place(output: Path, pictures: int) -> tuple[Path, str | None]:
    """The folder to write to, created if need be, and the file's name where `output` is a file.

    Args:
        output: A folder, or where one picture is made a .png file.
        pictures: Number of pictures to make.

    Raises:
        ValueError: If `output` is a file's name that does not suit.
        OSError: If the folder is missing, cannot be created or is not writable.
    """
    if "\0" in str(output):
        raise ValueError(f"output must be a path without NUL; received {str(output)!r}")
    suffix = output.suffix.lower()
    if output.is_dir():
        folder, name = output, None
    elif suffix == ".png":
        if pictures != 1:
            raise ValueError(
                f"output must be a folder for {pictures} pictures; received {output.name!r}"
            )
        folder, name = output.parent, output.name
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{output.name}: not written, there is no such folder; create it first;"
                f" received {str(output)!r}"
            )
    elif suffix in SUFFIXES:
        raise ValueError(
            f"output must be a folder or a .png file: pictures are written as PNG;"
            f" received {output.name!r}"
        )
    else:
        if output.exists():
            raise NotADirectoryError(f"output must be a folder; received the file {output.name!r}")
        output.mkdir(parents=True)
        folder, name = output, None
    check_writable(folder)
    return folder, name


def check_writable(folder: Path) -> None:
    """Raises OSError for a folder that cannot be written to, found out by writing to it.

    Permissions alone do not tell of a read-only file system.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise type(error)(
            f"{folder.name or folder}: nothing can be written to this folder; choose another;"
            f" received {error.strerror!r}"
        ) from error


def refusal(target: Path, *, overwrite: bool) -> str | None:
    """Why a picture must not be written to `target`, known before it is computed."""
    if target.is_dir():
        return "a folder has the name of the picture; choose another output"
    if not overwrite and (target.exists() or target.is_symlink()):
        return EXISTS
    return None


def unique_name(stem: str, taken: set[str]) -> str:
    """`stem`.png, or with a number behind the stem where that is in `taken`; it is added there."""
    name, numeral = stem, 1
    while name.casefold() in taken:  # "Cat" and "cat" are one file on some systems
        numeral += 1
        name = f"{stem}-{numeral}"
    taken.add(name.casefold())
    return f"{name}.png"
