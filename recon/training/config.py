"""Every setting of a training and its default: those of the paper, and a preset for two cores.

This file imports nothing heavy: the command needs it to print its help.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", sections 2.1, 3.1.
"""

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Literal

from rrstyle.config import Checked, NetworkConfig, are, is_a, is_seed, is_share, is_whole

# Settings that decide when something is written, or when the training ends, but no weight on the
# way there: a continued run may change them.
FREE_ON_RESUME = frozenset({"steps", "log_every", "checkpoint_every", "sample_every"})


_MOST_STEPS = 10**9


def _is_below_1(value: Any) -> bool:
    return is_share(value) and value < 1


def _rise(values: Any) -> bool:
    step = partial(is_whole, low=1, high=_MOST_STEPS)
    return are(step, values, 0, 1000) and all(a < b for a, b in pairwise(values))


@dataclass(frozen=True)
class Schedule(Checked):
    """What every training has: its steps, their optimizer, and what is written when."""

    task: ClassVar[str]  # names the kind of training in a run's record

    seed: int = 0
    """Names the random weights, and the order and cuts of the pictures."""
    crop: int = 227
    """Side of the squares cut from the pictures, in pixels."""
    batch: int = 32
    """Squares a step, over all devices."""
    steps: int = 200_000
    """Steps in all. A continued run may raise them: its rates are those of a run that had them
    from the start, since milestones are counted in steps."""
    learning_rate: float = 1e-4
    """Adam's step size before the first milestone."""
    milestones: tuple[int, ...] = (100_000, 150_000)
    """Numbers of steps after which the rate falls ("multistep"). The paper names none: ours."""
    rate_factor: float = 0.1
    """Factor of the rate at each milestone, Caffe's gamma; ours too."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's decay rates of the mean gradient and of the mean squared gradient."""
    weight_decay: float = 4e-4
    """Weight of the squared kernels: this times a kernel is added to its gradient before Adam
    sees it, as Caffe does (not AdamW's decoupled decay). Biases do not decay."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the layers; weights, Adam and the loss are float32 in any case. auto takes
    bfloat16 where the processor gains by it."""
    log_every: int = 20
    """Steps between two rows of the log."""
    checkpoint_every: int = 1000
    """Steps between two checkpoints: a killed run loses fewer than that."""
    validation: float = 0.1
    """Share of the pictures that is held out, to find the best checkpoint; 0 for none."""

    def check(self) -> None:
        self.require("an integer from 0 to 2^128", is_seed, "seed")
        self.require_whole(1, 8192, "crop")
        self.require_whole(1, 65536, "batch")
        self.require_whole(1, _MOST_STEPS, "steps", "log_every", "checkpoint_every")
        self.require_number(1e-9, 1000, "learning_rate")
        self.require_number(1e-6, 1000, "rate_factor")
        words = f"at most 1000 integers from 1 to {_MOST_STEPS}, rising"
        self.require(words, _rise, "milestones")
        words = "two numbers from 0 to below 1"
        self.require(words, lambda v: are(_is_below_1, v, 2, 2), "betas")
        self.require_number(0, 1e5, "weight_decay")
        self.require("from 0 to below 1", _is_below_1, "validation")

    def rate(self, step: int) -> float:
        """The learning rate of step number `step`, counted from 1."""
        passed = sum(step > milestone for milestone in self.milestones)
        return self.learning_rate * self.rate_factor**passed


# Leaky in both halves (section 2.1); a trained CNN is to get the ReLUs it was trained with.
_PAPER_NETWORK = NetworkConfig(
    layer="conv2",
    padding="zero",
    encoder_activation="leaky_relu",
    decoder_activation="leaky_relu",
    std=0.015,
)


@dataclass(frozen=True)
class TrainingConfig(Schedule):
    """The training of a DCN that inverts a frozen CNN.

    Rates and decay are those of pictures from 0 to 255: so we read the papers, which name Caffe
    and no range.
    """

    task: ClassVar[str] = "inversion"

    network: NetworkConfig = _PAPER_NETWORK
    """The CNN, and the DCN that mirrors it; law and std are those of a random CNN."""
    weights: str = "random"
    """Weights of the CNN: random, or the name of the trained ones that are given."""
    sample_every: int = 1000
    """Steps between two sheets of reconstructions."""

    def check(self) -> None:
        words = "random or the name of trained weights"
        self.require(words, partial(is_a, str), "weights")
        self.require_whole(1, _MOST_STEPS, "sample_every")
        super().check()


_WHOLE_NETWORK = NetworkConfig(layer="conv5", padding="zero", law="he")


@dataclass(frozen=True)
class ClassifierConfig(Schedule):
    """The training of a CNN itself, as a classifier: the encoders "trained" of the paper.

    Its convolutions start from He's law and end in global average pooling and a dense layer.
    """

    task: ClassVar[str] = "classification"

    network: NetworkConfig = _WHOLE_NETWORK
    """The CNN; what concerns a DCN plays no part."""
    weight_decay: float = 1e-4


SMALL = replace(
    TrainingConfig(),
    crop=64,
    batch=16,
    steps=2000,
    learning_rate=1e-3,
    milestones=(1200, 1700),
    checkpoint_every=100,
    sample_every=200,
)
"""Fits two processor cores in well under an hour; the rate is higher as the steps are fewer."""

SMALL_CLASSIFIER = replace(
    ClassifierConfig(),
    crop=32,
    steps=3000,
    learning_rate=3e-4,
    milestones=(2000, 2600),
    checkpoint_every=250,
)
"""For pictures of 32 x 32, on two processor cores."""
