"""What an experiment is: a list of cells, each measured into rows that depend on it alone."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

if TYPE_CHECKING:  # it imports Keras, which the readers of rows do without
    from rrstyle.networks.weight_files import CnnWeights

Scale = Literal["smoke", "laptop", "paper"]
Row = dict[str, Any]
# One piece of work, named by the key columns of its rows: {"channels": 64, "network": 3}. Cells do
# not depend on each other, so they may run anywhere and in any order.
Cell = dict[str, Any]


def grid(**levels: Iterable[Any]) -> list[Cell]:
    """Cells of all combinations of levels, the last one varying fastest."""
    combinations = itertools.product(*levels.values())
    return [dict(zip(levels, values, strict=True)) for values in combinations]


def rows_of(key: Row, images: Iterable[str], **scores: Any) -> list[Row]:
    """A row of `key` for each image, with its own of each of the scores, which are arrays."""
    arrays = {name: np.asarray(values) for name, values in scores.items()}
    return [
        {**key, "image": image, **{name: float(array[i]) for name, array in arrays.items()}}
        for i, image in enumerate(images)
    ]


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

    def encoder(self, architecture: str) -> "CnnWeights":
        """The trained CNN of an architecture."""
        return next(e for e in self.encoders if e.architecture == architecture)


class Experiment(ABC):
    """One figure or table of the papers, at three sizes; each is a subclass, its families between.

    Attributes:
        name: Name on the command line.
        title: One line: what is measured.
        reproduces: Figures, tables or theorems of the papers.
        printed: Claim or printed figures of the papers, in a sentence.
        cost: Measured time and machine of each scale.
        settings: Settings of each scale, of a subclass of `Settings`.
        columns: Columns of the rows, in order: those of the cell first.
        classes: Whether pictures come with their classes, see `recon.data.pictures.load_classes`;
            the last `tested` ones of the settings are to test on.
        packages: Packages that rows depend on to the bit, besides those of
            `recon.sweep.workers.computing`.
        show: Draws a figure of pictures anew, from (rows, settings, pictures, seed); None for none.
    """

    name: str
    title: str
    reproduces: str
    printed: str
    cost: Mapping[Scale, str]
    settings: Mapping[Scale, Any]
    columns: tuple[str, ...]
    classes = False
    packages: tuple[str, ...] = ()
    show: Callable[[pd.DataFrame, Any, Pictures, int], Figure] | None = None

    @abstractmethod
    def cells(self, settings: Any) -> list[Cell]:
        """All cells, in the order of the rows."""

    @abstractmethod
    def rows(self, settings: Any, cell: Cell) -> int:
        """Number of rows of a cell."""

    @abstractmethod
    def measure(self, settings: Any, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        """Rows of a cell; they depend on the arguments alone."""

    @abstractmethod
    def draw(self, frame: pd.DataFrame) -> Figure:
        """Figure of all rows, from the rows alone."""
