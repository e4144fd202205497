"""The pictures that are evaluated: the cat and others, or those of classes to tell apart."""

import itertools
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recon.data.index import ImageIndex
from recon.experiments.experiment import Pictures
from rrstyle.examples import PHOTOGRAPHS, photograph
from rrstyle.pictures.images import as_image, has_picture_name, read_image, resize

_TOLD = 5  # files that cannot be read and are named in the notes
_DRAW = zlib.crc32(b"pictures")

_Drawn = tuple[str, str, np.ndarray]  # path below the folder, name, square


def load_pictures(
    folder: Path | None, count: int, side: int, *, seed: int, streamed: bool = False
) -> tuple[Pictures, list[str]]:
    """The built-in cat and `count` - 1 others, each the square in its middle, resampled.

    Those of a folder are drawn at random without replacement; a file that cannot be read makes way
    for the next one drawn, and no other is opened. Without a folder they are the other built-in
    photographs, as many as there are.

    Subfolders of any depth count, hidden files do not. `count` and `side`, in pixels, are at least
    1, `seed` at least 0; a larger `count` keeps what a smaller one draws.

    With `streamed` all come from the folder, without the cat, and the folder's whole index comes
    with them; without a folder it has no effect.

    Returns:
        The pictures, read-only, each with a name of its own; and notes for people.

    Raises:
        ValueError: If a number is out of range, or the folder is none or has too few pictures.
        OSError: If the folder cannot be listed.
    """
    _check(seed, count=count, side=side)
    built_in = count if folder is None else int(not streamed)
    names = list(PHOTOGRAPHS[:built_in])
    squares = [_square(photograph(name), side) for name in names]
    notes: list[str] = []
    index = None
    files: tuple[str, ...] = ()
    if folder is not None:
        if not folder.is_dir():
            raise ValueError(f"images must be a folder of pictures; received {str(folder)!r}")
        rng = np.random.default_rng([seed, _DRAW])
        drawn, notes = _drawn(folder, count - built_in, side, rng)
        for _, name, square in drawn:
            names.append(_unlike(names, name))
            squares.append(square)
        if streamed:
            files = tuple(file for file, *_ in drawn)
            # Headers are not checked: a file that cannot be read is passed over in its batch.
            index = ImageIndex(folder, tuple(sorted(_files(folder), key=os.fsencode)), None)
    elif len(names) < count:
        notes.append(
            f"{len(names)} built-in photographs instead of {count} pictures:"
            " no folder of images was named"
        )
    pixels = _read_only(np.stack(squares))
    return Pictures(tuple(names), pixels, index=index, files=files), notes


def load_classes(
    folder: Path | None, train: int, test: int, side: int, *, seed: int
) -> tuple[Pictures, list[str]]:
    """Pictures with classes: those to train on, then those to test on.

    Classes are the folders right below `folder`, or below its train/ and test/ where there are
    both: then those to test on come from test/. Without a folder each built-in photograph is a
    class of squares a quarter of its height, drawn from its left half to train on, its right half
    to test on.

    `train` and `test` are their numbers, at least 1; they are drawn without replacement.

    Returns:
        The pictures, read-only, and notes for people.

    Raises:
        ValueError: As `load_pictures`, or without two classes, or with pictures outside of them.
        OSError: If the folder cannot be listed.
    """
    _check(seed, train=train, test=test, side=side)
    rng = np.random.default_rng([seed, _DRAW])
    drawn: list[_Drawn] = []
    if folder is None:
        for count, half in ((train, 0), (test, 1)):
            drawn += (_cut(half, side, rng) for _ in range(count))
        notes = [
            f"squares of {len(PHOTOGRAPHS)} built-in photographs, each a class of its own:"
            " no folder of images was named"
        ]
    else:
        if not folder.is_dir():
            raise ValueError(f"images must be a folder of classes; received {str(folder)!r}")
        parts = [(folder, train + test)]
        if all((folder / name).is_dir() for name in ("train", "test")):
            parts = [(folder / "train", train), (folder / "test", test)]
        notes = []
        for part, count in parts:
            found, told = _drawn(part, count, side, rng)
            drawn, notes = drawn + found, notes + told
    if outside := [file for file, *_ in drawn if "/" not in file]:
        raise ValueError(f"images must all be in folders of classes; received {outside[0]!r}")
    files, _, squares = zip(*drawn, strict=True)
    of = [file.split("/", 1)[0] for file in files]
    classes = tuple(sorted(set(of)))
    if len(classes) < 2:
        raise ValueError(f"images must be of at least 2 classes; received {classes[0]!r} alone")
    labels = _read_only(np.array([classes.index(name) for name in of], np.int32))
    return Pictures(files, _read_only(np.stack(squares)), classes=classes, labels=labels), notes


def _check(seed: int, **counts: int) -> None:
    for argument, value in (*counts.items(), ("seed", seed)):
        least = 0 if argument == "seed" else 1
        if value < least:
            raise ValueError(f"{argument} must be an integer of at least {least}; received {value}")


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False  # as in other processes: no cell can change it for the next
    return array


def _cut(half: int, side: int, rng: np.random.Generator) -> _Drawn:
    """A square from the left (0) or right (1) half of a built-in photograph."""
    name = PHOTOGRAPHS[rng.integers(len(PHOTOGRAPHS))]
    image = photograph(name)
    height, width, _ = image.shape
    edge, middle = height // 4, width // 2
    top = rng.integers(height - edge + 1)
    left = half * middle + rng.integers(middle - edge + 1)
    cut = image[top : top + edge, left : left + edge]
    return f"{name}/{left},{top}", name, _square(cut, side)


def _drawn(
    folder: Path, count: int, side: int, rng: np.random.Generator
) -> tuple[list[_Drawn], list[str]]:
    """Pictures drawn from a folder, and lines on files that cannot be read."""
    files = sorted(_files(folder))
    drawn: list[_Drawn] = []
    skipped: list[str] = []
    for i in rng.permutation(len(files)):
        if len(drawn) == count:
            break
        try:
            picture = read_image(folder / files[i])
        except (ValueError, OSError) as error:
            skipped.append(str(error))
        else:
            drawn.append((files[i], picture.name, _square(picture.pixels, side)))
    if len(drawn) < count:
        broken = f", and {len(skipped)} that cannot be read ({skipped[0]})" if skipped else ""
        raise ValueError(
            f"images must hold at least {count} pictures; received {len(drawn)}{broken},"
            f" in {folder.name!r}"
        )
    notes = [f"not used, the next one drawn instead: {line}" for line in skipped[:_TOLD]]
    if len(skipped) > _TOLD:
        notes.append(f"not used either: {len(skipped) - _TOLD} more files")
    return drawn, notes


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
    """`name`, with a number behind it where that is taken."""
    choices = itertools.chain([name], (f"{name} ({i})" for i in itertools.count(2)))
    return next(choice for choice in choices if choice not in taken)
