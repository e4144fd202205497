"""What the experiments on random networks share: their cells, their rows and their curves."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, rows_of
from recon.experiments.panels import band
from recon.statistics import NULLS
from recon.sweep import simulation
from rrstyle.networks.plan import Plan, UpsampleKind

STD = 0.1  # of the papers' rrVGG, all laws being one to a network of ReLUs (see `laws`)
UPSAMPLINGS: tuple[UpsampleKind, ...] = ("zero", "nearest")
# null: SSIM of the same output with another picture; noise: of noise of its mean and deviation.
_SCORES = ("ssim", "null", "noise", "pearson")
SCORE_COLUMNS = ("group", "network", "head", "image", *_SCORES)
MEAN_SSIM = "SSIM, mean ± std over networks (dash-dotted: null)"


def upsampling(cell: Cell) -> UpsampleKind:
    """The kind of upsampling of a cell; either where its plan has none."""
    return "nearest" if cell["upsampling"] == "nearest" else "zero"


class RandomSweep(Experiment):
    """A sweep over plans of random networks, scored by both heads on all pictures.

    Networks of a plan are evaluated in groups, as many at once as fit into memory; a group is a
    cell. Network n has seed S + n, or the one that `first_seed` makes of S. A column "chroma" gets
    the correlation of colours.
    """

    @abstractmethod
    def points(self, settings: Any) -> list[Cell]:
        """What the sweep goes over."""

    @abstractmethod
    def plan(self, cell: Cell) -> Plan:
        """The networks of a point."""

    def variants(self, cell: Cell) -> list[tuple[Row, Plan]]:
        """Plans of a point that differ in the decoder's upsampling only, and what rows say."""
        return [({}, self.plan(cell))]

    def law(self, cell: Cell) -> dict[str, Any]:
        """The law of a point, and its true standard deviation."""
        return {"law": "gaussian", "std": STD}

    def first_seed(self, cell: Cell, seed: int) -> int:
        """Seed of network 0 of a point: that of the run."""
        return seed

    def cells(self, settings: Any) -> list[Cell]:
        """Each point, by groups of networks."""
        return [
            {**point, "group": group}
            for point in self.points(settings)
            for group in range(len(self._groups(settings, point)))
        ]

    def rows(self, settings: Any, cell: Cell) -> int:
        """Both heads of the group's networks by each variant, on all pictures."""
        networks = self._groups(settings, cell)[cell["group"]]
        heads = len(self.variants(cell)) * len(simulation.HEADS)
        return len(networks) * heads * settings.images

    def measure(self, settings: Any, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        """Scores of a group's networks."""
        networks, variants = self._groups(settings, cell)[cell["group"]], self.variants(cell)
        plan, law, first = self.plan(cell), self.law(cell), self.first_seed(cell, seed)
        kernels = [simulation.draw_kernels(plan, seed=first + n, **law) for n in networks]
        found = simulation.score([plan for _, plan in variants], kernels, pictures.pixels)
        rows = []
        for (named, _), of_plan in zip(variants, found, strict=True):
            for network, of_network in zip(networks, of_plan, strict=True):
                for head in simulation.HEADS:
                    key = {**cell, **named, "network": network, "head": head}
                    scores = {score: of_network[f"{score} {head}"] for score in _SCORES}
                    if "chroma" in self.columns:
                        no = np.full(len(pictures.names), np.nan)
                        scores["chroma"] = of_network["chroma"] if head == "linear" else no
                    rows += rows_of(key, pictures.names, **scores)
        return rows

    def _groups(self, settings: Any, cell: Cell) -> list[range]:
        """Numbers of the networks of a point, in groups."""
        size = {"images": settings.images, "side": settings.side}
        return simulation.groups(self.plan(cell), settings.networks, **size)


def by_network(frame: pd.DataFrame, over: Sequence[str], score: str) -> pd.DataFrame:
    """The papers' statistic: `score` averaged over the pictures for each network.

    Pearson correlations count by their size: a random network has no sign. The columns are `over`,
    network and `score`.
    """
    values = frame.assign(**{score: frame[score].abs() if score == "pearson" else frame[score]})
    return values.groupby([*over, "network"], sort=False, as_index=False)[score].mean()


def curve(axes: Axes, frame: pd.DataFrame, x: str, score: str, **style: Any) -> None:
    """Mean over networks against `x`, and a band of one standard deviation each way.

    SSIM has its null, the greater of those that were measured, as a dash-dotted line.
    """
    statistics = by_network(frame, [x], score).groupby(x)[score].agg(["mean", "std"])
    mean, std = statistics["mean"], statistics["std"].fillna(0)
    colour = band(axes, mean, mean - std, mean + std, marker="o", markersize=4, **style)
    nulls = [name for name in NULLS if name in frame]
    if score == "ssim" and nulls:
        means = frame.groupby(x)[nulls].mean().max(axis=1)
        axes.plot(means, "-.", color=colour, linewidth=1)
