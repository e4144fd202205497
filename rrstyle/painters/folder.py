"""Where painters lie: found before Keras is loaded, so that a mistyped name is told at once."""

from pathlib import Path

from rrstyle.durable import bare_name

RECORD, MODEL = "painter.json", "painter.keras"


def holds_painters(folder: Path) -> bool:
    """Whether a folder is a painter, or folders right in it are."""
    return (folder / RECORD).is_file() or any(folder.glob(f"*/{RECORD}"))


def find_painters(folder: Path) -> list[Path]:
    """Folders of painters: the folder itself, or those right in it, 2 before 10.

    Raises:
        ValueError: If it is none and holds none.
    """
    if (folder / RECORD).is_file():
        return [folder]
    if not holds_painters(folder):
        raise ValueError(
            "painter must be a folder that rrstyle learn has written (a killed one goes on with"
            f" --resume); {bare_name(folder.absolute().name)!r} has no painter"
        )
    found = (path.parent for path in folder.glob(f"*/{RECORD}"))
    return sorted(found, key=lambda path: (len(path.name), path.name))


def choose_painter(folder: Path, seed: int) -> Path:
    """The painter that a seed names among those of `find_painters`: 0 the first, and so on.

    Raises:
        ValueError: If there are none, or not so many.
    """
    found = find_painters(folder)
    if not 0 <= seed < len(found):
        name = bare_name(folder.absolute().name)
        raise ValueError(
            f"seed must be below {len(found)}, the number of painters in {name!r}; received {seed}"
        )
    return found[seed]
