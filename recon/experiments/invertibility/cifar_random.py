"""Accuracy of networks of one to three convolutions, random or learned: Tables 1 and 5.

    rrstyle evaluate cifar-random --scale laptop --images CIFAR10

CIFAR10 is a folder of class folders, or has train/ and test/ of them. A layer is a convolution,
batch normalisation with learned scale and bias, a ReLU and 2 x 2 max pooling. Average pooling
brings the maps of 32 x 32 pictures to 4 x 4; dropout and a softmax layer follow. Batch
normalisation comes before the ReLU, as in the paper's text; its caption has it after.

Random filters are N(0, 1) and stay; scales, biases and the softmax layer are learned on top.
Learned filters start from He's law. The paper tells no optimizer, epochs or dropout rate, and took
the best of several sizes; here each depth has the sizes of Table 5, with at most `channels`
channels a layer, trained by Adam at a rate that falls to 0 along a cosine. Pictures are not
augmented; the mean colour is subtracted and each colour divided by its standard deviation.
`printed` is of 50,000 pictures and up to 2048 channels: fewer of either give less.
"""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import layers
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings, grid
from rrstyle.networks.laws import ENCODER, draw_kernel, layer_rng

# Channels of each layer, and the accuracy in percent.
TABLE_5 = {
    ("random", 1): ((2048,), 66.5),
    ("random", 2): ((2048, 2048), 74.6),
    ("random", 3): ((2048, 2048, 1024), 74.8),
    ("learned", 1): ((1024,), 68.1),
    ("learned", 2): ((1024, 1024), 83.3),
    ("learned", 3): ((1024, 1024, 1024), 89.3),
}
_KERNELS = {1: 5, 2: 3, 3: 3}  # by number of layers
_FINAL_SIDE = 4
_LAWS = {"random": "gaussian", "learned": "he"}
_ORDER = 1  # of the pictures, in the seed's tree


@dataclass(frozen=True, kw_only=True)
class Classifiers(Settings):
    side: int = 32  # that of CIFAR-10
    tested: int  # of the pictures, to test on
    channels: int  # of a layer, at most
    batch: int  # pictures a step
    epochs: int
    depths: tuple[int, ...] = (1, 2, 3)  # numbers of convolutions
    learning_rate: float = 1e-3  # Adam's, at the first step
    dropout: float = 0.5  # share of the features that a step leaves out


def _channels(settings: Classifiers, cell: Cell) -> tuple[int, ...]:
    widths, _ = TABLE_5[cell["filters"], cell["layers"]]
    return tuple(min(settings.channels, width) for width in widths)


def build_model(
    channels: tuple[int, ...], *, side: int, classes: int, filters: str, dropout: float, seed: int
) -> keras.Model:
    """A network of Table 5, from pictures (batch, side, side, 3) to scores before the softmax.

    It has a convolution for each of one to three numbers of channels; "random" filters are N(0, 1)
    and not trained, others "learned". The softmax layer starts from zero. ValueError if the side is
    no multiple of 32.
    """
    if side % 32:
        raise ValueError(f"side must be a multiple of 32; received {side}")
    depth, learned = len(channels), filters == "learned"
    picture = x = keras.Input((side, side, 3))
    convolutions = []
    for width in channels:
        # No bias: batch normalisation has one.
        convolutions.append(
            layers.Conv2D(width, _KERNELS[depth], padding="same", use_bias=False, trainable=learned)
        )
        # Short runs have no time for the default momentum of .99.
        x = layers.BatchNormalization(momentum=0.9)(convolutions[-1](x))
        x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    left = side // 2**depth // _FINAL_SIDE
    if left > 1:
        x = layers.AveragePooling2D(left)(x)
    x = layers.Dropout(dropout, seed=seed)(layers.Flatten()(x))
    x = layers.Dense(classes, kernel_initializer="zeros")(x)
    for position, layer in enumerate(convolutions):
        rng = layer_rng(seed, ENCODER, position)
        layer.set_weights([draw_kernel(_LAWS[filters], layer.kernel.shape, std=1, rng=rng)])
    return keras.Model(picture, x)


def _train(
    model: keras.Model, settings: Classifiers, pixels: np.ndarray, labels: np.ndarray, seed: int
) -> None:
    """All epochs, each in an order of its own; what its last whole batch leaves is not used."""
    steps = len(pixels) // settings.batch
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.epochs * steps)
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # XLA's convolutions take twice the time on a processor
    )
    for epoch in range(settings.epochs):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_ORDER, epoch)))
        order = rng.permutation(len(pixels))
        for step in range(steps):
            chosen = order[step * settings.batch : (step + 1) * settings.batch]
            model.train_on_batch(pixels[chosen], labels[chosen])


