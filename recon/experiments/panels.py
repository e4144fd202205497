"""Panels, and lines in them, of figures of more than one family."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def row_of_panels(size: tuple[float, float], count: int, **how: Any) -> tuple[Figure, Any]:
    """A figure of a size in inches, and its panels side by side, as `Figure.subplots` has them."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False, **how)[0]


def band(axes: Axes, middle: pd.Series, low: pd.Series, high: pd.Series, **style: Any) -> Any:
    """A line over its index, and a band of its colour from `low` to `high`; that colour."""
    (line,) = axes.plot(middle.index, middle, **style)
    colour = line.get_color()
    axes.fill_between(middle.index, low, high, color=colour, alpha=0.15, linewidth=0)
    return colour


def ranges(
    axes: Axes, groups: Any, places: Any = None, *, fmt: str = "o-", capsize: int = 3, **style: Any
) -> None:
    """Mean and range of groups of values: at their keys, or at `places`."""
    mean = groups.mean()
    spread = [mean - groups.min(), groups.max() - mean]
    places = mean.index if places is None else places
    axes.errorbar(places, mean, spread, fmt=fmt, capsize=capsize, **style)


def shares(axes: Axes, values: pd.Series, **style: Any) -> None:
    """Histogram of the share of the values in each bin."""
    axes.hist(values, weights=np.full(len(values), 1 / len(values)), **style)
