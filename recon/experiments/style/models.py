"""How far apart pictures are that differ in the rrVGG, in the FVT's seed, or in both.

    rrstyle evaluate style-models --images DIR

On each of the paper's three models. Network n takes the seeds S + 2n and S + 2n + 1, so that no two
networks share one: the first for the picture that the others are compared with.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import ranges, row_of_panels
from recon.experiments.sheet import sheet, unpacked
from recon.experiments.style import transfers
from recon.style_measures import diversity, edge
from rrstyle.presets import PAPER_PRESETS

# What differs from the first picture, and by how much the seeds of rrVGG and FVT do.
CHANGED = {"nothing": (0, 0), "FVT": (0, 1), "rrVGG": (1, 0), "both": (1, 1)}


@dataclass(frozen=True, kw_only=True)
class Models(transfers.StyleSettings):
    models: tuple[str, ...] = tuple(PAPER_PRESETS)  # rrVGG1 to 3 of Fig. 17


class ModelsExperiment(transfers.StyleStudy):
    name = "style-models"
    title = "Style transfer by rrVGG: pictures of other networks"
    reproduces = "Figs. 9 and 17 of the ICLR 2020 version"
    printed = "Several rrVGG models give diverse pictures of one photograph and one style."
    settings = {
        "smoke": Models(**transfers.SMOKE, models=("paper-32",)),
        "laptop": Models(**transfers.LAPTOP | {"networks": 4, "steps": 20}),
        "paper": Models(**transfers.PAPER),
    }
    columns = (
        *("model", "network", "pair", "image", "style", "changed", "distance", "alike"),
        *("swd", "edge", "picture"),
    )

    def cells(self, settings: Models) -> list[Cell]:
        networks, pairs = range(settings.networks), range(settings.images)
        return grid(model=settings.models, network=networks, pair=pairs)

    def rows(self, settings: Models, cell: Cell) -> int:
        return len(CHANGED)

    def measure(self, settings: Models, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        key, first = self.named(settings, cell, pictures), seed + 2 * cell["network"]
        config = transfers.config_of(cell["model"], steps=settings.steps)
        pairs = [self.pair(config, settings, key, pictures, seed=first + i) for i in range(2)]
        rows: list[Row] = []
        base: np.ndarray | None = None
        for changed, (rrvgg, fvt) in CHANGED.items():
            pair = pairs[rrvgg]
            picture = pair.decoded(pair.optimised(first + fvt))
            row = {**key, "changed": changed, "distance": np.nan, "alike": np.nan}
            if base is not None:
                row |= {"distance": diversity([base, picture]), "alike": edge(picture, base)}
            rows.append(transfers.scored(row, pair, picture))
            base = picture if base is None else base
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((10, 4.2), 2)
        models, places = list(dict.fromkeys(frame["model"])), np.arange(len(CHANGED) - 1)
        for i, model in enumerate(models):
            part = frame[(frame["model"] == model) & (frame["changed"] != "nothing")]
            shift = 0.15 * (i - (len(models) - 1) / 2)
            for ax, column in zip(axes, ("distance", "alike"), strict=True):
                means = part.groupby(["changed", "network"], sort=False)[column].mean()
                groups = means.groupby("changed", sort=False)
                ranges(ax, groups, places + shift, fmt="o", label=model)
        labels = ("root mean square distance", "correlation of edges")
        for ax, label in zip(axes, labels, strict=True):
            ax.set_xticks(places, [_words(changed) for changed in list(CHANGED)[1:]])
            ax.set_ylabel(label)
            ax.legend()
        figure.suptitle("Two pictures of one pair, random DCN: mean and range over networks")
        return figure

    def show(self, frame: pd.DataFrame, settings: Models, pictures: Pictures, seed: int) -> Figure:
        """As Fig. 17, a line a pair; below it what becomes of each picture by other seeds."""
        drawn = frame[frame["network"] == 0].set_index(["pair", "model", "changed"])["picture"]
        found = {key: unpacked(picture) for key, picture in drawn.items()}
        lines = []
        for pair in range(settings.images):
            models = [(model, found[pair, model, "nothing"]) for model in settings.models]
            lines.append(("", [*self.shown(settings, pictures, pair), *models]))
            for model in settings.models:
                lines.append((model, [(_words(c), found[pair, model, c]) for c in CHANGED]))
        return sheet(lines, title=f"The paper's models, seed {seed}, and pictures of other seeds")


def _words(changed: str) -> str:
    """The caption of a picture."""
    return {"nothing": "as above", "both": "both"}.get(changed, f"another {changed}")


EXPERIMENT = ModelsExperiment()
