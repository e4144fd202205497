"""Pictures of photographs by painters, one for every seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from apps.batch.inputs import Source
from apps.batch.run import Batch, Pair, plan_pairs
from apps.errors import one_line
from rrstyle.pictures.images import Picture
from rrstyle.progress import Step
from rrstyle.recipes import Recipe, encode_picture, painter_recipe

if TYPE_CHECKING:  # it imports Keras
    from rrstyle.painters.painter import Painter


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
