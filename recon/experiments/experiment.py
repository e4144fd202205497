"""What an experiment is: a list of cells, each measured into rows by a pure function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

if TYPE_CHECKING:  # it imports Keras, which the readers of rows do without
    from rrstyle.networks.weight_files import CnnWeights

Scale = Literal["smoke", "laptop", "paper"]

# One piece of work, named by what goes into the key columns of its rows: {"channels": 64,
# "network": 3}. Cells do not depend on each other, so they may run anywhere and in any order.
Cell = dict[str, int | float | str]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Size of an experiment; a subclass adds what its own sweep goes over."""

    networks: int
    """Random networks for each point of the sweep; network n has seed S + n."""
    images: int
    """Pictures; the first is always the built-in cat."""
    side: int
    """Their height and width, in pixels."""


@dataclass(frozen=True)
class Pictures:
    """What is evaluated.

    Attributes:
        names: One a picture, for the rows.
        pixels: float32 (pictures, side, side, 3), RGB in [0, 1].
        encoders: Trained CNNs, at most one an architecture.
        classes: Names of the classes, for an experiment that asks for them.
        labels: int32 (pictures,), each picture's place in `classes`; None without them.
    """

    names: tuple[str, ...]
    pixels: np.ndarray
    encoders: "tuple[CnnWeights, ...]" = ()
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One figure or table of the papers, at three sizes.

    Attributes:
        name: As on the command line.
        title: One line: what is measured.
        reproduces: Figures, tables or theorems of the papers.
        printed: What the papers claim or print of it, in a sentence.
        cost: Measured time and machine of a scale.
        settings: Of each scale.
        columns: Of the rows, in order: those of the cell first.
        cells: All cells of the settings, in the order of the rows.
        rows: Number of rows of a cell.
        measure: Rows of a cell: (settings, cell, pictures, seed) -> rows. Depends on nothing else.
        draw: Figure of all rows, from the rows alone.
        show: Figure of pictures, made anew from (rows, settings, pictures, seed), if there is one.
        classes: Whether pictures come with their classes, as of `recon.data.pictures.load_classes`;
            the last `tested` ones of the settings are to test on.
        packages: That rows depend on to the bit, besides those of `recon.sweep.workers.computing`.
    """

    name: str
    title: str
    reproduces: str
    printed: str
    cost: Mapping[Scale, str]
    settings: Mapping[Scale, Any]
    columns: tuple[str, ...]
    cells: Callable[[Any], list[Cell]]
    rows: Callable[[Any, Cell], int]
    measure: Callable[[Any, Cell, Pictures, int], list[Row]]
    draw: Callable[[pd.DataFrame], Figure]
    show: Callable[[pd.DataFrame, Any, Pictures, int], Figure] | None = None
    classes: bool = False
    packages: tuple[str, ...] = ()
