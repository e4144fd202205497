"""What the experiments on trained DCNs share: a training held in memory, and the rows of it.

A cell trains one DCN. Half of the pictures are trained on, as random squares and their mirror
images; the other half is held out. At the papers' scale a training streams the folder from the
disk, as `rrstyle train` does: all of it but the half held out.

Losses are mean squared errors of pixel values in [0, 1], of the DCN's unbounded output: twice
Caffe's loss by the number of values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import keras
import numpy as np

from recon.data.batches import Batches
from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.training import model as models
from recon.training.config import SMALL, TrainingConfig
from recon.training.fit import fit
from recon.training.switches import with_switches
from rrstyle.config import NetworkConfig
from rrstyle.networks.pair import CnnDcn

STD = SMALL.network.std  # of the papers' Gaussian
TITLES = {"vgg16": "VGG16", "alexnet": "AlexNet"}
COURSE_COLUMNS = ("step", "training_mse", "validation_mse")
# Settings that most experiments share, by scale.
SMOKE: dict[str, Any] = {"networks": 1, "images": 4, "side": 40, "crop": 32, "batch": 2}
SMOKE |= {"steps": 12, "measured": 2, "channels": 8}
LAPTOP: dict[str, Any] = {"networks": 3, "images": 200, "side": 72, "crop": 48, "batch": 8}
LAPTOP |= {"steps": 100, "measured": 16}
LARGE = LAPTOP | {"side": 96, "crop": 64, "batch": 4}  # where losses are to be near their end
PAPER: dict[str, Any] = {"networks": 3, "images": 10_000, "side": 256, "crop": 227, "batch": 32}
PAPER |= {"steps": 200_000, "measured": 5000, "preset": "paper", "streamed": True}
_PRESETS = {"small": SMALL, "paper": TrainingConfig()}
_ROWS = 20  # of a training's course


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    crop: int  # side of the squares that are cut from the pictures, in pixels
    batch: int  # squares a step
    steps: int  # steps of each training; the rate falls at the same shares of them as in the preset
    measured: int  # pictures of either half that losses are taken on, at most
    preset: Literal["small", "paper"] = "small"  # of rates, Adam and weight decay
    learning_rate: float | None = None  # of Adam; by default the preset's
    channels: int | None = None  # of every layer of random CNNs; by default the architecture's own
    streamed: bool = False  # train on all of the folder but what is held out


@dataclass(frozen=True, kw_only=True)
class AgainstTrained(TrainingSettings):
    trained: tuple[str, ...] = ()  # architectures of which trained weights were given

    def kinds(self, architecture: str) -> tuple[str, ...]:
        """Kinds of encoder that there are of an architecture."""
        return ("random", "trained") if architecture in self.trained else ("random",)


class Training:
    """A DCN at the start of its training, with what it is trained and measured on.

    Network `number` draws its CNN, its DCN and its squares by `seed` + `number`. The first half of
    the pictures, which has the cat, is held out where it is even; the second one where it is odd. A
    training is the source of its own batches. With `trained`, the CNN is the trained one of the
    network's architecture, which fixes what its weights are tied to; with `switches`, the DCN takes
    pooling switches from it (`recon.training.switches`).

    Raises:
        ValueError: If the pictures are fewer than two or smaller than the crop, or the trained
            CNN lacks the layer.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        network: NetworkConfig,
        pictures: Pictures,
        *,
        number: int,
        seed: int,
        trained: bool = False,
        switches: bool = False,
    ) -> None:
        if len(pictures.names) < 2 or settings.crop > settings.side:
            raise ValueError(
                f"pictures must be at least 2, of at least {settings.crop} px;"
                f" received {len(pictures.names)} of {settings.side} px"
            )
        weights, source = None, "random"
        self.weights = f"{network.law} {network.std:g}"  # or the name of the trained ones
        if trained:
            encoder = pictures.encoder(network.architecture).up_to(network)
            network, weights = encoder.network, encoder.weights
            self.weights = source = encoder.name
        preset = _PRESETS[settings.preset]
        share = settings.steps / preset.steps
        self.config = replace(
            preset,
            network=network,
            weights=source,
            seed=seed + number,
            crop=settings.crop,
            batch=settings.batch,
            steps=settings.steps,
            learning_rate=settings.learning_rate or preset.learning_rate,
            milestones=tuple(max(1, round(share * step)) for step in preset.milestones),
            precision="float32",
        )
        self.held_out, self.training = (  # uint8 (pictures, side, side, 3)
            np.rint(255 * pictures.pixels[half]).astype(np.uint8)
            for half in half_of(len(pictures.names), number)
        )
        self._stream = None
        if pictures.index is not None:
            out = set(pictures.files[half_of(len(pictures.names), number)[0]])
            left = tuple(name for name in pictures.index.names if name not in out)
            sizes = {"batch": settings.batch, "crop": settings.crop}
            index = replace(pictures.index, names=left)
            self._stream = Batches(index, **sizes, seed=self.config.seed)
        self.networks = models.build_networks(self.config, weights)  # as they are before any step
        if switches:
            self.networks = with_switches(self.networks)
        self._measured = settings.measured
        self._model = models.inversion_model(self.config, self.networks)

    def __getitem__(self, number: int) -> np.ndarray:
        if self._stream is not None:
            return self._stream[number].pixels
        return random_squares(self.training, self.config, number)

    def run(
        self, *, rows: Sequence[int] = (), each: Callable[[int], None] = lambda _: None
    ) -> list[Row]:
        """Takes all steps; COURSE_COLUMNS after those of `rows`, which rise, then calls `each`.

        They are the mean loss of the batches since the row before, each before its step, and the
        loss of the pictures held out, of squares in their middle.
        """
        course, held_out = [], self.middle(self.held_out)

        def after_batch(batch: int, logs: Mapping[str, Any]) -> None:
            if batch + 1 in rows:
                mse = models.mean_squared_error(self.config, logs["error"])
                self._model.reset_metrics()  # the next row's mean begins here
                validation = float(self.errors(held_out).mean())
                course.append(dict(zip(COURSE_COLUMNS, (batch + 1, mse, validation), strict=True)))
                each(batch + 1)

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=after_batch)
        fit(self._model, self, self.config, [callback])
        return course

    def middle(self, pictures: np.ndarray) -> np.ndarray:
        """Squares in the middle of the first pictures of a half: what losses are taken on."""
        start = (pictures.shape[1] - self.config.crop) // 2
        cut = slice(start, start + self.config.crop)
        return pictures[: self._measured, cut, cut]

    def errors(self, squares: np.ndarray) -> np.ndarray:
        """Mean squared error of each of some uint8 squares, float64 (squares,)."""
        back = models.reconstruct(self._model, squares, self.config.batch).astype(np.float64)
        return np.square(back - squares / 255).mean(axis=(1, 2, 3))

    @property
    def trained(self) -> CnnDcn:
        """The networks after the steps taken so far."""
        return models.trained_networks(self.networks, self._model.layers[-1].get_weights())


