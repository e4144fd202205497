"""Loss of a DCN during its training, on random VGG16 of the four laws: Conv2-DeConv2.

    rrstyle evaluate init-law --images DIR

The laws have the papers' parameters, and so different true deviations (see `laws`).
"""

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    Training,
    TrainingSettings,
    course,
    draw_course,
    label_course,
    plan,
    row_steps,
)

BLOCK = 2


def _cells(settings: TrainingSettings) -> list[Cell]:
    return [
        {"law": law, "std": round(std, 6), "network": network}
        for law, std in PAPER_STDS.items()
        for network in range(settings.networks)
    ]


def _measure(settings: TrainingSettings, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
    network = plan(settings, "vgg16", BLOCK, law=cell["law"], std=float(cell["std"]))
    training = Training(settings, network, pictures, number=int(cell["network"]), seed=seed)
    return course(settings, cell, training)


def _draw(frame: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for (law, std), part in frame.groupby(["law", "std"], sort=False):
        draw_course(axes, part, label=f"{law}, std {std:.4f}")
    label_course(axes, f"Random VGG16, Conv{BLOCK}-DeConv{BLOCK}, by the law of its weights")
    axes.set_ylabel("mean squared error held out\n(dotted: in training)")
    return figure


EXPERIMENT = Experiment(
    name="init-law",
    title="Loss of a DCN during its training, on random VGG16 of four laws, Conv2",
    reproduces="Fig. 2 (c)",
    printed="The four laws with appropriate parameters acquire similar loss.",
    cost={
        "smoke": "15 s",
        "laptop": "3 min on 2 cores",
        "paper": "not measured",
    },
    settings={
        "smoke": TrainingSettings(
            networks=1, images=4, side=40, crop=32, batch=2, steps=12, measured=2, channels=8
        ),
        "laptop": TrainingSettings(
            networks=3, images=200, side=72, crop=48, batch=8, steps=100, measured=16
        ),
        "paper": TrainingSettings(
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
    columns=("law", "std", "network", *COURSE_COLUMNS),
    cells=_cells,
    rows=lambda settings, cell: len(row_steps(settings)),
    measure=_measure,
    draw=_draw,
)
