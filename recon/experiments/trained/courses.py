"""Loss of a DCN during its training, Conv2-DeConv2: Fig. 2.

    rrstyle evaluate convergence --images DIR --encoder vgg16.npz alexnet.npz
    rrstyle evaluate init-std --images DIR
    rrstyle evaluate init-law --images DIR

(a) on random and on trained CNNs, those that are given; (b) on random VGG16 of several Gaussians:
the papers' deviations are 0.015, 0.1 and 1 (003, section 2.3), 0.005 is ours; (c) on random VGG16
of the four laws, at the papers' parameters, and so of different deviations (see `laws`).
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import band, row_of_panels
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.trained import trainings


@dataclass(frozen=True, kw_only=True)
class Convergence(trainings.AgainstTrained):
    architectures: tuple[str, ...] = ("vgg16", "alexnet")  # what is compared


@dataclass(frozen=True, kw_only=True)
class InitStd(trainings.TrainingSettings):
    stds: tuple[float, ...] = (0.005, trainings.STD, 0.1, 1.0)  # of the Gaussian weights


class CourseSweep(trainings.TrainedSweep):
    """A sweep that follows the loss of each training."""

    def rows(self, settings: Any, cell: Cell) -> int:
        """One a step of `row_steps`."""
        return len(trainings.row_steps(settings))

    def measure(self, settings: Any, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        """The course of a cell's training."""
        training = self.training(settings, cell, pictures, seed)
        weights: Row = {"weights": training.weights} if "encoder" in cell else {}
        courses = training.run(rows=trainings.row_steps(settings))
        return [{**cell, **weights, **row} for row in courses]

    def panel(self, axes: Axes, courses: dict[str, pd.DataFrame], title: str) -> None:
        """Loss held out of each course: mean over networks, and a band; in training, dotted."""
        for label, frame in courses.items():
            by_step = frame.groupby("step")
            found = by_step["validation_mse"].agg(["mean", "min", "max"])
            colour = band(axes, found["mean"], found["min"], found["max"], label=label)
            axes.plot(by_step["training_mse"].mean(), color=colour, linestyle=":", linewidth=1)
        place = f"Conv{self.block}-DeConv{self.block}"
        axes.set(yscale="log", xlabel="steps", title=title.format(place))
        axes.legend()


class ConvergenceExperiment(CourseSweep):
    name = "convergence"
    title = "Loss of a DCN during its training, on random and trained VGG16 and AlexNet, Conv2"
    reproduces = "Fig. 2 (a)"
    printed = (
        "Training converges much quicker on a random CNN and to a slightly lower loss, the more"
        " so on VGG; VGG has a much lower loss than AlexNet."
    )
    settings = {
        "smoke": Convergence(**trainings.SMOKE),
        "laptop": Convergence(**trainings.LARGE | {"steps": 2000, "measured": 32}),
        "paper": Convergence(**trainings.PAPER),
    }
    columns = ("architecture", "encoder", "network", "weights", *trainings.COURSE_COLUMNS)

    def cells(self, settings: Convergence) -> list[Cell]:
        return [
            {"architecture": architecture, "encoder": kind, "network": network}
            for architecture in settings.architectures
            for kind in settings.kinds(architecture)
            for network in range(settings.networks)
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        groups = list(frame.groupby("architecture", sort=False))
        figure, axes = row_of_panels((5 * len(groups), 4.2), len(groups), sharey=True)
        for ax, (architecture, part) in zip(axes, groups, strict=True):
            kinds = part.groupby("encoder", sort=False)
            courses = {trainings.of_encoder(kind, found["weights"]): found for kind, found in kinds}
            self.panel(ax, courses, f"{trainings.TITLES[architecture]}, {{}}")
        axes[0].set_ylabel("mean squared error (dotted: in training)")
        figure.suptitle("Loss held out, mean and range over networks, by the CNN's weights")
        return figure


class InitSweep(CourseSweep):
    """Random VGG16s by their weights."""

    varied: str  # what their weights differ in, for the title
    label: str  # of each in the legend, from the values of the first columns

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(6.5, 4.2), layout="constrained")
        axes = figure.subplots()
        keys = list(self.columns[: self.columns.index("network")])
        groups = frame.groupby(keys, sort=False)
        courses = {self.label.format(*values): part for values, part in groups}
        self.panel(axes, courses, f"Random VGG16, {{}}, by the {self.varied} of its weights")
        axes.set_ylabel("mean squared error held out\n(dotted: in training)")
        return figure


class InitStdExperiment(InitSweep):
    name = "init-std"
    title = "Loss of a DCN during its training, on random VGG16 of four Gaussians, Conv2"
    reproduces = "Fig. 2 (b)"
    printed = (
        "The Gaussian affects the initial loss, but the loss converges to the same magnitude;"
        " N(0, 1) does not converge to a low value."
    )
    settings = {
        "smoke": InitStd(**trainings.SMOKE, stds=(trainings.STD, 1.0)),
        "laptop": InitStd(**trainings.LAPTOP),
        "paper": InitStd(**trainings.PAPER),
    }
    columns = ("std", "network", *trainings.COURSE_COLUMNS)
    varied, label = "Gaussian", "N(0, {:g})"

    def cells(self, settings: InitStd) -> list[Cell]:
        return grid(std=settings.stds, network=range(settings.networks))


class InitLawExperiment(InitSweep):
    name = "init-law"
    title = "Loss of a DCN during its training, on random VGG16 of four laws, Conv2"
    reproduces = "Fig. 2 (c)"
    printed = "The four laws with appropriate parameters acquire similar loss."
    settings = {
        "smoke": trainings.TrainingSettings(**trainings.SMOKE),
        "laptop": trainings.TrainingSettings(**trainings.LAPTOP),
        "paper": trainings.TrainingSettings(**trainings.PAPER),
    }
    columns = ("law", "std", "network", *trainings.COURSE_COLUMNS)
    varied, label = "law", "{}, std {:.4f}"

    def cells(self, settings: trainings.TrainingSettings) -> list[Cell]:
        return [
            {"law": law, "std": round(std, 6), "network": network}
            for law, std in PAPER_STDS.items()
            for network in range(settings.networks)
        ]


CONVERGENCE, INIT_STD, INIT_LAW = ConvergenceExperiment(), InitStdExperiment(), InitLawExperiment()
