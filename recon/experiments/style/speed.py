"""The same losses optimised in feature space and in image space, in turn, by as many steps.

    rrstyle evaluate style-speed --images DIR

`features` moves V from V_c and decodes it, as the paper does. `pixels` moves the picture from the
photograph: the rrVGG's CNN stands before the same FVT network, so that the loss is the same
function and starts at the same value. Adam's rate is in units of the root mean square of what is
moved. Seconds are of one thread of this machine, compiled. Operations are those of the
convolutions, forward and back to what is moved.
"""

import functools
from dataclasses import dataclass, replace

import keras
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.costs import convolution_shapes
from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import ranges, row_of_panels
from recon.experiments.sheet import sheet, unpacked
from recon.experiments.style import transfers
from rrstyle.networks.build import SharedNetwork
from rrstyle.presets import PAPER_PRESETS
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.feature_networks import FeatureNetwork
from rrstyle.transfer.optimise import Objective

SPACES = ("features", "pixels")


@dataclass(frozen=True, kw_only=True)
class Speed(transfers.StyleSettings):
    models: tuple[str, ...] = tuple(PAPER_PRESETS)


@functools.lru_cache(maxsize=8)
def _behind(cnn: keras.Model, fvt: keras.Model) -> keras.Model:
    image = keras.Input((None, None, 3))
    return keras.Model(image, fvt(cnn(image)))


def from_pixels(pair: transfers.Pair, fvt: FeatureNetwork) -> FeatureNetwork:
    """The FVT network as a function of the picture: behind the CNN, in the unit of V.

    Without biases a ReLU takes a factor through: the CNN's last kernel takes the unit.
    """
    *below, kernel, bias = pair.cnn.weights
    weights = (*below, kernel / pair.unit, bias / pair.unit, *fvt.network.weights)
    model = _behind(pair.cnn.model, fvt.network.model)
    return replace(fvt, network=SharedNetwork(model, weights))


def transfer(pair: transfers.Pair, space: str) -> tuple[np.ndarray, Row]:
    """The picture of a transfer in a space, from photograph and style on, and what it took.

    Of the pair only the inputs are used: a transfer encodes them itself.
    """
    began = transfers.clock()
    config, number = pair.config, pair.seed
    pair = transfers.Pair(pair.content, pair.style, config, seed=number)
    fvt, start, style, unit = pair.network(number), pair.v_c, pair.v_s, 1.0
    shapes = convolution_shapes(fvt.network.model, start.shape[:2])
    if space == "pixels":
        start, style, unit = pair.content, pair.style, Blend.of(pair.style).root_mean_square()
        fvt = from_pixels(pair, fvt)
        shapes += convolution_shapes(pair.cnn.model, start.shape[:2])
    objective = Objective(fvt, start, style, config=config.optimise)
    stepping = transfers.clock()
    found = transfers.descent(objective, start, config, unit=unit)
    step_s = (transfers.clock() - stepping) / config.optimise.steps[-1]
    picture = pair.decoded(found) if space == "features" else np.clip(found, 0, 1)
    whole_s = transfers.clock() - began
    took = {"step_s": step_s, "whole_s": whole_s, "gflop": transfers.step_gflop(shapes)}
    return picture, took | {"start_loss": objective.value(start), "loss": objective.value(found)}


class SpeedExperiment(transfers.StyleStudy):
    name = "style-speed"
    title = "Style transfer by rrVGG: features optimised, or pixels"
    reproduces = "What appendix A.4 of the ICLR 2020 version says of its speed; no figure"
    printed = (
        "Faster than the original optimisation, which converges slower on images than on features."
    )
    settings = {
        "smoke": Speed(**transfers.SMOKE, models=("paper-32",)),
        "laptop": Speed(**transfers.LAPTOP | {"steps": 10}),
        "paper": Speed(**transfers.PAPER),
    }
    columns = (
        *("model", "network", "pair", "image", "style", "space", "step_s", "whole_s", "gflop"),
        *("start_loss", "loss", "swd", "edge", "picture"),
    )

    def cells(self, settings: Speed) -> list[Cell]:
        networks, pairs = range(settings.networks), range(settings.images)
        return grid(model=settings.models, network=networks, pair=pairs)

    def rows(self, settings: Speed, cell: Cell) -> int:
        return len(SPACES)

    def measure(self, settings: Speed, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        key, number = self.named(settings, cell, pictures), seed + cell["network"]
        configs = [transfers.config_of(cell["model"], steps=n) for n in (1, settings.steps)]
        brief, pair = (
            self.pair(config, settings, key, pictures, seed=number) for config in configs
        )
        rows = []
        for space in SPACES:
            transfer(brief, space)  # compiles: not timed
            picture, took = transfer(pair, space)
            rows.append(transfers.scored({**key, "space": space, **took}, pair, picture))
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((12, 4.2), 3)
        frame = frame.assign(
            rate=frame["gflop"] / frame["step_s"], left=frame["loss"] / frame["start_loss"]
        )
        labels = {
            "step_s": "seconds a step",
            "rate": "GFLOP/s of the convolutions",
            "left": "loss after the last step, of that at the start",
        }
        for ax, (column, label) in zip(axes, labels.items(), strict=True):
            for space, part in frame.groupby("space", sort=False):
                means = part.groupby(["model", "network"])[column].mean().groupby("model")
                ranges(ax, means, fmt="o", label=space)
            ax.set(ylabel=label, ylim=(0, None))
            ax.legend()
        figure.suptitle("The same losses by as many steps: mean and range over networks")
        return figure

    def show(self, frame: pd.DataFrame, settings: Speed, pictures: Pictures, seed: int) -> Figure:
        """A line a pair and model: the photograph, either space, the style."""
        lines = []
        drawn = frame[frame["network"] == 0]
        for (pair, model), part in drawn.groupby(["pair", "model"], sort=False):
            content, style = self.shown(settings, pictures, pair)
            found = zip(part["space"], map(unpacked, part["picture"]), strict=True)
            lines.append((model, [content, *found, style]))
        return sheet(lines, title=f"Seed {seed}: features optimised and decoded, or pixels")


EXPERIMENT = SpeedExperiment()
