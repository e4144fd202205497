"""Pictures of photographs by painters, one for every seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from apps.batch.inputs import Source
from apps.batch.run import Batch, Pair, plan_pairs
from apps.errors import one_line
from apps.options.checks import refuse_beside_run
from apps.options.commands import Stylize, Video
from apps.quiet import quiet_start
from rrstyle.config import StyleConfig
from rrstyle.durable import bare_name
from rrstyle.painters.folder import choose_painter
from rrstyle.pictures.images import Picture
from rrstyle.progress import Step
from rrstyle.recipes import Recipe, encode_picture, painter_recipe

if TYPE_CHECKING:  # it imports Keras
    from rrstyle.painters.painter import Painter


_NOT_BESIDE = ("style", "blend", "style_weights", "mask", "style_mask", "preset")


def read_painters(
    command: Stylize | Video, folder: Path, seeds: Iterable[int]
) -> dict[int, "Painter"]:
    """The painters of a folder that seeds name, each by its seed.

    Raises:
        ValueError: If the command has options that mean nothing to a painter, or there is no such
            painter, or a damaged one.
        OSError: If a file cannot be read.
    """
    for name in _NOT_BESIDE:
        if getattr(command, name, None):
            raise ValueError(f"{name} must be left out with painter, which has its own manner")
    kept = {name: getattr(command.config, name) for name in ("side", "strength", "keep_colours")}
    refuse_beside_run(command.config, StyleConfig(**kept), what="a painter")
    chosen = {seed: choose_painter(folder, seed) for seed in seeds}
    with quiet_start():  # Keras, late: what is wrong above is told at once
        from rrstyle.painters.painter import load_painter
    name = bare_name(folder.absolute().name)  # of several, each has a number for a name
    return {seed: replace(load_painter(place), name=name) for seed, place in chosen.items()}


def plan_pictures(
    contents: list[Source], folder: Path, seeds: Iterable[int], output: Path
) -> list[Pair]:
    """As `plan_pairs`, with the painters' folder for the style."""
    pairs = plan_pairs(contents, [(Source(folder.name, folder),)], list(seeds), output)
    return [replace(pair, styles=()) for pair in pairs]


def painter_warning(recipe: Recipe, painters: Iterable["Painter"]) -> str | None:
    """A line where none of the painters is the recipe's."""
    used = recipe.painter
    if used is None or used.digest in {painter.digest for painter in painters}:
        return None
    name = one_line(used.name)
    return f"the painter differs from the recipe's, {name!r}: another picture will come out"


@dataclass(kw_only=True)
class PainterBatch(Batch):
    """Makes the pictures of `plan_pictures` one after another."""

    painters: Mapping[int, "Painter"]  # by seed

    def _make(self, pair: Pair, seeds: list[int], content: Picture, styles: list[Picture]) -> None:
        config, alpha = self.config, content.alpha if self.keep_alpha else None
        for seed in seeds:
            self._show(Step("painting", len(self._settled) / self._total))
            painter = self.painters[seed]
            recipe = painter_recipe(painter, config, seed, content)
            picture = painter.paint(
                content.pixels,
                side=config.side,
                strength=config.strength,
                own_colours=config.keep_colours,
            )
            self._write(pair.targets[seed], encode_picture(picture, recipe, alpha))
