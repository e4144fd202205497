"""One step of the training: squared loss of a frozen CNN's inversion, its gradients, and Adam.

All of it are pure functions of `keras.ops`, so that both backends, and every number of devices,
compute the same.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.1; Kingma
and Ba, "Adam", 2015.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from recon.training.config import Schedule, TrainingConfig
from rrstyle import backend
from rrstyle.networks.build import cnn_network, decoder_model, draw_weights, minimum_side
from rrstyle.networks.laws import DECODER
from rrstyle.networks.plan import plan_of

EPSILON = 1e-8  # of Adam: the one of its paper, and of Caffe


@dataclass(frozen=True)
class Pair:
    """The CNN and the DCN of a training: their models, and the weights these start from.

    Attributes:
        cnn: Images (batch, crop, crop, 3) in [0, 1] to features.
        dcn: [features, images] to images.
        encoder: Weights of the CNN, which stay.
        decoder: Weights of the DCN at step 0: "MSRA" (He) kernels, zero biases.
    """

    cnn: keras.Model
    dcn: keras.Model
    encoder: tuple[np.ndarray, ...]
    decoder: tuple[np.ndarray, ...]


def build_pair(config: TrainingConfig, encoder_weights: Sequence[np.ndarray] | None = None) -> Pair:
    """The networks of a training.

    Args:
        config: Its settings, the precision among them.
        encoder_weights: Trained weights of the CNN, (kernel, bias) by layer; by default it is
            random, drawn by the seed of the config.

    Raises:
        ValueError: If the weights are not those of the CNN, or the crop is too small for it.
    """
    if (encoder_weights is None) != (config.weights == "random"):
        raise ValueError(
            "encoder_weights must be given unless weights is random, and only then; received"
            f" weights {config.weights!r} {'without' if encoder_weights is None else 'with'} them"
        )
    if config.crop < minimum_side(config.network):
        raise ValueError(
            f"crop must be at least {minimum_side(config.network)} for this network;"
            f" received {config.crop}"
        )
    random = cnn_network(config.network, seed=config.seed)
    encoder = random.weights
    if encoder_weights is not None:
        encoder = tuple(np.asarray(weight, np.float32) for weight in encoder_weights)
        found, wanted = ([w.shape for w in weights] for weights in (encoder, random.weights))
        if found != wanted:
            raise ValueError(f"encoder_weights must have the shapes {wanted}; received {found}")
    plan = decoder_model(plan_of(config.network))
    decoder = draw_weights(plan, "he", config.network.std, config.seed, DECODER)
    precision = backend.resolve_precision(config.precision)
    return Pair(
        computing_in(precision, random.model), computing_in(precision, plan), encoder, decoder
    )


def computing_in(precision: str, plan: keras.Model) -> keras.Model:
    """A plan itself, or its copy whose layers compute in bfloat16 on float32 weights."""
    if precision == "float32":
        return plan

    def mixed(layer):
        return type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})

    return keras.models.clone_model(plan, clone_function=mixed)


def unit_images(pixels: Any) -> Any:
    """uint8 pixels as float32 in [0, 1]."""
    return ops.cast(pixels, "float32") / 255


def reconstruct(pair: Pair, decoder: Sequence, encoder: Sequence, images: Any) -> Any:
    """What the DCN makes of the CNN's features: float32 (batch, height, width, 3), unbounded."""
    features, _ = pair.cnn.stateless_call(list(encoder), [], images)
    back, _ = pair.dcn.stateless_call(list(decoder), [], [features, images])
    return ops.cast(back, "float32")


def inversion_loss(pair: Pair, decoder: Sequence, encoder: Sequence, images: Any) -> Any:
    """Half the squared L2 norm of the error, summed over the images.

    `1/2 sum_i ||DCN(CNN(x_i)) - x_i||^2`: equation 1 of the paper, halved. A step divides it by
    the batch, which makes it Caffe's EuclideanLoss.
    """
    # No gradient is taken by the encoder or the images, and so none is computed for the CNN.
    return ops.sum(ops.square(reconstruct(pair, decoder, encoder, images) - images)) / 2


