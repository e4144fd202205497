"""What an experiment is: a list of cells, each measured into rows that depend on it alone."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

if TYPE_CHECKING:  # the readers of rows do without Keras and Pillow, which these import
    from recon.data.index import ImageIndex
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
    """A row for each image: `key`, its name, and its value of each score, an array (images,)."""
    arrays = {name: np.asarray(values) for name, values in scores.items()}
    return [
        {**key, "image": image, **{name: float(array[i]) for name, array in arrays.items()}}
        for i, image in enumerate(images)
    ]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Size of an experiment; a subclass adds what its own sweep goes over."""

    networks: int  # random networks for each point of the sweep; network n has seed S + n
    images: int  # pictures; the first is always the built-in cat
    side: int  # their height and width, in pixels


@dataclass(frozen=True)
class Pictures:
    """What is evaluated."""

    names: tuple[str, ...]  # one a picture, for the rows
    pixels: np.ndarray  # float32 (pictures, side, side, 3), RGB in [0, 1]
    encoders: "tuple[CnnWeights, ...]" = ()  # trained CNNs, at most one an architecture
    classes: tuple[str, ...] = ()  # their names, for an experiment that asks for them
    labels: np.ndarray | None = None  # int32 (pictures,), places in `classes`; None without them
    index: "ImageIndex | None" = None  # all of the folder, where trainings stream it
    files: tuple[str, ...] = ()  # with an index, the name in it of each picture

    def encoder(self, architecture: str) -> "CnnWeights":
        """The trained CNN of an architecture."""
        return next(e for e in self.encoders if e.architecture == architecture)


class Experiment(ABC):
    """A figure or table of the papers at three scales: a subclass, of its family's base if any."""

    name: str  # on the command line
    title: str  # one line: what is measured
    reproduces: str  # figures, tables or theorems of the papers
    printed: str  # claim or printed figures of the papers, in a sentence
    settings: Mapping[Scale, Any]  # each of a subclass of `Settings`
    columns: tuple[str, ...]  # of the rows, in order: those of the cell first
    classes = False  # whether pictures come by `load_classes`; the last `tested` are to test on
    packages: tuple[str, ...] = ()  # that rows depend on besides those of `workers.computing`
    # Draws a figure of pictures anew, from (rows, settings, pictures, seed).
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
