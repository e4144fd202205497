"""Random, solved and trained DCN on the same random features: loss against compute.

    rrstyle evaluate readout-training --images DIR

All three begin as the DCN that training begins from, of He's law, on one random VGG16:

- `random`: it stays so. Its output has neither scale nor sign, so that each picture and channel
  gets the affine map of it that is best for that picture: a bound in its favour.
- `ridge`: its last layer is solved on the training pictures (`rrstyle.networks.readout`).
- `trained`: all its layers are trained.

Losses are of pictures held out. Compute counts multiplications and additions of what each has cost
before, and of giving back one picture: convolutions, the backward pass as two forward ones of the
DCN, and for `ridge` the normal equations and their solution, without Adam and activations.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import band, row_of_panels
from recon.experiments.trained import trainings
from rrstyle.config import NetworkConfig
from rrstyle.networks import readout
from rrstyle.networks.plan import Conv, Upsample, kernel_shapes, plan_of

READOUTS = {
    "random": "random, best affine map of each picture",
    "ridge": "ridge: last layer solved",
    "trained": "trained",
}


@dataclass(frozen=True, kw_only=True)
class ReadoutTraining(trainings.TrainingSettings):
    blocks: tuple[int, ...] = (1, 2, 3)  # the k of Conv k


@dataclass(frozen=True)
class Flops:
    """Multiplications and additions of one picture's convolutions."""

    cnn: int
    hidden: int  # of the DCN's layers but the last
    last: int
    unknowns: int  # number of unknowns of the last layer for each output channel

    @property
    def forward(self) -> int:
        """Picture to picture."""
        return self.cnn + self.hidden + self.last


