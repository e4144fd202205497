"""What the experiments on random networks share: their cells, their rows and their curves."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.sweep import simulation
from rrstyle.networks.plan import Plan, UpsampleKind

STD = 0.1  # of the papers' rrVGG, all laws being one to a network of ReLUs (see `laws`)
UPSAMPLINGS: tuple[UpsampleKind, ...] = ("zero", "nearest")
SCORE_COLUMNS = ("group", "network", "head", "image", "ssim", "pearson")


def upsampling(cell: Cell) -> UpsampleKind:
    """The kind of upsampling of a cell; either where its plan has none."""
    return "nearest" if cell["upsampling"] == "nearest" else "zero"


class RandomSweep(Experiment):
    """A sweep over plans of random networks, scored by both heads on all pictures.

    Networks of a plan are evaluated in groups, as many at once as fit into memory; a group is a
    cell. Network n has seed S + n.

    Attributes:
        chroma: Whether rows have the correlation of colours, too.
    """

    chroma = False

    @abstractmethod
    def points(self, settings: Any) -> list[Cell]:
        """What the sweep goes over."""

    @abstractmethod
    def plan(self, cell: Cell) -> Plan:
        """The networks of a point."""

    def law(self, cell: Cell) -> dict[str, Any]:
        """The law of a point, and its true standard deviation."""
        return {"law": "gaussian", "std": STD}

    def cells(self, settings: Any) -> list[Cell]:
        """Each point, by groups of networks."""
        return [
            {**point, "group": group}
            for point in self.points(settings)
            for group in range(len(_groups(self.plan(point), settings)))
        ]

    def rows(self, settings: Any, cell: Cell) -> int:
        """Both heads of the group's networks, on all pictures."""
        return len(self.networks(settings, cell)) * len(simulation.HEADS) * settings.images

    def networks(self, settings: Any, cell: Cell) -> range:
        """The numbers of a group's networks."""
        return _groups(self.plan(cell), settings)[int(cell["group"])]

    def drawn(self, settings: Any, cell: Cell, seed: int) -> dict[int, simulation.Kernels]:
        """The kernels of a group's networks, by their numbers."""
        plan, law = self.plan(cell), self.law(cell)
        return {
            n: simulation.draw_kernels(plan, seed=seed + n, **law)
            for n in self.networks(settings, cell)
        }

    def measure(self, settings: Any, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        """Scores of a group's networks."""
        kernels = self.drawn(settings, cell, seed)
        (scores,) = simulation.score([self.plan(cell)], list(kernels.values()), pictures.pixels)
        return rows_of(cell, dict(zip(kernels, scores, strict=True)), pictures, chroma=self.chroma)


def rows_of(
    cell: Cell,
    scores: Mapping[int, Mapping[str, Any]],
    pictures: Pictures,
    *,
    chroma: bool = False,
) -> list[Row]:
    """Rows of a cell from the scores of its networks, by their numbers."""
    rows = []
    for network, found in scores.items():
        for head in simulation.HEADS:
            for i, name in enumerate(pictures.names):
                row: Row = {**cell, "network": network, "head": head, "image": name}
                row |= {score: float(found[f"{score} {head}"][i]) for score in ("ssim", "pearson")}
                if chroma:
                    row["chroma"] = float(found["chroma"][i]) if head == "linear" else float("nan")
                rows.append(row)
    return rows


def _groups(plan: Plan, settings: Settings) -> list[range]:
    return simulation.groups(plan, settings.networks, images=settings.images, side=settings.side)


def by_network(frame: pd.DataFrame, over: Sequence[str], score: str) -> pd.DataFrame:
    """The papers' statistic: `score` averaged over the pictures for each network.

    Pearson correlations count by their size: a random network has no sign.

    Returns:
        Columns `over`, network and `score`.
    """
    values = frame.assign(**{score: frame[score].abs() if score == "pearson" else frame[score]})
    return values.groupby([*over, "network"], sort=False, as_index=False)[score].mean()


def curve(axes: Axes, frame: pd.DataFrame, x: str, score: str, **style: Any) -> None:
    """Mean over networks against `x`, and a band of one standard deviation each way."""
    statistics = by_network(frame, [x], score).groupby(x)[score].agg(["mean", "std"])
    (line,) = axes.plot(statistics.index, statistics["mean"], marker="o", markersize=4, **style)
    deviation = statistics["std"].fillna(0)
    axes.fill_between(
        statistics.index,
        statistics["mean"] - deviation,
        statistics["mean"] + deviation,
        color=line.get_color(),
        alpha=0.15,
        linewidth=0,
    )
