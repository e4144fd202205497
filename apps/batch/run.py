"""The cross product of photographs and styles or blends, each pair in several variants."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.batch.inputs import Source, joined_stem
from apps.batch.outputs import EXISTS, choose_place, refusal, unique_name
from apps.batch.replay import picture_warning, recipe_inputs
from apps.errors import explain
from apps.progress import ProgressLine
from apps.signals import was_interrupted
from rrstyle.config import StyleConfig
from rrstyle.durable import write_whole
from rrstyle.pictures.images import Picture
from rrstyle.pictures.regions import Regions
from rrstyle.progress import Step, within
from rrstyle.recipes import Recipe, encode_picture, make_recipe, with_networks

if TYPE_CHECKING:  # it imports Keras
    from rrstyle.networks.pair import CnnDcn

_KEPT_PIXELS = 16_000_000  # of style pictures kept for the next photograph: 192 MB


class WriteError(OSError):
    """Nothing can be written where the pictures go: the others would fail too."""


@dataclass(frozen=True)
class Pair:
    """One photograph, one style picture or several to blend, and a file for every seed."""

    content: Source
    styles: tuple[Source, ...]
    targets: dict[int, Path]


def plan_pairs(
    contents: Sequence[Source],
    styles: Sequence[tuple[Source, ...]],
    seeds: Sequence[int],
    output: Path,
) -> list[Pair]:
    """Every pair with its files; the output folder is created. Errors as of `choose_place`."""
    folder, name = choose_place(output, len(contents) * len(styles) * len(seeds))
    taken: set[str] = set()
    pairs = []
    for content, blend in itertools.product(contents, styles):
        stem = f"{content.stem}-{joined_stem(blend)}"
        targets = {seed: folder / (name or unique_name(f"{stem}-s{seed}", taken)) for seed in seeds}
        pairs.append(Pair(content, blend, targets))
    return pairs


@dataclass(kw_only=True)
class Batch:
    """Makes the pictures of `plan_pairs` one after another."""

    pairs: Sequence[Pair]
    config: StyleConfig
    overwrite: bool  # whether files that are there are replaced
    progress: ProgressLine
    keep_alpha: bool = True  # whether photographs keep their transparency
    expected: Recipe | None = None  # the one that is replayed: other inputs are warned of
    networks: "CnnDcn | None" = None  # trained ones, where `config.decoder` names a run
    weights: Sequence[float] | None = None  # of the styles of each pair; equal by default
    mask: np.ndarray | None = None  # of the style, for all photographs
    style_mask: Regions | None = None  # of all photographs and of the styles
    made: list[Path] = field(default_factory=list)
    failures: dict[str, list[Path]] = field(default_factory=dict)  # files not made, by reason

    def __post_init__(self) -> None:
        self._total = sum(len(pair.targets) for pair in self.pairs)
        self._styles: dict[Source, Picture] = {}
        self._refused: dict[Source, str] = {}

    def run(self) -> None:
        """Makes them all, whatever fails, until a WriteError."""
        for content, group in itertools.groupby(self.pairs, key=lambda pair: pair.content):
            photograph: Picture | None = None
            for pair in group:
                free = self._free_seeds(pair)
                if not free:  # a batch that is complete reads nothing
                    continue
                try:
                    photograph = photograph or self._read("content", content)
                    styles = [self._read("style", style) for style in pair.styles]
                    self._warn(photograph, styles)
                    self._make(pair, free, photograph, styles)
                except WriteError:
                    raise
                except (ValueError, OSError) as error:
                    if was_interrupted():
                        raise KeyboardInterrupt from error
                    self._give_up(explain(error), [pair.targets[seed] for seed in free])

    @property
    def _settled(self) -> set[Path]:
        return set(self.made).union(*self.failures.values())

    def _free_seeds(self, pair: Pair) -> list[int]:
        free = []
        for seed, target in pair.targets.items():
            reason = refusal(target, overwrite=self.overwrite)
            if reason is None:
                free.append(seed)
            else:
                self._give_up(reason, [target])
        return free

    def _give_up(self, reason: str, targets: list[Path]) -> None:
        for target in targets:
            if target not in self._settled:
                self.failures.setdefault(reason, []).append(target)
                self.progress.count(len(self._settled), f"not made: {target.name}")

    def _read(self, role: str, source: Source) -> Picture:
        if source in self._refused:  # one bad style picture: reported once, not read for every pair
            raise ValueError(self._refused[source])
        if role == "style" and source in self._styles:
            return self._styles[source]
        try:
            picture = source.read()
        except (ValueError, OSError) as error:
            self._refused[source] = explain(error)
            raise
        for note in picture.notes:
            self.progress.say(f"{picture.name}: {note}", once=True)
        kept = sum(p.pixels[..., 0].size for p in self._styles.values())
        if role == "style" and kept + picture.pixels[..., 0].size <= _KEPT_PIXELS:
            self._styles[source] = picture
        return picture

    def _warn(self, content: Picture, styles: list[Picture]) -> None:
        """Tells which pictures are not those of the recipe."""
        if self.expected is None:
            return
        for role, pictures in (("content", [content]), ("style", styles)):
            used = recipe_inputs(self.expected, role)
            # A style given alone is compared with the first, and of a blend each with its own.
            for expected, picture in zip(used, pictures, strict=False):
                if text := picture_warning(expected, role, picture):
                    self.progress.say(f"rrstyle: warning: {text}", once=True)

    def _make(self, pair: Pair, seeds: list[int], content: Picture, styles: list[Picture]) -> None:
        from rrstyle import pipeline  # Keras, late: a batch that fails before is reported at once

        recipe = make_recipe(
            self.config, seeds[0], content, styles, self.weights, self.mask, self.style_mask
        )
        if self.networks is not None:
            recipe = with_networks(recipe, self.networks)
        for run in _consecutive(seeds):
            done = len(self._settled)
            made = pipeline.variants(
                content.pixels,
                [style.pixels for style in styles],
                self.config,
                n=len(run),
                seed=run[0],
                weights=self.weights,
                mask=self.mask,
                style_mask=self.style_mask,
                networks=self.networks,
                on_step=within(self._show, done / self._total, (done + len(run)) / self._total),
            )
            for variant in made:
                target = pair.targets[variant.seed]
                made_by = replace(recipe, seed=variant.seed)
                alpha = content.alpha if self.keep_alpha else None
                self._write(target, encode_picture(variant.image, made_by, alpha))

    def _show(self, step: Step) -> None:
        number = min(len(self._settled) + 1, self._total)
        self.progress.show(f"picture {number} of {self._total}", step)

    def _write(self, target: Path, data: bytes) -> None:
        try:
            write_whole(target, data, overwrite=self.overwrite)
        except FileExistsError:  # another process made it meanwhile: a matter of this file alone
            self._give_up(EXISTS, [target])
            return
        except OSError as error:
            raise WriteError(explain(error)) from error
        self.made.append(target)
        self.progress.count(len(self._settled), target.name)


def _consecutive(seeds: list[int]) -> Iterator[list[int]]:
    """Groups of consecutive seeds, each of which one call of `variants` makes."""
    for _, run in itertools.groupby(enumerate(seeds), key=lambda item: item[1] - item[0]):
        yield [seed for _, seed in run]
