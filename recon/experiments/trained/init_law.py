"""Loss of a DCN during its training, on random VGG16 of the four laws: Conv2-DeConv2.

    rrstyle evaluate init-law --images DIR

The laws have the papers' parameters, and so different true deviations (see `laws`).
"""

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    LAPTOP,
    PAPER,
    SMOKE,
    CourseSweep,
    TrainingSettings,
    draw_course,
    label_course,
)


class InitLawExperiment(CourseSweep):
    name = "init-law"
    title = "Loss of a DCN during its training, on random VGG16 of four laws, Conv2"
    reproduces = "Fig. 2 (c)"
    printed = "The four laws with appropriate parameters acquire similar loss."
    cost = {
        "smoke": "15 s",
        "laptop": "3 min on 2 cores",
        "paper": "not measured",
    }
    settings = {
        "smoke": TrainingSettings(**SMOKE),
        "laptop": TrainingSettings(**LAPTOP),
        "paper": TrainingSettings(**PAPER),
    }
    columns = ("law", "std", "network", *COURSE_COLUMNS)

    def cells(self, settings: TrainingSettings) -> list[Cell]:
        return [
            {"law": law, "std": round(std, 6), "network": network}
            for law, std in PAPER_STDS.items()
            for network in range(settings.networks)
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(6.5, 4.2), layout="constrained")
        axes = figure.subplots()
        for (law, std), part in frame.groupby(["law", "std"], sort=False):
            draw_course(axes, part, label=f"{law}, std {std:.4f}")
        label_course(
            axes, f"Random VGG16, Conv{self.block}-DeConv{self.block}, by the law of its weights"
        )
        axes.set_ylabel("mean squared error held out\n(dotted: in training)")
        return figure


EXPERIMENT = InitLawExperiment()
