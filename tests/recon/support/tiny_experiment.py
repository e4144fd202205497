"""Experiments for tests of the runner, by "tests.recon.support.tiny_experiment:NAME".

TINY needs no backend; CONVOLUTION sums in float32, so that its rows depend on threads. The others
fail at their fourth cell.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.sweep.workers import Job


@dataclass(frozen=True, kw_only=True)
class TinySettings(Settings):
    cells: int = 8
    pause: float = 0.0
    """Seconds that the first cell takes; the others take none."""


class LightJob(Job):
    """A job whose workers load no backend."""

    def prepare(self) -> None:
        pass


class Tiny(Experiment):
    """The experiment, with other smoke settings if they are given."""

    name = "tiny"
    title = "A tiny one"
    reproduces = "Fig. 0"
    printed = "Nothing."
    columns = ("number", "kind", "image", "score")

    def __init__(self, **smoke: Any) -> None:
        self.settings = {
            "smoke": TinySettings(**{"networks": 1, "images": 2, "side": 8} | smoke),
            "laptop": TinySettings(networks=1, images=9, side=8, cells=4),
        }

    def cells(self, settings: TinySettings) -> list[Cell]:
        return [
            {"number": n, "kind": "odd, or not" if n % 2 else "even"} for n in range(settings.cells)
        ]

    def rows(self, settings: TinySettings, cell: Cell) -> int:
        return settings.images * (1 + int(cell["number"]) % 3)

    def measure(
        self, settings: TinySettings, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        number = int(cell["number"])
        time.sleep(0 if number else settings.pause)
        rng = np.random.default_rng([seed, number])
        return [
            {**cell, "image": name, "score": float("nan") if number == 2 else float(score)}
            for _ in range(1 + number % 3)
            for name, score in zip(
                pictures.names,
                pictures.pixels.mean(axis=(1, 2, 3), dtype=np.float64) + rng.normal(),
                strict=True,
            )
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot(frame["number"], frame["score"], "o")
        return figure

    def show(self, frame: pd.DataFrame, settings: TinySettings, pictures: Pictures, seed: int):
        figure = Figure(figsize=(1, 1))
        figure.subplots().imshow(pictures.pixels[0])
        return figure


class Convolution(Tiny):
    def measure(
        self, settings: TinySettings, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        from keras import ops

        rng = np.random.default_rng([seed, int(cell["number"])])
        kernel = rng.normal(size=(3, 3, 3, 64)).astype(np.float32)
        maps = ops.conv(ops.convert_to_tensor(pictures.pixels), kernel, padding="same")
        second = rng.normal(size=(3, 3, 64, 16)).astype(np.float32)
        maps = ops.conv(ops.relu(maps), second, padding="same")
        # Digits of the sum beyond those of a row: what threads change is to be seen in it.
        sums = ops.convert_to_numpy(ops.sum(maps, axis=(1, 2, 3))).view(np.int32) % 4096
        names = pictures.names * (1 + int(cell["number"]) % 3)
        return [
            {**cell, "image": name, "score": float(sums[i % len(sums)])}
            for i, name in enumerate(names)
        ]


class Failing(Tiny):
    """Fails at its fourth cell, by calling a function."""

    def __init__(self, fail: Callable[[], None]) -> None:
        super().__init__()
        self._fail = fail

    def measure(
        self, settings: TinySettings, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        if cell["number"] == 3:
            self._fail()
        return super().measure(settings, cell, pictures, seed)


def _refuse() -> None:
    raise ValueError("cells must not be the fourth")


def _stumble() -> None:
    raise KeyError("a bug")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


TINY = Tiny()
LATE_FIRST = Tiny(cells=9, pause=0.5)
SLOW = Tiny(images=1, cells=3, pause=60)
CONVOLUTION = Convolution(side=96)
REFUSING, STUMBLING, DYING = Failing(_refuse), Failing(_stumble), Failing(_die)