def count_flops(network: NetworkConfig, side: int) -> Flops:
    """Cost of a pair on pictures of `side` px, two for each multiplication of a convolution."""
    plan = plan_of(network)
    layers = *plan.layers, plan.head
    shapes = iter(kernel_shapes(layers, plan.head.channels))
    sides: list[int] = []  # that are not yet back
    costs = []
    for layer in layers:
        if isinstance(layer, Upsample):
            side = sides.pop()
            continue
        if layer.stride > 1:
            sides.append(side)
            side = -(-side // layer.stride)
        if isinstance(layer, Conv):
            last = next(shapes)
            costs.append(2 * math.prod(last) * side**2)
    cnn = sum(isinstance(layer, Conv) for layer in plan.encoder)
    return Flops(sum(costs[:cnn]), sum(costs[cnn:-1]), costs[-1], math.prod(last[:3]) + 1)


def untrained_errors(
    training: trainings.Training, known: np.ndarray, held_out: np.ndarray
) -> tuple[float, float]:
    """Mean squared errors of `random` and of `ridge`, of the DCN that a training begins from.

    `known` and `held_out` are uint8 (squares, crop, crop, 3): those that the last layer is solved
    on, and those that errors are of.
    """
    # Of the same seed and law as the DCN at the start of a training: its very weights.
    start = replace(training.config.network, law="he")
    hidden, kernel = readout.split_dcn(start, seed=training.config.seed)
    cnn = training.networks.encoder

    def maps(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image = square / np.float32(255)
        return readout.run_hidden(hidden, np.asarray(cnn(image[None]))[0], image.shape[:2]), image

    scale = 1 / max(float(np.std(maps(known[0])[0])), 1e-30)  # the solve sees numbers about 1
    squares, products = 0.0, 0.0
    for square in known:
        padded, image = maps(square)
        exact = scale * padded.astype(np.float64)
        a, b = readout.normal_equations(exact, image, kernel.shape[0], 1)
        squares, products = squares + a, products + b
    weights = readout.solve_ridge(squares, products).astype(np.float32)
    solved = scale * weights[:-1].reshape(kernel.shape)
    errors = []
    for square in held_out:
        padded, image = maps(square)
        drawn = readout.apply_readout(scale * padded, kernel, 0.0)
        back = readout.apply_readout(padded, solved, weights[-1])
        errors.append((_affine_error(drawn, image), np.square(back - image).mean()))
    random_mse, ridge_mse = (float(np.mean(values)) for values in zip(*errors, strict=True))
    return random_mse, ridge_mse


def _affine_error(output: np.ndarray, image: np.ndarray) -> float:
    """Mean squared error after the affine map of each channel that makes it least.

    `var(x) (1 - r^2)`, r the correlation of the channel with the picture's.
    """
    x, y = (np.reshape(a, (-1, 3)).astype(np.float64) for a in (image, output))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    explained = (x * y).mean(axis=0) ** 2 / np.maximum(np.square(y).mean(axis=0), 1e-300)
    return float((np.square(x).mean(axis=0) - explained).mean())


class ReadoutTrainingExperiment(trainings.TrainedSweep):
    name = "readout-training"
    title = "Random DCN, ridge readout and trained DCN on the same random VGG16: loss by compute"
    reproduces = "What training gains over a closed form; no figure of the papers"
    printed = "A DCN is trained for each representation; none is solved."
    settings = {
        "smoke": ReadoutTraining(**trainings.SMOKE, blocks=(1, 2)),
        "laptop": ReadoutTraining(
            **trainings.LAPTOP | {"networks": 2, "steps": 120, "measured": 32}
        ),
        "paper": ReadoutTraining(**trainings.PAPER),
    }
    columns = ("block", "network", "readout", "step", "gflop", "mse")

    def cells(self, settings: ReadoutTraining) -> list[Cell]:
        return grid(block=settings.blocks, network=range(settings.networks))

    def rows(self, settings: ReadoutTraining, cell: Cell) -> int:
        return 2 + len(trainings.row_steps(settings))

    def measure(
        self, settings: ReadoutTraining, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        training = self.training(settings, cell, pictures, seed)
        cost = count_flops(training.config.network, settings.crop)
        middle = training.middle(training.training), training.middle(training.held_out)
        random_mse, ridge_mse = untrained_errors(training, *middle)
        pixels = settings.crop**2
        equations = 2 * pixels * cost.unknowns * (cost.unknowns + 3)
        solved = len(middle[0]) * (cost.cnn + cost.hidden + equations) + 2 * cost.unknowns**3 // 3
        found = [("random", 0, 0, random_mse), ("ridge", 0, solved, ridge_mse)]
        step = settings.batch * (cost.cnn + 3 * (cost.hidden + cost.last))
        for row in training.run(rows=trainings.row_steps(settings)):
            found.append(("trained", row["step"], row["step"] * step, row["validation_mse"]))
        return [
            {**cell, "readout": name, "step": n, "gflop": (flop + cost.forward) / 1e9, "mse": mse}
            for name, n, flop, mse in found
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        blocks = sorted(frame["block"].unique())
        figure, axes = row_of_panels((4 * len(blocks), 4.2), len(blocks), sharey=True)
        for ax, block in zip(axes, blocks, strict=True):
            for i, (name, label) in enumerate(READOUTS.items()):
                part = frame[(frame["block"] == block) & (frame["readout"] == name)]
                by_cost = part.groupby("gflop")["mse"]
                look = {"color": f"C{i}", "marker": "sD "[i], "label": label}
                if name == "trained":
                    band(ax, by_cost.mean(), by_cost.min(), by_cost.max(), **look)
                else:  # a point
                    ax.plot(by_cost.mean(), **look)
                    ax.axhline(by_cost.mean().iloc[0], color=f"C{i}", linewidth=1, alpha=0.4)
            ax.set(xscale="log", yscale="log", xlabel="compute (GFLOP)")
            ax.set_title(f"Conv{block}-DeConv{block}")
        axes[0].set_ylabel("mean squared error held out")
        axes[0].legend()
        figure.suptitle("One random VGG16, three DCNs: mean and range over networks")
        return figure


EXPERIMENT = ReadoutTrainingExperiment()
