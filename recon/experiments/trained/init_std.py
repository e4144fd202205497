"""Loss of a DCN during its training, on random VGG16 of several Gaussians: Conv2-DeConv2.

    rrstyle evaluate init-std --images DIR

The papers' deviations are 0.015, 0.1 and 1 (003, section 2.3); 0.005 is ours: a smaller one still.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    STD,
    Training,
    TrainingSettings,
    course,
    draw_course,
    label_course,
    plan,
    row_steps,
)

BLOCK = 2


@dataclass(frozen=True, kw_only=True)
class InitStd(TrainingSettings):
    stds: tuple[float, ...] = (0.005, STD, 0.1, 1.0)
    """True standard deviations of the Gaussian weights."""


def _cells(settings: InitStd) -> list[Cell]:
    return [
        {"std": std, "network": network}
        for std in settings.stds
        for network in range(settings.networks)
    ]


def _measure(settings: InitStd, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
    network = plan(settings, "vgg16", BLOCK, std=float(cell["std"]))
    training = Training(settings, network, pictures, number=int(cell["network"]), seed=seed)
    return course(settings, cell, training)


def _draw(frame: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for std, part in frame.groupby("std"):
        draw_course(axes, part, label=f"N(0, {std:g})")
    label_course(axes, f"Random VGG16, Conv{BLOCK}-DeConv{BLOCK}, by the Gaussian of its weights")
    axes.set_ylabel("mean squared error held out\n(dotted: in training)")
    return figure


EXPERIMENT = Experiment(
    name="init-std",
    title="Loss of a DCN during its training, on random VGG16 of four Gaussians, Conv2",
    reproduces="Fig. 2 (b)",
    printed="The Gaussian affects the initial loss, but the loss converges to the same magnitude;"
    " N(0, 1) does not converge to a low value.",
    cost={
        "smoke": "15 s",
        "laptop": "3 min on 2 cores",
        "paper": "not measured",
    },
    settings={
        "smoke": InitStd(
            networks=1,
            images=4,
            side=40,
            crop=32,
            batch=2,
            steps=12,
            measured=2,
            channels=8,
            stds=(STD, 1.0),
        ),
        "laptop": InitStd(
            networks=3, images=200, side=72, crop=48, batch=8, steps=100, measured=16
        ),
        "paper": InitStd(
            networks=3,
            images=10_000,
            side=256,
            crop=227,
            batch=32,
            steps=200_000,
            measured=5000,
            preset="paper",
        ),
    },
    columns=("std", "network", *COURSE_COLUMNS),
    cells=_cells,
    rows=lambda settings, cell: len(row_steps(settings)),
    measure=_measure,
    draw=_draw,
)
