"""Batches for training: pictures read, cropped and flipped, each batch a function of its number.

Which pictures a batch holds, where they are cut and which are flipped depends on the seed and the
batch's number alone: a resumed run sees what it would have seen, and threads may read in any order.
Pixels stay bytes until they are on the device, for a quarter of the memory and of the transfer.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from recon.data.crops import Cut, read_square
from recon.data.index import ImageIndex, name_hash
from rrstyle.pictures.decoding import ImageError

_PAPERS = 256, 227  # shorter side and crop that the papers' networks were trained with
_MOST_TRIES = 100  # in a row for one sample: a lost disk should end the run, a few bad files not


@dataclass(frozen=True)
class Batch:
    """Pictures to train on."""

    pixels: np.ndarray  # uint8 (batch, crop, crop, 3), RGB
    labels: np.ndarray | None  # int32 (batch,), or None where the pictures have no classes
    names: tuple[str, ...]  # of the pictures that were read


class Batches:
    """An endless sequence of batches through the pictures of an index, shuffled in every epoch.

    Sample i of batch s stands at place `s * batch + i` of the epochs' permutations laid end to
    end. Pictures are brought to a shorter side of 256 / 227 of the crop, smaller ones to the crop;
    squares lie anywhere in them and half are mirrored, at random. A damaged file makes way for the
    next one of the index.

    A batch has `batch` samples, which may be more than the pictures, of `crop` pixels a side; both
    are at least 1, and the seed 0.
    """

    def __init__(self, index: ImageIndex, *, batch: int, crop: int, seed: int) -> None:
        _check(batch=batch)
        if seed < 0:
            raise ValueError(f"seed must be 0 or more; received {seed}")
        self.index = index
        self._folder = str(index.folder)  # a Path a file would cost more than reading a thumbnail
        self._batch, self._cut, self._seed = batch, _cut(crop), seed
        self._refused: dict[int, str] = {}  # reasons by position in the index
        self._order = lru_cache(maxsize=2)(self._permutation)

    @property
    def bad(self) -> tuple[tuple[str, str], ...]:
        """Names and reasons, sorted, of files that could not be decoded so far."""
        refused = self._refused.copy()  # threads may be adding to it
        return tuple(sorted((self.index.names[i], reason) for i, reason in refused.items()))

    def __getitem__(self, number: int) -> Batch:
        """Batch `number`, from 0; may be called by several threads at once.

        Raises:
            ValueError: If the number is negative.
            OSError: If 100 pictures in a row cannot be read.
        """
        if number < 0:
            raise ValueError(f"number must be 0 or more; received {number}")
        count, crop = self._batch, self._cut.crop
        places = np.arange(number * count, (number + 1) * count).tolist()
        draws = self._rng(1, number).random((count, 3)).tolist()
        pixels = np.empty((count, crop, crop, 3), np.uint8)
        read = []
        for row, place, (across, down, side) in zip(pixels, places, draws, strict=True):
            epoch, at = divmod(place, len(self.index.names))
            first = int(self._order(epoch)[at])
            read.append(self._read(row, first, (across, down, side < 0.5)))
        return _batch_of(self.index, pixels, read)

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))

    def _permutation(self, epoch: int) -> np.ndarray:
        return self._rng(0, epoch).permutation(len(self.index.names))

    def _read(self, pixels: np.ndarray, first: int, cut: tuple[float, float, bool]) -> int:
        """Reads a picture, or the first sound one after it; returns its position in the index."""
        names = self.index.names
        tries = min(_MOST_TRIES, len(names))
        for position in range(first, first + tries):
            position %= len(names)
            if position in self._refused:
                continue
            try:
                path = f"{self._folder}/{names[position]}"
                pixels[...] = read_square(path, self._cut, *cut)
                return position
            except (ImageError, OSError) as error:
                self._refused[position] = str(error)
        raise OSError(
            f"pictures must be readable; received {tries} in a row that are not:"
            f" {self._refused[first]}"
        )


def fixed_batch(index: ImageIndex, count: int, crop: int, *, fewer: bool = False) -> Batch:
    """The same pictures every time, cut from the middle: for validation and samples.

    A hash of the names chooses them: a larger `count` begins with what a smaller one has, and what
    is added to the folder moves few of them. A file that cannot be read is passed over.

    Raises:
        ValueError: If a number is below 1, or only fewer pictures can be read; with `fewer`, if
            none can.
    """
    _check(count=count)
    cut = _cut(crop)
    hashes = [name_hash(name, "fixed 0") for name in index.names]
    pixels = np.empty((min(count, len(hashes)), crop, crop, 3), np.uint8)
    read: list[int] = []
    for position in np.argsort(hashes, kind="stable").tolist():
        if len(read) == count:
            break
        with suppress(ImageError, OSError):
            pixels[len(read)] = read_square(f"{index.folder}/{index.names[position]}", cut)
            read.append(position)
    if len(read) < (1 if fewer else count):
        raise ValueError(
            f"count must be at most the number of sound pictures, {len(read)}; received {count}"
        )
    return _batch_of(index, pixels[: len(read)], read)


def _batch_of(index: ImageIndex, pixels: np.ndarray, read: list[int]) -> Batch:
    labels = None if index.labels is None else index.labels[read]
    return Batch(pixels, labels, tuple(index.names[position] for position in read))


def _cut(crop: int) -> Cut:
    _check(crop=crop)
    larger, smaller = _PAPERS
    return Cut(crop, round(crop * larger / smaller))


def _check(**numbers: int) -> None:
    for argument, number in numbers.items():
        if number < 1:
            raise ValueError(f"{argument} must be at least 1; received {number}")
