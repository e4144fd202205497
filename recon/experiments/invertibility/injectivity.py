"""Inversion of random ReLU layers over the ratio of outputs to inputs: typical inputs, and all.

    rrstyle evaluate injectivity --scale laptop --images DIR

Networks of one to three layers, without biases, on colour patches of side x side pixels, n = 3
side^2 inputs; every layer has side^2 x channels outputs, a ratio of channels / 3 to the inputs.
Kinds: `full`, iid Gaussian matrices; `convolution`, 3 x 3 Gaussian filters, zeros around the maps.
Of a network, fewer channels are the first of more. Rows:

- gaussian_exact, pictures_exact: share of Gaussian inputs, and of patches of the pictures, that
  come back to .1 % from outputs in float32; gaussian_error, pictures_error: their mean relative
  error;
- least: the least number of active outputs of the last layer that a search over all inputs finds,
  over n: below 1 the layer is not injective. rank: of the network at that input, over n.

At a typical input half of the outputs are active, so that inversion takes a ratio of 2, the least
at which a layer can be injective (Puthawala et al. 2022). For injectivity of iid Gaussian layers
of many inputs 6.70 is predicted (replicas: Maillard et al. 2023; random duality: Stojnic 2024),
7.65 is a bound from above (Gordon's theorem), and the Euler characteristic of a random set leads
to 8.34 (Clum et al.). At laptop scale (8 processor minutes) the search still finds inputs with too
few active outputs at 6.41, 4 % below 6.70; 3 x 3 filters differ more from network to network, and
more so at pictures, where flat patches are alike.

The ratio to the picture is 21.3, 10.7, 5.3, 2.7 and .7 in VGG16's Conv1 to Conv5, and 2.0 in
AlexNet's Conv1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.experiments.panels import band, row_of_panels
from recon.invertibility.injectivity import (
    convolution_matrix,
    fewest_active,
    inversion_error,
    linear_region,
)
from rrstyle.networks.laws import ENCODER, draw_kernel, layer_rng

KINDS = {"full": "fully random", "convolution": "3 x 3 filters"}
INPUTS = {"gaussian": "Gaussian inputs", "pictures": "patches of pictures"}
PREDICTED = 6.70, 7.65, 8.34
COLOURS = 3
_EXACT = 1e-3  # relative error of an inversion that counts as exact
_INPUTS, _STARTS = 100, 101  # of the inputs and of the search, in the seed's tree


@dataclass(frozen=True, kw_only=True)
class Injectivity(Settings):
    sides: tuple[int, ...]  # of the patches, in pixels
    deep_side: int  # of them, that of networks of more than one layer
    layers: tuple[int, ...] = (1, 2, 3)
    typical: tuple[int, ...] = (
        3,
        4,
        5,
        6,
        7,
        8,
        9,
    )  # channels at which typical inputs are inverted
    searched: tuple[int, ...]  # channels at which the fewest active outputs are searched
    inputs: int  # of each sort, typical
    starts: int  # of a search
    steps: int


def _layers(cell: Cell, channels: int, most: int, seed: int) -> list[np.ndarray]:
    """Matrices of a network's layers, the first `channels` of those of `most` channels."""
    side, found, inputs, most_inputs = cell["side"], [], COLOURS, COLOURS
    for position in range(cell["layers"]):
        rng = layer_rng(seed, ENCODER, position)
        if cell["kind"] == "full":
            shape = (1, 1, most_inputs * side**2, most * side**2)
            drawn = draw_kernel("gaussian", shape, std=1, rng=rng)[0, 0].T
            found.append(drawn[: channels * side**2, : inputs * side**2].astype(np.float64))
        else:
            drawn = draw_kernel("gaussian", (3, 3, most_inputs, most), std=1, rng=rng)
            found.append(convolution_matrix(drawn[:, :, :inputs, :channels], side))
        inputs, most_inputs = channels, most
    return found


