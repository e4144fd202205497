"""The pictures that are evaluated: the cat, and others from a folder or built in."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recon.experiments.experiment import Pictures
from rrstyle.examples import PHOTOGRAPHS, photograph
from rrstyle.images import as_image, has_picture_name, read_image, resize

_TOLD = 5  # files that cannot be read and are named in the notes


def load_pictures(
    folder: Path | None, count: int, side: int, *, seed: int
) -> tuple[Pictures, list[str]]:
    """The built-in cat and `count` - 1 others, as squares.

    Of a folder, those are drawn at random without replacement; a file that cannot be read makes
    way for the next one drawn. Only what is drawn is opened. Without a folder they are the other
    built-in photographs, as many as there are. Each picture is cut to the square in its middle
    and resampled.

    Args:
        folder: Pictures by suffix, in subfolders of any depth too; hidden files are left out.
        count: Pictures, at least 1.
        side: Their height and width, in pixels, at least 1.
        seed: Names the draw, 0 or more. A larger `count` keeps what a smaller one draws.

    Returns:
        The pictures, read-only, each with another name; and what a person should know of them.

    Raises:
        ValueError: If a number is out of range, or there is no such folder, or too few of its
            files are pictures.
        OSError: If the folder cannot be listed.
    """
    for argument, value, least in (("count", count, 1), ("side", side, 1), ("seed", seed, 0)):
        if value < least:
            raise ValueError(f"{argument} must be an integer of at least {least}; received {value}")
    first, *others = PHOTOGRAPHS
    names, squares = [first], [_square(photograph(first), side)]
    notes = []
    if folder is None:
        names += others[: count - 1]
        squares += [_square(photograph(name), side) for name in others[: count - 1]]
        if len(names) < count:
            notes.append(
                f"{len(names)} built-in photographs instead of {count} pictures:"
                " no folder of images was named"
            )
    else:
        drawn, skipped = _drawn(folder, count - 1, side, seed)
        for name, square in drawn:
            names.append(_unlike(names, name))
            squares.append(square)
        notes += [f"not used, the next one drawn instead: {line}" for line in skipped[:_TOLD]]
        if len(skipped) > _TOLD:
            notes.append(f"not used either: {len(skipped) - _TOLD} more files")
    pixels = np.stack(squares)
    pixels.flags.writeable = False  # as in other processes: no cell can change it for the next
    return Pictures(tuple(names), pixels), notes


def _drawn(
    folder: Path, count: int, side: int, seed: int
) -> tuple[list[tuple[str, np.ndarray]], list[str]]:
    """Names and squares drawn from a folder, and a line for each file that cannot be read."""
    if not folder.is_dir():
        raise ValueError(f"images must be a folder of pictures; received {str(folder)!r}")
    files = sorted(_files(folder))
    rng = np.random.default_rng([seed, zlib.crc32(b"pictures")])
    drawn: list[tuple[str, np.ndarray]] = []
    skipped: list[str] = []
    for i in rng.permutation(len(files)):
        if len(drawn) == count:
            break
        try:
            picture = read_image(folder / files[i])
        except (ValueError, OSError) as error:
            skipped.append(str(error))
        else:
            drawn.append((picture.name, _square(picture.pixels, side)))
    if len(drawn) < count:
        broken = f", and {len(skipped)} that cannot be read ({skipped[0]})" if skipped else ""
        raise ValueError(
            f"images must hold at least {count} pictures; received {len(drawn)}{broken},"
            f" in {folder.name!r}"
        )
    return drawn, skipped


def _files(folder: Path) -> Iterator[str]:
    """Paths below a folder, relative to it, in no order."""

    def refuse(error: OSError) -> None:
        raise error  # os.walk would go on without what it cannot list

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in filter(has_picture_name, names):
            yield Path(place, name).relative_to(folder).as_posix()


def _square(image: np.ndarray, side: int) -> np.ndarray:
    """The square in the middle, resampled to (side, side, 3)."""
    height, width, _ = image.shape
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    return resize(as_image(image[top : top + edge, left : left + edge]), (side, side))


def _unlike(taken: list[str], name: str) -> str:
    """`name`, with a numeral where that is taken."""
    unlike, numeral = name, 1
    while unlike in taken:
        numeral += 1
        unlike = f"{name} ({numeral})"
    return unlike