def _accuracy(model: keras.Model, pixels: np.ndarray, labels: np.ndarray, batch: int) -> float:
    """Percent of the pictures whose highest score is that of their class."""
    parts = range(0, len(pixels), batch)
    scores = [np.asarray(model.predict_on_batch(pixels[i : i + batch])) for i in parts]
    return 100 * float(np.mean(np.concatenate(scores).argmax(axis=1) == labels))


class CifarRandomExperiment(Experiment):
    name = "cifar-random"
    title = "Accuracy of networks of 1 to 3 convolutions with random and with learned filters"
    reproduces = "Gilbert et al., Tables 1 and 5"
    printed = (
        "CIFAR-10, 1 / 2 / 3 layers: random filters 66.5 / 74.6 / 74.8 %, learned ones 68.1 /"
        " 83.3 / 89.3 %; up to 2048 channels."
    )
    settings = {
        "smoke": Classifiers(networks=1, images=96, tested=32, channels=8, batch=16, epochs=3),
        "laptop": Classifiers(
            networks=1, images=15_000, tested=5000, channels=256, batch=32, epochs=2
        ),
        "paper": Classifiers(
            networks=3, images=60_000, tested=10_000, channels=2048, batch=100, epochs=40
        ),
    }
    columns = ("filters", "layers", "network", "widths", "set", "accuracy", "printed")
    classes = True

    def cells(self, settings: Classifiers) -> list[Cell]:
        return grid(filters=_LAWS, layers=settings.depths, network=range(settings.networks))

    def rows(self, settings: Classifiers, cell: Cell) -> int:
        return 2  # of the training and of the test pictures

    def measure(
        self, settings: Classifiers, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        number, channels = seed + cell["network"], _channels(settings, cell)
        model = build_model(
            channels,
            side=settings.side,
            classes=len(pictures.classes),
            filters=cell["filters"],
            dropout=settings.dropout,
            seed=number,
        )
        split = settings.images - settings.tested
        mean, std = (
            of(pictures.pixels[:split], axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
            for of in (np.mean, np.std)
        )
        pixels, labels = (pictures.pixels - mean) / std, pictures.labels
        assert labels is not None
        _train(model, settings, pixels[:split], labels[:split], number)
        _, printed = TABLE_5[cell["filters"], cell["layers"]]
        key = {**cell, "widths": " ".join(map(str, channels))}
        rows = []
        for name, first, of_paper in (("training", 0, float("nan")), ("test", split, printed)):
            part = slice(first, first + settings.tested)  # as many of either: they need not be all
            accuracy = _accuracy(model, pixels[part], labels[part], settings.batch)
            rows.append({**key, "set": name, "accuracy": accuracy, "printed": of_paper})
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(7, 4.8), layout="constrained")
        ax = figure.subplots()
        depths = list(frame["layers"].unique())
        for i, filters in enumerate(_LAWS):
            sets = frame[frame["filters"] == filters].groupby("set")
            test = sets.get_group("test").groupby("layers", sort=False)
            trained = sets.get_group("training").groupby("layers", sort=False)["accuracy"]
            places = np.arange(len(depths)) + 0.4 * (i - 0.5)
            widest = max(int(n) for text in test["widths"].first() for n in str(text).split())
            label = f"{filters} filters, {widest} channels"
            bars = ax.bar(places, test["accuracy"].mean(), 0.36, label=label)
            ax.bar_label(bars, fmt="%.1f", fontsize=9)
            for place, (_, values) in zip(places, test["accuracy"], strict=True):
                ax.plot([place] * len(values), values, "k.", markersize=4)
            said = ("on training pictures", "printed, all of CIFAR-10") if i == 0 else (None, None)
            ax.plot(places, trained.mean(), "_", color="black", markersize=18, label=said[0])
            ax.plot(places, test["printed"].first(), "kx", label=said[1])
        ax.set_xticks(range(len(depths)), depths)
        ax.set(xlabel="layers", ylabel="accuracy on test pictures (%)")
        ax.set(ylim=(0, 115), title="Random and learned filters")  # room for the legend
        ax.grid(visible=False, axis="x")
        ax.legend(ncols=2, fontsize=9)
        return figure


EXPERIMENT = CifarRandomExperiment()