def _patches(pictures: Pictures, side: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Patches (count, 3 side^2) at random places of the pictures, none of them black."""
    pixels = pictures.pixels
    found: list[np.ndarray] = []
    while len(found) < count:
        top, left = rng.integers(pixels.shape[1] - side + 1, size=2)
        patch = pixels[rng.integers(len(pixels)), top : top + side, left : left + side]
        if patch.any():
            found.append(patch.astype(np.float64).ravel())
    return np.stack(found)


class InjectivityExperiment(Experiment):
    name = "injectivity"
    title = "Inversion of random ReLU layers over the ratio of outputs to inputs"
    reproduces = "Puthawala et al. 2022, Maillard et al. 2023, Stojnic 2024: predictions"
    printed = (
        "A ratio of 2 is necessary; iid Gaussian layers of many inputs are injective from 6.70"
        " (7.65, 8.34 by other reckonings)."
    )
    settings = {
        "smoke": Injectivity(
            networks=2,
            images=1,
            side=16,
            sides=(1, 2),
            deep_side=2,
            layers=(1, 2),
            searched=(6, 15, 27),
            inputs=4,
            starts=4,
            steps=40,
        ),
        "laptop": Injectivity(
            networks=10,
            images=6,
            side=64,
            sides=(2, 4, 6, 8),
            deep_side=4,
            searched=(6, 9, 12, 15, 18, 20, 22, 24, 27, 30),
            inputs=20,
            starts=32,
            steps=600,
        ),
        "paper": Injectivity(
            networks=30,
            images=50,
            side=227,
            sides=(2, 4, 6, 8, 12, 16),
            deep_side=8,
            searched=(6, 9, 12, 15, *range(18, 25), 27, 30),
            inputs=100,
            starts=256,
            steps=2000,
        ),
    }
    columns = ("kind", "side", "layers", "network", "channels", "ratio", "quantity", "value")

    def cells(self, settings: Injectivity) -> list[Cell]:
        return [
            {"kind": kind, "side": side, "layers": layers, "network": network}
            for kind in KINDS
            for side in settings.sides
            for layers in settings.layers
            if layers == 1 or side == settings.deep_side
            for network in range(settings.networks)
        ]

    def rows(self, settings: Injectivity, cell: Cell) -> int:
        return 2 * len(INPUTS) * len(settings.typical) + 2 * len(settings.searched)

    def measure(
        self, settings: Injectivity, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        seed, side = seed + cell["network"], cell["side"]
        inputs, most = COLOURS * side**2, max(settings.typical + settings.searched)
        rng = layer_rng(seed, _INPUTS)
        drawn = {
            "gaussian": rng.normal(size=(settings.inputs, inputs)),
            "pictures": _patches(pictures, side, settings.inputs, rng),
        }
        found: list[tuple[int, str, float]] = []
        for channels in settings.typical:
            layers = _layers(cell, channels, most, seed)
            for name, sort in drawn.items():
                errors = np.asarray([inversion_error(layers, x) for x in sort])
                found.append((channels, f"{name}_exact", float((errors < _EXACT).mean())))
                found.append((channels, f"{name}_error", float(errors.mean())))
        for channels in settings.searched:
            layers, rng = _layers(cell, channels, most, seed), layer_rng(seed, _STARTS)
            how = {"starts": settings.starts, "steps": settings.steps}
            least, point = fewest_active(layers, **how, rng=rng)
            rank = np.linalg.matrix_rank(linear_region(layers, point.astype(np.float64))[0])
            found += [(channels, "least", least / inputs), (channels, "rank", rank / inputs)]
        return [
            {**cell, "channels": n, "ratio": n / COLOURS, "quantity": quantity, "value": value}
            for n, quantity, value in found
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((13.5, 4.4), 3)
        _typical(axes[0], frame)
        single = frame[(frame["layers"] == 1) & (frame["quantity"] == "least")]
        for (kind, side), part in single.groupby(["kind", "side"], sort=False):
            style = "-" if kind == "full" else "--"
            colour = f"C{sorted(single['side'].unique()).index(side)}"
            label = f"{KINDS[str(kind)]}, n = {COLOURS * side**2}"
            _least(axes[1], part, label, color=colour, linestyle=style)
        side = frame.loc[frame["layers"] > 1, "side"].iloc[0]
        deep = frame[(frame["side"] == side) & (frame["quantity"] == "least")]
        for (kind, layers), part in deep.groupby(["kind", "layers"], sort=False):
            style = "-" if kind == "full" else "--"
            label = f"{KINDS[str(kind)]}, layer {layers}"
            _least(axes[2], part, label, color=f"C{layers - 1}", linestyle=style)
        axes[1].set_title("All inputs, one layer: least that a search finds")
        axes[2].set_title(f"All inputs, n = {COLOURS * side**2}: the last of 1 to 3 layers")
        for ax in axes[1:]:
            ax.axhline(1, color="black", linewidth=0.8)
            for ratio in PREDICTED:
                ax.axvline(ratio, color="grey", linestyle=":", linewidth=1)
            ax.set(xlabel="ratio of outputs to inputs (dotted: predictions)")
            ax.set(ylabel="active outputs over inputs, mean and range", ylim=(0, None))
            ax.legend(fontsize=8)
        return figure


def _least(ax: Axes, part: pd.DataFrame, label: str, **look: str) -> None:
    values = part.groupby("ratio")["value"]
    band(ax, values.mean(), values.min(), values.max(), label=label, **look)


def _typical(ax: Axes, frame: pd.DataFrame) -> None:
    """Shares of exact inversions by one layer at the most inputs, and what chance makes of them."""
    side = frame["side"].max()
    part = frame[(frame["side"] == side) & (frame["layers"] == 1)]
    for i, (kind, name) in enumerate(KINDS.items()):
        for quantity, words in INPUTS.items():
            chosen = part[(part["kind"] == kind) & (part["quantity"] == f"{quantity}_exact")]
            style = "-" if quantity == "gaussian" else "--"
            mean = chosen.groupby("ratio")["value"].mean()
            ax.plot(mean.index, mean, style, color=f"C{i}", marker=".", label=f"{name}, {words}")
    inputs = COLOURS * side**2
    outputs = np.arange(inputs, 3 * inputs)
    chance = scipy.stats.binom.sf(inputs - 1, outputs, 0.5)
    ax.plot(outputs / inputs, chance, "k:", label="half of the outputs active, at random")
    ax.set(xlabel="ratio of outputs to inputs", ylabel="share of inputs that come back")
    ax.set(title=f"Typical inputs, one layer, n = {inputs}", ylim=(0, 1.02))
    ax.legend(fontsize=8, loc="lower right")


EXPERIMENT = InjectivityExperiment()