def half_of(count: int, number: int) -> tuple[slice, slice]:
    """Which of `count` pictures network `number` has held out, and which it is trained on."""
    halves = slice(0, (count + 1) // 2), slice((count + 1) // 2, count)
    return halves if number % 2 == 0 else halves[::-1]


def held_out(settings: TrainingSettings, cell: Cell, most: int) -> range:
    """Numbers of the first pictures, `most` of them, that the network of a cell has held out."""
    return range(settings.images)[half_of(settings.images, cell["network"])[0]][:most]


def random_squares(pictures: np.ndarray, config: TrainingConfig, number: int) -> np.ndarray:
    """Batch `number` (from 0) of a training, a function of it and the seed alone.

    Returns:
        uint8 (batch, crop, crop, 3): squares of uint8 pictures (pictures, side, side, 3), drawn
        with replacement, from anywhere in them, every other one mirrored at random.
    """
    rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(1, number)))
    room = pictures.shape[1] - config.crop + 1
    found = np.empty((config.batch, config.crop, config.crop, 3), np.uint8)
    for square in found:
        picture = pictures[rng.integers(len(pictures))]
        top, left = rng.integers(room, size=2)
        cut = picture[top : top + config.crop, left : left + config.crop]
        square[...] = cut[:, ::-1] if rng.random() < 0.5 else cut
    return found


def row_steps(settings: TrainingSettings) -> list[int]:
    """Steps after which a course has rows: the first and the last, denser towards the first."""
    places = np.linspace(0, 1, _ROWS) ** 2
    return sorted({max(1, round(settings.steps * place)) for place in places.tolist()})


def plan(settings: TrainingSettings, architecture: str, block: int, **named: Any) -> NetworkConfig:
    """The papers' pair at Conv `block`, before its pool, with further settings by name."""
    named = {"architecture": architecture, "layer": f"conv{block}", **named}
    return replace(SMALL.network, channels=settings.channels, **named)


class TrainedSweep(Experiment):
    """A sweep whose cells train one DCN each.

    A cell names what is trained by "network", and may by "architecture", "block", "law", "std" and
    "encoder" ("random" or "trained").
    """

    block = 2  # the k of Conv k, where cells have none
    network: Mapping[str, Any] = MappingProxyType({})  # what else all have of `NetworkConfig`
    switches = False  # whether DCNs take pooling switches from the CNN

    def training(
        self, settings: TrainingSettings, cell: Cell, pictures: Pictures, seed: int
    ) -> Training:
        """The training of a cell."""
        law: Row = {name: cell[name] for name in ("law", "std") if name in cell}
        architecture, block = cell.get("architecture", "vgg16"), cell.get("block", self.block)
        network = plan(settings, architecture, block, **self.network, **law)
        return Training(
            settings,
            network,
            pictures,
            number=cell["network"],
            seed=seed,
            trained=cell.get("encoder") == "trained",
            switches=self.switches,
        )


def of_encoder(kind: str, weights: Iterable[str]) -> str:
    """A kind of encoder in a legend: "random", or "trained (FILE)"."""
    return kind if kind == "random" else f"{kind} ({', '.join(dict.fromkeys(weights))})"