def mean_squared_error(config: TrainingConfig, loss: float) -> float:
    """The mean over pixels and colours that belongs to a loss (an image's half squared norm)."""
    return 2 * loss / (3 * config.crop**2)


@dataclass(frozen=True)
class State:
    """What a step changes; each is a tuple in the order of the DCN's weights.

    Attributes:
        weights: Of the DCN, (kernel, bias) by layer.
        means: Adam's running means of the gradients.
        squares: Adam's running means of the squared gradients.
    """

    weights: tuple
    means: tuple
    squares: tuple

    @classmethod
    def start(cls, weights: Sequence[np.ndarray]) -> "State":
        """Before the first step."""
        return cls(tuple(weights), *(tuple(np.zeros_like(w) for w in weights) for _ in range(2)))

    @property
    def parts(self) -> tuple[tuple, tuple, tuple]:
        """The three of them, as backends take nested tuples."""
        return self.weights, self.means, self.squares

    def arrays(self) -> dict[str, np.ndarray]:
        """By name, for a checkpoint."""
        names = ("decoder", "adam_mean", "adam_square")
        return {
            f"{name}_{position:02d}": np.asarray(array)
            for name, part in zip(names, self.parts, strict=True)
            for position, array in enumerate(part)
        }

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "State":
        """The inverse of `arrays`."""
        ordered = [arrays[name] for name in sorted(arrays)]
        count = len(ordered) // 3
        means, squares, weights = (tuple(ordered[i * count :][:count]) for i in range(3))
        return cls(weights, means, squares)


def adam(
    weights, means, squares, gradients, *, scale, betas, weight_decay, levels: float = 1.0
) -> tuple:
    """Adam on gradients to which the decay of the kernels is added first (L2, as Caffe's).

    `g += decay w` for kernels, `m += (1 - b1) (g - m)`, `v += (1 - b2) (g^2 - v)`,
    `w -= scale m / (sqrt(v) + 1e-8)`.

    With L levels these are the steps of a training on pictures, and of features, L times as large:
    its squared loss and a kernel's gradient are then L^2 times as large, a bias is L times as large
    and its gradient too. So a bias moves by 1 / L of what it would, and kernels decay by 1 / L^2.

    Args:
        weights, means, squares, gradients: Sequences of tensors, in one order.
        scale: `TrainingConfig.adam_scale` of the step.
        betas: b1 and b2.
        weight_decay: Of kernels, which are the weights with 4 axes.
        levels: L.

    Returns:
        The new weights, means and squares, each a tuple.
    """
    first, second = betas
    result = []
    for w, m, v, g in zip(weights, means, squares, gradients, strict=True):
        length, epsilon = scale / levels, EPSILON / levels
        if len(w.shape) == 4:
            g = g + weight_decay / levels**2 * w
            length, epsilon = scale, EPSILON / levels**2
        m = m + (1 - first) * (g - m)
        v = v + (1 - second) * (ops.square(g) - v)
        result.append((w - length * m / (ops.sqrt(v) + epsilon), m, v))
    return tuple(zip(*result, strict=True))


