"""Batches for training: pictures read in parallel, cropped and flipped, the same for every run.

Which pictures a batch holds, where each is cut and whether it is flipped depends on the seed and
the number of the batch alone, so a run that is resumed sees what it would have seen. Pixels stay
bytes until they are on the device: a quarter of the memory and of the way there.
"""

import heapq
import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from recon.data.crops import Cut, read_square
from recon.data.index import ImageIndex, name_hash
from rrstyle.pictures.decoding import ImageError

_PAPERS = 256, 227  # shorter side and crop that the papers' networks were trained with
_MOST_TRIES = 100  # in a row for one sample; a disk that is gone is no matter of single files
_MOST_THREADS = 16  # of the default
_CHUNK = 16  # samples that a thread reads in one go, at most


@dataclass(frozen=True)
class Batch:
    """Pictures to train on.

    Attributes:
        pixels: uint8 (batch, crop, crop, 3), RGB; divided by 255 it is what
            `rrstyle.pictures.images` calls a picture.
        labels: int32 (batch,), or None where the pictures have no classes.
        step: Number of the batch, from 0.
        names: Names of the pictures in order, of those that were read in place of bad ones too.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    step: int
    names: tuple[str, ...]


def ignore_bad(name: str, reason: str) -> None:
    """The callback of a caller who looks at `Stream.bad` instead."""


class Stream:
    """An endless run of batches through the pictures of an index, shuffled anew in every epoch.

    Sample i of batch s stands at place `s * batch + i` of the epochs' permutations laid end to
    end. A file that turns out to be damaged makes way for the next one of the index.
    """

    def __init__(
        self,
        index: ImageIndex,
        *,
        batch: int,
        crop: int,
        seed: int,
        threads: int | None = None,
        flip: bool = True,
        random_crop: bool = True,
        resize: int | None = None,
        prefetch: int = 2,
        on_bad: Callable[[str, str], None] = ignore_bad,
    ) -> None:
        """Reads nothing yet.

        Args:
            index: The pictures.
            batch: Samples in a batch, at least 1; may exceed the number of pictures.
            crop: Side of the squares in pixels, at least 1.
            seed: Seed of order, crops and flips, 0 or more.
            threads: Number of threads that read and decode, at least 1; None for as many as this
                process has cores, at most 16. It changes nothing but the time.
            flip: Whether every other sample, at random, has left and right changed.
            random_crop: Whether squares lie anywhere; else in the middle.
            resize: Shorter side of larger pictures before the cut, at least `crop`; 256 / 227 of
                it where None. Smaller pictures are enlarged to `crop`.
            prefetch: Batches that are prepared ahead, at least 1: what bounds the memory.
            on_bad: Callback in the caller's own thread, once for each file that cannot be decoded.

        Raises:
            ValueError: If a number is out of range.
        """
        threads = min(_MOST_THREADS, _cores()) if threads is None else threads
        _check(batch=batch, threads=threads, prefetch=prefetch)
        if seed < 0:
            raise ValueError(f"seed must be 0 or more; received {seed}")
        self.index = index
        self._folder = str(index.folder)  # a Path a file would cost more than reading a thumbnail
        self._batch = batch
        self._cut = _cut(crop, resize)
        self._seed = seed
        self._threads = threads
        self._flip = flip
        self._random_crop = random_crop
        self._prefetch = prefetch
        self._on_bad = on_bad
        self._refused: dict[int, str] = {}  # saves the threads a second try, nothing else
        self._told: dict[str, str] = {}

    @property
    def bad(self) -> tuple[tuple[str, str], ...]:
        """Names and reasons, sorted, of files that could not be decoded so far."""
        return tuple(sorted(self._told.items()))

    def batches(self, first_step: int = 0) -> Generator[Batch, None, None]:
        """The batches from `first_step` on, without end.

        Threads start with the first batch and end when the iterator is closed
        (`contextlib.closing`), dropped, or left by an exception.

        Args:
            first_step: Number of the first batch, 0 or more.

        Raises:
            ValueError: If the number is negative.
            OSError: From the iterator, if 100 pictures in a row cannot be read.
        """
        if first_step < 0:
            raise ValueError(f"first_step must be 0 or more; received {first_step}")
        return self._run(first_step)

    def _run(self, step: int) -> Generator[Batch, None, None]:
        order = lru_cache(maxsize=2)(self._order)
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="pictures")
        ahead: deque[_Promise] = deque()
        try:
            while True:
                while len(ahead) <= self._prefetch:
                    ahead.append(self._start(pool, step, order))
                    step += 1
                yield self._finish(ahead.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _order(self, epoch: int) -> np.ndarray:
        """The permutation of an epoch."""
        sequence = np.random.SeedSequence(self._seed, spawn_key=(0, epoch))
        return np.random.default_rng(sequence).permutation(len(self.index.names))

    def _start(
        self, pool: ThreadPoolExecutor, step: int, order: Callable[[int], np.ndarray]
    ) -> "_Promise":
        """Hands out the work of a batch."""
        epochs, places = np.divmod(
            np.arange(step * self._batch, (step + 1) * self._batch), len(self.index.names)
        )
        numbers = np.concatenate(
            [order(epoch)[places[epochs == epoch]] for epoch in np.unique(epochs).tolist()]
        )
        # A row a sample, whatever the number of rows; one generator a batch costs next to nothing.
        sequence = np.random.SeedSequence(self._seed, spawn_key=(1, step))
        draws = np.random.default_rng(sequence).random((self._batch, 3))
        promise = _Promise(step, self._batch, self._cut.crop)
        chunk = min(_CHUNK, max(1, self._batch // (2 * self._threads)))
        for start in range(0, self._batch, chunk):
            part = slice(start, start + chunk)
            work = pool.submit(
                self._fill, numbers[part], draws[part], promise.pixels[part], promise.read[part]
            )
            promise.work.append(work)
        return promise

    def _finish(self, promise: "_Promise") -> Batch:
        """Waits for a batch."""
        for work in promise.work:
            for name, reason in work.result():
                if name not in self._told:
                    self._told[name] = reason
                    self._on_bad(name, reason)
        labels = self.index.labels
        return Batch(
            promise.pixels,
            None if labels is None else labels[promise.read],
            promise.step,
            tuple(self.index.names[number] for number in promise.read),
        )

    def _fill(
        self, numbers: np.ndarray, draws: np.ndarray, pixels: np.ndarray, read: np.ndarray
    ) -> list[tuple[str, str]]:
        """Reads some samples into their places; returns names and reasons of bad files."""
        found: list[tuple[str, str]] = []
        for row, (number, (across, down, side)) in enumerate(
            zip(numbers.tolist(), draws.tolist(), strict=True)
        ):
            place = (across, down) if self._random_crop else (None, None)
            flip = self._flip and side < 0.5
            read[row] = self._read(pixels[row], number, place, flip, found)
        return found

    def _read(
        self,
        pixels: np.ndarray,
        number: int,
        place: tuple[float | None, float | None],
        flip: bool,
        found: list[tuple[str, str]],
    ) -> int:
        """Reads a picture, or the first sound one behind it; returns the number of that."""
        index = self.index
        tries = min(_MOST_TRIES, len(index.names))
        for candidate in range(number, number + tries):
            candidate %= len(index.names)
            name = index.names[candidate]
            if candidate not in self._refused:
                try:
                    pixels[...] = read_square(f"{self._folder}/{name}", self._cut, *place, flip)
                except (ImageError, OSError) as error:
                    self._refused[candidate] = str(error)
                else:
                    return candidate
            # Each time: who met it first may have been closed before telling anyone.
            found.append((name, self._refused[candidate]))
        reason = self._refused[number]
        raise OSError(
            f"pictures must be readable; received {tries} in a row that are not: {reason}"
        )


class _Promise:
    """A batch that threads are at work on."""

    def __init__(self, step: int, batch: int, crop: int) -> None:
        self.step = step
        self.pixels = np.empty((batch, crop, crop, 3), np.uint8)
        self.read = np.empty(batch, np.int64)  # numbers of the pictures, once they are read
        self.work: list[Future[list[tuple[str, str]]]] = []


def fixed_batch(
    index: ImageIndex,
    count: int,
    crop: int,
    *,
    seed: int = 0,
    resize: int | None = None,
    fewer: bool = False,
) -> Batch:
    """The same pictures every time, cut from the middle: for validation and samples.

    They are chosen by a hash of their names: a larger `count` begins with what a smaller one has,
    and what is added to the folder moves few of them. A file that cannot be read is passed over.

    Args:
        index: The pictures.
        count: Number of pictures, at least 1.
        crop: Side of the squares in pixels, at least 1.
        seed: Seed of the choice.
        resize: Side to resize to before the crop, see `Stream`.
        fewer: Take what there is, one at least, where fewer can be read.

    Returns:
        A batch of step 0.

    Raises:
        ValueError: If a number is out of range, or fewer pictures can be read.
    """
    _check(count=count)
    cut = _cut(crop, resize)
    salt = f"fixed {seed}"
    heap = [(name_hash(name, salt), number) for number, name in enumerate(index.names)]
    heapq.heapify(heap)
    pixels = np.empty((min(count, len(heap)), crop, crop, 3), np.uint8)
    read: list[int] = []
    while heap and len(read) < count:
        _, number = heapq.heappop(heap)
        try:
            pixels[len(read)] = read_square(f"{index.folder}/{index.names[number]}", cut)
        except (ImageError, OSError):
            continue
        read.append(number)
    if len(read) < (1 if fewer else count):
        raise ValueError(
            f"count must be at most the number of sound pictures, {len(read)}; received {count}"
        )
    labels = None if index.labels is None else index.labels[read]
    return Batch(pixels[: len(read)], labels, 0, tuple(index.names[number] for number in read))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cut(crop: int, resize: int | None) -> Cut:
    _check(crop=crop)
    if resize is None:
        larger, smaller = _PAPERS
        resize = round(crop * larger / smaller)
    if resize < crop:
        raise ValueError(f"resize must be at least crop, {crop}; received {resize}")
    return Cut(crop, resize)


def _check(**numbers: int) -> None:
    for argument, number in numbers.items():
        if number < 1:
            raise ValueError(f"{argument} must be at least 1; received {number}")
