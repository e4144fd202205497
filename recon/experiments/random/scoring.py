"""What the experiments on random networks share: their cells, their rows and their curves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from recon.experiments.experiment import Cell, Pictures, Row, Settings
from recon.sweep import simulation
from rrstyle.networks.plan import Plan, UpsampleKind

STD = 0.1  # of the papers' rrVGG, all laws being one to a network of ReLUs (see `laws`)
UPSAMPLINGS: tuple[UpsampleKind, ...] = ("zero", "nearest")
SCORE_COLUMNS = ("group", "network", "head", "image", "ssim", "pearson")


def upsampling(cell: Cell) -> UpsampleKind:
    """The kind of upsampling of a cell; either where its plan has none."""
    return "nearest" if cell["upsampling"] == "nearest" else "zero"


def grouped(points: Sequence[Cell], plan: Callable[[Cell], Plan], settings: Settings) -> list[Cell]:
    """The cells of a sweep: each point, by groups of networks that are evaluated together."""
    cells = []
    for point in points:
        count = len(_groups(plan(point), settings))
        cells += [{**point, "group": group} for group in range(count)]
    return cells


def draw_group(
    cell: Cell,
    plan: Plan,
    settings: Settings,
    seed: int,
    *,
    law: str = "gaussian",
    std: float = STD,
) -> dict[int, simulation.Kernels]:
    """The networks of a cell's group, by their numbers; number n has seed S + n."""
    return {
        n: simulation.draw_kernels(plan, law=law, std=std, seed=seed + n)
        for n in networks(cell, plan, settings)
    }


def score_rows(
    cell: Cell,
    plan: Plan,
    kernels: Mapping[int, simulation.Kernels],
    pictures: Pictures,
    *,
    chroma: bool = False,
) -> list[Row]:
    """Rows of a cell: its networks, both heads, all pictures."""
    (scores,) = simulation.score([plan], list(kernels.values()), pictures.pixels)
    return rows_of(cell, dict(zip(kernels, scores, strict=True)), pictures, chroma=chroma)


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


def row_count(cell: Cell, plan: Plan, settings: Settings) -> int:
    """Number of `score_rows`."""
    return len(networks(cell, plan, settings)) * len(simulation.HEADS) * settings.images


def networks(cell: Cell, plan: Plan, settings: Settings) -> range:
    """The networks of a cell's group."""
    return _groups(plan, settings)[int(cell["group"])]


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
