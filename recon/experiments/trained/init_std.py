"""Loss of a DCN during its training, on random VGG16 of several Gaussians: Conv2-DeConv2.

    rrstyle evaluate init-std --images DIR

The papers' deviations are 0.015, 0.1 and 1 (003, section 2.3); 0.005 is ours: a smaller one still.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    LAPTOP,
    PAPER,
    SMOKE,
    STD,
    CourseSweep,
    TrainingSettings,
    draw_course,
    label_course,
)


@dataclass(frozen=True, kw_only=True)
class InitStd(TrainingSettings):
    stds: tuple[float, ...] = (0.005, STD, 0.1, 1.0)
    """True standard deviations of the Gaussian weights."""


class InitStdExperiment(CourseSweep):
    name = "init-std"
    title = "Loss of a DCN during its training, on random VGG16 of four Gaussians, Conv2"
    reproduces = "Fig. 2 (b)"
    printed = (
        "The Gaussian affects the initial loss, but the loss converges to the same magnitude;"
        " N(0, 1) does not converge to a low value."
    )
    cost = {
        "smoke": "15 s",
        "laptop": "3 min on 2 cores",
        "paper": "not measured",
    }
    settings = {
        "smoke": InitStd(**SMOKE, stds=(STD, 1.0)),
        "laptop": InitStd(**LAPTOP),
        "paper": InitStd(**PAPER),
    }
    columns = ("std", "network", *COURSE_COLUMNS)

    def cells(self, settings: InitStd) -> list[Cell]:
        return [
            {"std": std, "network": network}
            for std in settings.stds
            for network in range(settings.networks)
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(6.5, 4.2), layout="constrained")
        axes = figure.subplots()
        for std, part in frame.groupby("std"):
            draw_course(axes, part, label=f"N(0, {std:g})")
        label_course(
            axes,
            f"Random VGG16, Conv{self.block}-DeConv{self.block}, by the Gaussian of its weights",
        )
        axes.set_ylabel("mean squared error held out\n(dotted: in training)")
        return figure


EXPERIMENT = InitStdExperiment()
