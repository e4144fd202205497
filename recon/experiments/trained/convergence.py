"""Loss of a DCN during its training, on random and on trained CNNs: Conv2-DeConv2.

    rrstyle evaluate convergence --images DIR --encoder vgg16.npz alexnet.npz

Trained CNNs are those that are given; without any, only random ones are measured.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    PAPER,
    SMOKE,
    TITLES,
    AgainstTrained,
    CourseSweep,
    draw_course,
    label_course,
    of_encoder,
)


@dataclass(frozen=True, kw_only=True)
class Convergence(AgainstTrained):
    architectures: tuple[str, ...] = ("vgg16", "alexnet")
    """What is compared."""


class ConvergenceExperiment(CourseSweep):
    name = "convergence"
    title = "Loss of a DCN during its training, on random and trained VGG16 and AlexNet, Conv2"
    reproduces = "Fig. 2 (a)"
    printed = (
        "Training converges much quicker on a random CNN and to a slightly lower loss, the more"
        " so on VGG; VGG has a much lower loss than AlexNet."
    )
    cost = {"smoke": "15 s", "paper": "not measured"}
    cost |= {"laptop": "80 processor minutes, 40 min on 2 free cores"}
    settings = {
        "smoke": Convergence(**SMOKE),
        "laptop": Convergence(
            networks=3, images=200, side=96, crop=64, batch=4, steps=2000, measured=32
        ),
        "paper": Convergence(**PAPER),
    }
    columns = ("architecture", "encoder", "network", "weights", *COURSE_COLUMNS)

    def cells(self, settings: Convergence) -> list[Cell]:
        return [
            {"architecture": architecture, "encoder": kind, "network": network}
            for architecture in settings.architectures
            for kind in settings.kinds(architecture)
            for network in range(settings.networks)
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        architectures = frame["architecture"].unique()
        figure = Figure(figsize=(5 * len(architectures), 4.2), layout="constrained")
        axes = figure.subplots(1, len(architectures), squeeze=False, sharey=True)[0]
        for ax, architecture in zip(axes, architectures, strict=True):
            of_architecture = frame[frame["architecture"] == architecture]
            for kind, part in of_architecture.groupby("encoder", sort=False):
                draw_course(ax, part, label=of_encoder(kind, part["weights"]))
            label_course(ax, f"{TITLES[architecture]}, Conv{self.block}-DeConv{self.block}")
        axes[0].set_ylabel("mean squared error (dotted: in training)")
        figure.suptitle("Loss held out, mean and range over networks, by the CNN's weights")
        return figure


EXPERIMENT = ConvergenceExperiment()
