"""Every setting of a training and its default: those of the paper, and a preset for two cores.

This file imports nothing heavy: the command needs it to print its help.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", sections 2.1, 3.1.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from rrstyle.config import (
    NetworkConfig,
    _Checked,
    _is_count,
    _is_number,
    _is_positive,
    _is_share,
    _require,
)

# Settings that decide when something is written, or when the training ends, but no weight on the
# way there: a continued run may change them.
FREE_ON_RESUME = frozenset({"steps", "log_every", "checkpoint_every", "sample_every"})


@dataclass(frozen=True)
class Schedule(_Checked):
    """What every training has: its steps, their optimizer, and what is written when."""

    task: ClassVar[str]  # names the kind of training in a run's record

    seed: int = 0
    """Names random weights, and the order and cuts of the images."""
    crop: int = 227
    """Side of the training images, in pixels."""
    batch: int = 32
    """Images a step, over all devices."""
    steps: int = 200_000
    """Steps in all. A continued run may raise them: its rates are those of a run that had them
    from the start, since milestones are counted in steps."""
    learning_rate: float = 1e-4
    """Adam's step size before the first milestone."""
    milestones: tuple[int, ...] = (100_000, 150_000)
    """Numbers of steps after which the rate falls ("multistep"). The paper names none: ours."""
    rate_factor: float = 0.1
    """What the rate is multiplied by at each milestone; Caffe's gamma. Ours too."""
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
        _require("seed", self.seed, "a non-negative integer", _is_count(self.seed, 0))
        for name in ("crop", "batch", "steps", "log_every", "checkpoint_every"):
            value = getattr(self, name)
            _require(name, value, "a positive integer", _is_count(value, 1))
        for name in ("learning_rate", "rate_factor"):
            value = getattr(self, name)
            _require(name, value, "positive and finite", _is_positive(value))
        rising = isinstance(self.milestones, tuple) and all(
            _is_count(m, 1) and (i == 0 or m > self.milestones[i - 1])
            for i, m in enumerate(self.milestones)
        )
        _require("milestones", self.milestones, "positive integers, rising", rising)
        betas = isinstance(self.betas, tuple) and len(self.betas) == 2
        fractions = betas and all(_is_number(b) and 0 <= b < 1 for b in self.betas)
        _require("betas", self.betas, "two numbers from 0 to below 1", fractions)
        decay = self.weight_decay == 0 or _is_positive(self.weight_decay)
        _require("weight_decay", self.weight_decay, "0 or positive and finite", decay)
        share = _is_share(self.validation) and self.validation < 1
        _require("validation", self.validation, "from 0 to below 1", share)

    def rate(self, step: int) -> float:
        """The learning rate of step number `step`, counted from 1."""
        passed = sum(step > milestone for milestone in self.milestones)
        return self.learning_rate * self.rate_factor**passed


def _paper_network() -> NetworkConfig:
    # Leaky in both halves (section 2.1); a trained CNN is to get the ReLUs it was trained with.
    return NetworkConfig(
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

    network: NetworkConfig = field(default_factory=_paper_network)
    """The CNN, and the DCN that mirrors it; law and std are those of a random CNN."""
    weights: str = "random"
    """Weights of the CNN: random, or the name of the trained ones that are given."""
    sample_every: int = 1000
    """Steps between two sheets of reconstructions."""

    def check(self) -> None:
        named = isinstance(self.weights, str) and self.weights != ""
        _require("weights", self.weights, "random or the name of trained weights", named)
        every = _is_count(self.sample_every, 1)
        _require("sample_every", self.sample_every, "a positive integer", every)
        super().check()


def _whole_network() -> NetworkConfig:
    return NetworkConfig(layer="conv5", padding="zero", law="he")


@dataclass(frozen=True)
class ClassifierConfig(Schedule):
    """The training of a CNN itself, as a classifier: the encoders "trained" of the paper.

    Its convolutions start from He's law and end in global average pooling and a dense layer.
    """

    task: ClassVar[str] = "classification"

    network: NetworkConfig = field(default_factory=_whole_network)
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
