"""Loss of trained DCNs on pictures they were trained on and on others: Conv1 to Conv5.

    rrstyle evaluate generalisation --images DIR --encoder vgg16.npz alexnet.npz

Both losses are taken on the same squares, after half, three quarters and all of the steps. Networks
of even and of odd number have the pictures' halves exchanged, so each picture is measured in both
roles: how hard it is cancels. At the papers' scale these halves are of 5,000 pictures of a folder,
which is trained on but for the half held out: DIR is then ImageNet's training set.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, rows_of
from recon.experiments.panels import row_of_panels
from recon.experiments.trained import trainings


@dataclass(frozen=True, kw_only=True)
class Generalisation(trainings.AgainstTrained):
    vgg16_blocks: tuple[int, ...] = (1, 2, 3, 4, 5)  # the k of Conv k
    alexnet_blocks: tuple[int, ...] = (3,)

    def blocks(self, architecture: str) -> tuple[int, ...]:
        """Of an architecture."""
        return self.vgg16_blocks if architecture == "vgg16" else self.alexnet_blocks


def _steps(settings: Generalisation) -> list[int]:
    return sorted({-(-settings.steps * part // 4) for part in (2, 3, 4)})


class GeneralisationExperiment(trainings.TrainedSweep):
    name = "generalisation"
    title = (
        "Final loss of trained DCNs on training and other pictures, VGG16 Conv1 to Conv5,"
        " AlexNet Conv3"
    )
    reproduces = "Fig. 3"
    printed = (
        "Training and validation loss are alike; loss increases significantly with depth for"
        " pre-trained VGG, slowly for random VGG; on AlexNet the two hardly differ."
    )
    settings = {
        "smoke": Generalisation(
            **trainings.SMOKE | {"networks": 2, "steps": 8}, vgg16_blocks=(1, 2)
        ),
        # At the preset's rate, one DCN of Conv4 in six diverged.
        "laptop": Generalisation(
            **trainings.LARGE | {"steps": 1000, "measured": 60}, learning_rate=5e-4
        ),
        "paper": Generalisation(**trainings.PAPER | {"networks": 2}),
    }
    columns = (
        *("architecture", "block", "encoder", "network"),
        *("weights", "step", "set", "image", "mse"),
    )

    def cells(self, settings: Generalisation) -> list[Cell]:
        return [
            {"architecture": architecture, "block": block, "encoder": kind, "network": network}
            for architecture in trainings.TITLES
            for block in settings.blocks(architecture)
            for kind in settings.kinds(architecture)
            for network in range(settings.networks)
        ]

    def rows(self, settings: Generalisation, cell: Cell) -> int:
        halves = settings.images // 2, (settings.images + 1) // 2
        return len(_steps(settings)) * sum(min(half, settings.measured) for half in halves)

    def measure(
        self, settings: Generalisation, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        training = self.training(settings, cell, pictures, seed)
        held_out, trained_on = trainings.half_of(len(pictures.names), cell["network"])
        rows: list[Row] = []

        def measured(step: int) -> None:
            for name, half, pixels in (
                ("training", trained_on, training.training),
                ("validation", held_out, training.held_out),
            ):
                errors = training.errors(training.middle(pixels))
                key = {**cell, "weights": training.weights, "step": step, "set": name}
                rows.extend(rows_of(key, pictures.names[half][: len(errors)], mse=errors))

        training.run(rows=_steps(settings), each=measured)
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        frame = frame[frame["step"] == frame["step"].max()]
        groups = list(frame.groupby("architecture", sort=False))
        widths = [part["block"].nunique() + 0.5 for _, part in groups]
        size = 2.5 + 1.4 * (sum(widths) - 0.5 * len(widths)), 4.2
        figure, axes = row_of_panels(size, len(groups), sharey=True, width_ratios=widths)
        handles = {}
        for ax, (architecture, of_architecture) in zip(axes, groups, strict=True):
            levels = sorted(of_architecture["block"].unique())
            series = list(of_architecture.groupby(["encoder", "set"], sort=False))
            width = 0.7 / len(series)
            for i, ((kind, name), part) in enumerate(series):
                losses = part.groupby(["block", "network"])["mse"].mean()
                aside = (i - (len(series) - 1) / 2) * width
                colour = "C0" if kind == "random" else "C1"
                label = f"{trainings.of_encoder(kind, part['weights'])}, {name}"
                handles[label] = ax.scatter(
                    [levels.index(block) + aside for block, _ in losses.index],
                    losses,
                    s=22,
                    color=colour,
                    facecolors=colour if name == "training" else "none",
                    label=label,
                )
                middle = np.exp(np.log(losses).groupby("block").mean())
                places = np.arange(len(levels)) + aside
                ax.hlines(middle, places - width / 2, places + width / 2, color=colour)
            ax.set_xticks(range(len(levels)), [f"Conv{block}" for block in levels])
            ax.set(title=trainings.TITLES[architecture], yscale="log")
            ax.grid(visible=False, axis="x")
        axes[0].set_ylabel("mean squared error")
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
        figure.suptitle("Final loss by the CNN's weights: networks, and their geometric mean")
        return figure


EXPERIMENT = GeneralisationExperiment()
