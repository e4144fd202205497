"""Share of activations that are not zero, layer by layer: Tables 2 and 7.

    rrstyle evaluate sparsity --scale laptop --images DIR --encoder vgg16.npz alexnet.npz

After each ReLU and each pool, in percent. Random networks have no biases; pixels are in [0, 1] as
everywhere here, or have the mean colour of the pictures subtracted as in the networks that the
papers use. Trained networks are those that are given, on pixels as they were trained. `printed` is
of networks trained on ILSVRC 2012, on its pictures; the paper has no random column.

The laptop scale takes a minute on one core of an AMD EPYC. Expected there: a random filter fires on
half of the patches, so convolutions have 49 to 53 % non-zeros at every depth where trained ones
fall from 70 to 7 %: the random codes of rip-2d, at the trained share, are sparser. Pools have 55 to
62 % in VGG16 and 61 to 73 % in AlexNet, whose windows overlap: less than independent units would
give (94 % of 2 x 2), for neighbours fire together.
"""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import ops
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings, grid, rows_of
from recon.experiments.panels import ranges, row_of_panels
from recon.invertibility.sparsity import nonzero_share
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn

# Percent of non-zeros of the trained networks on the ILSVRC 2012 validation set.
_VGG16 = """
conv1_1 49.1  conv1_2 69.7  pool1 80.8
conv2_1 67.4  conv2_2 49.7  pool2 70.7
conv3_1 53.4  conv3_2 51.9  conv3_3 28.7  pool3 45.9
conv4_1 35.6  conv4_2 29.6  conv4_3 12.6  pool4 23.1
conv5_1 23.9  conv5_2 20.6  conv5_3 7.3   pool5 13.1
"""
_ALEXNET = """
conv1_1 49.41  pool1 87.79  conv2_1 18.97  pool2 44.13
conv3_1 31.08  conv4_1 30.95  conv5_1 9.78  pool5 28.15
"""


def _table(text: str) -> dict[str, float]:
    words = text.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


PRINTED = {"vgg16": _table(_VGG16), "alexnet": _table(_ALEXNET)}
_KEYS = ("architecture", "filters", "pixels", "network")
PIXELS = {"centred": "mean colour subtracted", "positive": "in [0, 1]"}


@dataclass(frozen=True, kw_only=True)
class Sparsity(Settings):
    channels: int | None = None  # of all layers of random networks; None for the architectures' own
    trained: tuple[str, ...] = ()  # architectures of which trained weights were given


def _plan(architecture: str, channels: int | None) -> NetworkConfig:
    return NetworkConfig(
        architecture="alexnet" if architecture == "alexnet" else "vgg16",
        layer="conv5",
        channels=channels,
        law="he",  # scale changes no zero; this one keeps activations in the range of float32
        padding="zero",
        tap="post_pool",
    )


class SparsityExperiment(Experiment):
    name = "sparsity"
    title = "Share of non-zero activations of random and of trained networks, layer by layer"
    reproduces = "Gilbert et al., Tables 2 and 7"
    printed = (
        "Of networks trained on ILSVRC 2012: 49 % non-zeros in the first layer, 7 to 10 % in"
        " the last convolution."
    )
    settings = {
        "smoke": Sparsity(networks=2, images=2, side=64, channels=8),
        "laptop": Sparsity(networks=5, images=6, side=224),
        "paper": Sparsity(networks=30, images=50, side=224),
    }
    columns = (*_KEYS, "weights", "layer", "image", "nonzero", "printed")

    def cells(self, settings: Sparsity) -> list[Cell]:
        networks = range(settings.networks)
        return [
            *grid(architecture=PRINTED, filters=("random",), pixels=PIXELS, network=networks),
            *(
                dict(zip(_KEYS, (name, "learned", "positive", 0), strict=True))
                for name in settings.trained
            ),
        ]

    def rows(self, settings: Sparsity, cell: Cell) -> int:
        return len(PRINTED[cell["architecture"]]) * settings.images

    def measure(self, settings: Sparsity, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        architecture, weights = cell["architecture"], "he"
        if cell["filters"] == "learned":
            encoder = pictures.encoder(architecture).up_to(_plan(architecture, None))
            weights, cnn = encoder.name, build_cnn(encoder.network, seed=0)
            cnn.set_weights(list(encoder.weights or ()))
        else:
            cnn = build_cnn(_plan(architecture, settings.channels), seed=seed + cell["network"])
        kinds = keras.layers.ReLU, keras.layers.MaxPooling2D
        outputs = [layer.output for layer in cnn.layers if isinstance(layer, kinds)]
        model = keras.Model(cnn.input, outputs)
        pixels = pictures.pixels
        if cell["pixels"] == "centred":
            pixels = pixels - pixels.mean(axis=(0, 1, 2))
        shares = [
            [100 * nonzero_share(ops.convert_to_numpy(maps))[0] for maps in model(image[None])]
            for image in pixels
        ]
        rows = []
        for (layer, printed), found in zip(
            PRINTED[architecture].items(), zip(*shares, strict=True), strict=True
        ):
            key = {**cell, "weights": weights, "layer": layer, "printed": printed}
            rows += rows_of(key, pictures.names, nonzero=found)
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        groups = list(frame.groupby("architecture", sort=False))
        figure, axes = row_of_panels((7 * len(groups), 4.8), len(groups), sharey=True)
        for ax, (architecture, part) in zip(axes, groups, strict=True):
            _panel(ax, part)
            ax.set(ylim=(0, 100), title=architecture)
            ax.legend(fontsize=8)
        axes[0].set_ylabel("non-zeros (%), mean and range of the pictures")
        return figure


def _panel(ax: Axes, frame: pd.DataFrame) -> None:
    layers = list(frame["layer"].unique())
    for i, (pixels, label) in enumerate(PIXELS.items()):
        chosen = frame[(frame["pixels"] == pixels) & (frame["filters"] == "random")]
        values = chosen.groupby(["layer", "image"], sort=False)["nonzero"].mean()
        by_layer = values.groupby("layer", sort=False)
        places = np.arange(len(layers)) + 0.1 * i
        ranges(ax, by_layer, places, label=f"random, pixels {label}")
    learned = frame[frame["filters"] == "learned"]
    if len(learned):
        mean = learned.groupby("layer", sort=False)["nonzero"].mean()
        label = f"{learned['weights'].iloc[0]}, pixels {PIXELS['positive']}"
        ax.plot(range(len(layers)), mean, "D-", color="black", markersize=4, label=label)
    printed = frame.groupby("layer", sort=False)["printed"].first()
    ax.plot(range(len(layers)), printed, "kx--", label="trained on ILSVRC 2012, printed")
    ax.set_xticks(range(len(layers)), layers, rotation=60)


EXPERIMENT = SparsityExperiment()