class Steps:
    """Steps of one training on one or several devices; weights stay there between them.

    A subclass says what the loss is. It and what it is computed from are pure functions.

    Attributes:
        levels: `adam`'s.

    Args:
        config: Its settings.
        state: To start or continue from, as arrays.
        fixed: Arrays that the loss takes beside the weights, which no step changes.
        devices: Of `rrstyle.backend.parallel`.

    Raises:
        ValueError: If the devices cannot share the batch.
    """

    levels: ClassVar[float] = 1.0

    def __init__(self, config: Schedule, state: State, fixed: Sequence, *, devices: Any) -> None:
        self._config, self._devices = config, devices
        if config.batch % self._devices.count:
            raise ValueError(
                f"batch must be a multiple of the {self._devices.count} devices;"
                f" received {config.batch}"
            )
        exact = backend.resolve_precision(config.precision) == "float32"
        self._precision = backend.full_precision if exact else nullcontext
        self._state = self._devices.replicate(state.parts)
        self._fixed = self._devices.replicate(tuple(fixed))
        self._step = self._devices.compile(self._step_function, batched_result=False)
        self._outputs = self._devices.compile(self._outputs_function, batched_result=True)

    def loss(self, weights: Sequence, fixed: Sequence, *batch: Any) -> Any:
        """The loss summed over the images of a part of a batch, a pure function."""
        raise NotImplementedError

    def output(self, weights: Sequence, fixed: Sequence, pixels: Any) -> Any:
        """What the trained network makes of uint8 images, image by image; a pure function."""
        raise NotImplementedError

    def step_on(self, batch: Sequence[np.ndarray], number: int) -> Any:
        """Takes step `number` (from 1).

        Args:
            batch: Arrays that `loss` takes, whose first axis is that of the images.
            number: Of the step.

        Returns:
            The loss of the batch before the step, a tensor that may still be under computation.
        """
        scale = self._devices.replicate(np.float32(self._config.adam_scale(number)))
        parts = tuple(self._devices.split(array) for array in batch)
        with self._precision():
            self._state, loss = self._step(self._state, self._fixed, parts, scale)
        return loss

    def outputs(self, pixels: np.ndarray) -> np.ndarray:
        """`output` of uint8 images, any number."""
        parts, size = [], self._config.batch
        for start in range(0, len(pixels), size):
            part = pixels[start : start + size]
            # One shape, one compilation: the last part is filled up with its own first image.
            filled = np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])
            batch = self._devices.split(filled)
            with self._precision():
                found = self._outputs(self._state, self._fixed, batch)
            parts.append(self._devices.gather(found)[: len(part)])
        return np.concatenate(parts)

    def state(self) -> State:
        """A copy of the state, as arrays."""
        return State(*(tuple(map(self._devices.first, part)) for part in self._state))

    def number(self, loss: Any) -> float:
        """A loss that `step_on` returned, once it is computed."""
        return float(self._devices.first(loss))

    def _step_function(self, state, fixed, batch, scale):
        weights, means, squares = state
        config = self._config

        def share(weights):
            return self.loss(weights, fixed, *batch) / config.batch

        loss, gradients = backend.value_and_grad(share)(tuple(weights))
        loss, *gradients = self._devices.sum((loss, *gradients))
        state = adam(
            weights,
            means,
            squares,
            gradients,
            scale=scale,
            betas=config.betas,
            weight_decay=config.weight_decay,
            levels=self.levels,
        )
        return state, loss

    def _outputs_function(self, state, fixed, pixels):
        return self.output(state[0], fixed, pixels)


class Trainer(Steps):
    """The steps of a DCN.

    Args:
        config: Its settings.
        pair: Of `build_pair`.
        state: To start or continue from, as arrays.
        devices: Of `rrstyle.backend.parallel`.

    Raises:
        ValueError: If the devices cannot share the batch.
    """

    # The papers' rates are taken for Caffe's pictures, from 0 to 255. It matters: with pictures
    # from 0 to 1 the biases learn the mean picture first, and a deep DCN then hardly leaves it.
    levels = 255.0

    def __init__(self, config: TrainingConfig, pair: Pair, state: State, *, devices: Any) -> None:
        self._pair = pair
        super().__init__(config, state, pair.encoder, devices=devices)

    def loss(self, weights: Sequence, fixed: Sequence, *batch: Any) -> Any:
        """`inversion_loss` of uint8 images."""
        return inversion_loss(self._pair, weights, fixed, unit_images(batch[0]))

    def output(self, weights: Sequence, fixed: Sequence, pixels: Any) -> Any:
        """`reconstruct` of uint8 images."""
        return reconstruct(self._pair, weights, fixed, unit_images(pixels))

    def step(self, pixels: np.ndarray, number: int) -> Any:
        """`step_on` of uint8 images (batch, crop, crop, 3)."""
        return self.step_on((pixels,), number)

    def reconstruct(self, pixels: np.ndarray) -> np.ndarray:
        """What the DCN makes of uint8 images, any number: float32, unbounded."""
        return self.outputs(pixels)

    def losses(self, pixels: np.ndarray) -> np.ndarray:
        """The loss of each of some uint8 images: half its squared error, float64."""
        back = self.reconstruct(pixels).astype(np.float64)
        return np.square(back - pixels / 255).sum(axis=(1, 2, 3)) / 2
