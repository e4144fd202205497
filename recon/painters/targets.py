"""Photographs, and what `paint` makes of them: what a painter learns from.

In a painter's folder, PNG files in the run's folder `painted`: one for each photograph, and one of
strokes; settings.json says of what.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recon.data.batches import Batch
from recon.data.index import ImageIndex, name_hash, scan, write_report
from recon.painters.config import LearnConfig
from recon.training.run import BAD_PICTURES, PAINTED, PICTURES
from rrstyle.config import PaintConfig, StyleConfig
from rrstyle.durable import write_whole
from rrstyle.networks.laws import PAINTER, layer_rng
from rrstyle.painters.network import CELL
from rrstyle.painters.painter import recoloured
from rrstyle.pictures.images import digest, encode_png, fit_within, read_image, resize, to_uint8
from rrstyle.pipeline import stylize
from rrstyle.progress import OnStep, Step, ignore
from rrstyle.transfer.closed_form import fit_gaussian

_SETTINGS = "settings.json"
_CYCLES = 4  # of the clouds that strokes are painted on, a side
_CONTRAST = 0.1  # of these clouds, standard deviation
# The clouds say where what of the painting goes; of themselves nothing is to be seen.
_TILE = PaintConfig(content_mix=(0.3, 0.3), detail=0.0)
_LEAST = 2  # photographs: one to learn from and one to hold out
_SAMPLES = 6  # at most, on a sheet


@dataclass(frozen=True)
class Pair:
    """A photograph in the painting's colours and its picture by `paint`, uint8, of one size."""

    name: str
    photograph: np.ndarray
    painted: np.ndarray

    def cut(self, top: int, left: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        """A square of the photograph, and of what is wanted: six channels, the photograph last."""
        square = np.s_[top : top + side, left : left + side]
        photograph, painted = self.photograph[square], self.painted[square]
        return photograph, np.concatenate([painted, photograph], axis=-1)

    def middle(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """The square in the middle of both."""
        top, left = ((size - side) // 2 for size in self.painted.shape[:2])
        return self.cut(top, left, side)


@dataclass(frozen=True)
class PaintedBatch(Batch):
    """Pieces of photographs, and of what `paint` made of them."""

    wanted: np.ndarray  # uint8 (batch, crop, crop, 6): painted, and the photograph again


class PaintedBatches:
    """An endless sequence of batches; each depends on the seed and its number alone."""

    bad: tuple[tuple[str, str], ...] = ()  # every picture has been read

    def __init__(self, pairs: list[Pair], config: LearnConfig) -> None:
        self._pairs, self._config = pairs, config

    def __getitem__(self, number: int) -> PaintedBatch:
        config = self._config
        sequence = np.random.SeedSequence(config.seed, spawn_key=(2, number))
        rng = np.random.default_rng(sequence)
        chosen = [self._pairs[i] for i in rng.integers(0, len(self._pairs), config.batch)]
        pieces = []
        for pair in chosen:
            rooms = (size - config.crop + 1 for size in pair.painted.shape[:2])
            pieces.append(pair.cut(*(int(rng.integers(room)) for room in rooms), config.crop))
        photographs, wanted = (np.stack(arrays) for arrays in zip(*pieces, strict=True))
        return PaintedBatch(photographs, None, tuple(pair.name for pair in chosen), wanted)


@dataclass(frozen=True)
class LearningImages:
    """What a painter learns from, and what is held out."""

    index: ImageIndex
    ours: list[Pair]
    held_out: list[Pair]
    config: LearnConfig
    tiles: np.ndarray  # strokes by `paint`, float32 (tiles, side, side, 3) in [0, 1]
    refused: tuple[tuple[str, str], ...]  # photographs that could not be read: name, reason
    data: dict[str, Any]  # plain JSON values for the record of the run

    @property
    def source(self) -> PaintedBatches:
        """The batches."""
        return PaintedBatches(self.ours, self.config)

    @property
    def validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Photographs held out and their pictures by `paint`, uint8 (n, crop, crop, 3) each."""
        return _middles(self.held_out, self.config.crop) if self.held_out else None

    @property
    def samples(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of a few photographs, for sheets."""
        return _middles((self.held_out or self.ours)[:_SAMPLES], self.config.crop)

    def report_bad(self, out: Path) -> int:
        """Writes bad-pictures.csv into a run's folder, if a file is bad; how many are."""
        write_report(self.index, out / BAD_PICTURES, later=self.refused)
        return len(self.index.bad) + len(self.refused)


def _middles(pairs: list[Pair], side: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = zip(*(pair.middle(side) for pair in pairs), strict=True)
    return np.stack(first), np.stack(second)


def open_pairs(
    folder: Path, painting: np.ndarray, config: LearnConfig, out: Path, *, on_step: OnStep = ignore
) -> LearningImages:
    """Reads photographs of a folder tree and paints them; what is painted already is kept.

    Args:
        folder: Folder of photographs; a hash of their names chooses which are taken.
        painting: Painting, (height, width, 3) in [0, 1], at its size for learning.
        config: Settings; the seed is that of `paint` too.
        out: Folder of the run, in which the pictures by `paint` are kept.
        on_step: Progress callback.

    Raises:
        ValueError: If there is no such folder, or it has fewer than two photographs to read.
        OSError: If a file cannot be written.
    """
    folder_of = out / PAINTED
    folder_of.mkdir(parents=True, exist_ok=True)
    index = scan(folder, cache=out / PICTURES, argument="images")
    _check_same(folder_of, index, painting, config)
    refused: list[tuple[str, str]] = []
    wanted = min(config.photographs, len(index.names))
    tiles = []
    for number in range(config.painter.tiles):
        on_step(Step(f"strokes {number + 1} of {config.painter.tiles}", 0.0))
        tiles.append(_tile(folder_of / f"strokes-{number}.png", number, painting, config))
    palette = fit_gaussian(painting)
    pairs: list[Pair] = []
    for name, photograph in _photographs(index, config, refused):
        on_step(Step(f"photograph {len(pairs) + 1} of {wanted}", len(pairs) / wanted))
        file = folder_of / f"{len(pairs):06}.png"
        painted = _painted(file, photograph, painting, StyleConfig(), config.seed)
        own = to_uint8(recoloured(photograph, palette))
        pairs.append(Pair(name, own, to_uint8(painted)))
        if len(pairs) == wanted:
            break
    if len(pairs) < _LEAST:
        why = f", the first of {len(refused)} that cannot be: {refused[0][1]}" if refused else ""
        raise ValueError(
            f"images must hold at least {_LEAST} photographs that can be read; received"
            f" {len(pairs)}{why}"
        )
    held = round(config.validation * len(pairs))
    names = {"images": f"{len(index.names)} pictures, SHA-256 of names {index.digest[:16]}"}
    return LearningImages(
        index, pairs[held:], pairs[:held], config, np.stack(tiles), tuple(refused), names
    )


def _check_same(folder: Path, index: ImageIndex, painting: np.ndarray, config: LearnConfig) -> None:
    """Notes what is painted in a new folder, and refuses one of other pictures."""
    told = {"style": digest(painting), "images": index.digest}
    told |= {name: getattr(config, name) for name in ("seed", "side", "crop")}
    text = json.dumps(told, indent=1)
    record = folder / _SETTINGS
    if not record.exists():
        write_whole(record, text.encode())
    elif record.read_text(encoding="utf-8") != text:
        raise ValueError(
            f"out must be a new folder, or that of the same style, images, seed, side and crop;"
            f" {folder.parent.name!r} has pictures by others"
        )


def _painted(
    file: Path, image: np.ndarray, painting: np.ndarray, settings: StyleConfig, seed: int
) -> np.ndarray:
    """The picture that `paint` makes of an image; kept in a file."""
    if not file.is_file():
        settings = replace(settings, side=max(image.shape[:2]))
        picture = stylize(image, painting, settings, seed=seed)
        write_whole(file, encode_png(picture), overwrite=True)
    return read_image(file).pixels


def _tile(file: Path, number: int, painting: np.ndarray, config: LearnConfig) -> np.ndarray:
    """Strokes (side, side, 3) that fit to themselves: what `paint` makes of clouds alone."""
    side = config.side // (2 * CELL) * (2 * CELL)
    settings = StyleConfig(tile=True, paint=_TILE)
    seed = config.seed + number
    return _painted(file, _clouds(side, seed), painting, settings, seed)


def _clouds(side: int, seed: int) -> np.ndarray:
    """Grey clouds (side, side, 3) that fit to themselves: strokes painted on them show no object.

    They are sums of cosines with whole cycles, as strong as the inverse root of their frequency.
    """
    rng = layer_rng(seed, PAINTER, 2000)
    rows, columns = np.mgrid[:side, :side] * (2 * np.pi / side)
    clouds = np.zeros((side, side))
    for down in range(-_CYCLES, _CYCLES + 1):
        for across in range(_CYCLES + 1):
            strength, phase = rng.normal(), rng.uniform(0, 2 * np.pi)
            if 1 <= (frequency := np.hypot(down, across)) <= _CYCLES:
                wave = np.cos(down * rows + across * columns + phase)
                clouds += strength / np.sqrt(frequency) * wave
    clouds *= _CONTRAST / clouds.std()
    return np.repeat(np.clip(0.5 + clouds, 0, 1)[..., None], 3, axis=-1).astype(np.float32)


def _photographs(
    index: ImageIndex, config: LearnConfig, refused: list[tuple[str, str]]
) -> Iterator[tuple[str, np.ndarray]]:
    """Names and images, no side shorter than a crop; what cannot be read is noted and left out."""
    for name in sorted(index.names, key=lambda name: name_hash(name, "painted 0")):
        try:
            image = read_image(index.folder / name).pixels
        except (ValueError, OSError) as error:
            refused.append((name, str(error)))
            continue
        least = config.crop / min(image.shape[:2])
        fitted = fit_within(image.shape[:2], config.side)
        large = tuple(max(config.crop, round(least * side)) for side in image.shape[:2])
        yield name, resize(image, max(fitted, large))
