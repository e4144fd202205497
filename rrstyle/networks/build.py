"""Keras models of a plan: random CNNs, their mirrored DCNs and the pair, for any image size.

The CNN (encoder) turns an image into features; the DCN (decoder) has the same layers in reverse,
with an upsampling for each stride and a crop to the image's size. CDk of the papers is
Conv[k]-DeConv[k], layer "conv<k>" tapped before its pool.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", sections 2 and 4.
"""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rrstyle import backend
from rrstyle.config import NetworkConfig
from rrstyle.networks.laws import DECODER, ENCODER, draw_kernel, layer_rng
from rrstyle.networks.layers import (
    CropTo,
    L2Pooling2D,
    RandomLaw,
    ReflectPadding2D,
    ZeroInsertedConv2D,
    ZeroInsertion2D,
)
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample, plan_of

LEAKY_SLOPE = 0.2

# Position of a convolution in its model to the initialiser of its kernel.
Initialisers = Callable[[int], Any]


def keras_start(position: int) -> keras.initializers.Initializer:
    """A kernel of Keras' default law, for models that are called with other weights."""
    return keras.initializers.GlorotUniform(seed=position)


def convolve(
    x, layer: Conv, padding="reflect", *, biases=True, initialiser: Any = None, dtype=None
):
    """A convolution, not activated, that keeps the size (divided by its stride, rounded up)."""
    if padding == "reflect":
        x = ReflectPadding2D(layer.kernel, dtype=dtype)(x)
    return layers.Conv2D(
        layer.channels,
        layer.kernel,
        strides=layer.stride,
        groups=layer.groups,
        padding="valid" if padding == "reflect" else "same",
        use_bias=biases,
        kernel_initializer=initialiser or keras_start(0),
        name=layer.name or None,
        dtype=dtype,
    )(x)


def activate(x, kind: str, dtype=None):
    """ReLU, or leaky ReLU of slope 0.2."""
    if kind == "leaky_relu":
        return layers.LeakyReLU(negative_slope=LEAKY_SLOPE, dtype=dtype)(x)
    return layers.ReLU(dtype=dtype)(x)


def pool(x, layer: Pool, dtype=None):
    """A pool; sides are divided by its stride and rounded up."""
    if layer.kind == "l2":
        return L2Pooling2D(layer.size, layer.stride, dtype=dtype)(x)
    kind = layers.MaxPooling2D if layer.kind == "max" else layers.AveragePooling2D
    return kind(layer.size, layer.stride, padding="same", dtype=dtype)(x)


def encoder_model(plan: Plan, initialisers: Initialisers = keras_start) -> keras.Model:
    """The CNN of a plan, from images to features."""
    image = x = keras.Input((None, None, plan.head.channels), name="image")
    kernels = map(initialisers, itertools.count())
    for layer in plan.encoder:
        if isinstance(layer, Pool):
            x = pool(x, layer)
        else:
            x = convolve(x, layer, plan.padding, biases=plan.biases, initialiser=next(kernels))
            x = activate(x, plan.encoder_activation)
    return keras.Model(image, x, name="cnn")


def decoder_model(plan: Plan, initialisers: Initialisers = keras_start) -> keras.Model:
    """The DCN of a plan, from [features, reference] to images; see `build_dcn`."""
    features = x = keras.Input((None, None, plan.features), name="features")
    reference = keras.Input((None, None, None), name="reference")
    strides = [layer.stride for layer in plan.encoder if layer.stride > 1]
    kernels = map(initialisers, itertools.count())
    inserted = 1
    for layer, following in itertools.pairwise((*plan.decoder, plan.head, None)):
        if isinstance(layer, Upsample):
            factor = strides.pop()
            if _inserts(plan, layer, following, factor):
                inserted = factor
                continue
            zero = layer.kind == "zero"
            x = (ZeroInsertion2D(factor) if zero else layers.UpSampling2D(factor))(x)
            x = CropTo(math.prod(strides))([x, reference])
            continue
        assert isinstance(layer, Conv)
        if inserted > 1:
            x = ZeroInsertedConv2D(
                layer.channels,
                layer.kernel,
                factor=inserted,
                use_bias=plan.biases,
                kernel_initializer=next(kernels),
                name=layer.name or None,
            )(x)
            x = CropTo(math.prod(strides))([x, reference])
        else:
            x = convolve(x, layer, plan.padding, biases=plan.biases, initialiser=next(kernels))
        inserted = 1
        if following is not None:
            x = activate(x, plan.decoder_activation)
    return keras.Model([features, reference], x, name="dcn")


def _inserts(plan: Plan, layer: Upsample, following, factor: int) -> bool:
    """Whether an upsampling and the convolution after it are one ZeroInsertedConv2D."""
    return (
        layer.kind == "zero"
        and plan.padding == "zero"
        and isinstance(following, Conv)
        and following is not plan.head  # the readout takes its input, the zero-inserted map
        and following.groups == 1
        and ZeroInsertedConv2D.covers(following.kernel, factor)
    )


def hidden_model(dcn: keras.Model) -> keras.Model:
    """The DCN up to its last convolution, borders reflected for it; the layers are shared."""
    return keras.Model(dcn.inputs, convolutions(dcn)[-1].input)


def convolutions(model: keras.Model) -> list[layers.Conv2D]:
    """The convolutions of a model, data to result."""
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


def minimum_side(config: NetworkConfig) -> int:
    """Fewest pixels a side that an image needs for the borders of every layer to be padded."""
    return plan_of(config).minimum_side


def build_cnn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random CNN.

    Args:
        config: Plan and law of the networks.
        seed: Non-negative integer that names the weights, the same on every backend.

    Returns:
        Model from images (batch, height, width, 3) in [0, 1] to features (batch, height / s,
        width / s, channels), rounded up, s the product of the strides.
    """
    return encoder_model(plan_of(config), _laws(config, seed, ENCODER))


def build_dcn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random DCN that mirrors `build_cnn`, whose weights are independent.

    Returns:
        Model from [features, reference] to images (batch, height, width, 3), unbounded: the last
        layer is linear. Only the size of `reference` (batch, height, width, any) is used: it is
        the size of the result.
    """
    return decoder_model(plan_of(config), _laws(config, seed, DECODER))


def build_cnn_dcn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random CNN followed by its random DCN (rrVGG, rrAlexNet): image to image."""
    cnn, dcn = build_cnn(config, seed=seed), build_dcn(config, seed=seed)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, dcn([cnn(image), image]), name="cnn_dcn")


def _laws(config: NetworkConfig, seed: int, part: int) -> Initialisers:
    return lambda position: RandomLaw(config.law, config.std, seed=seed, path=(part, position))


def draw_weights(model: keras.Model, law: str, std: float, seed: int, *path: int) -> tuple:
    """Random kernels for the convolutions of `model`, with zero biases, see `laws.draw_kernel`.

    Args:
        model: Keras model without weights other than those of convolutions with a bias.
        law, std: Law and its true standard deviation.
        seed: Non-negative integer that names the weights, with `path`.
        path: Start of the spawn key; the position of the convolution ends it.

    Returns:
        (kernel, bias, kernel, bias, ...), float32, as in `model.trainable_variables`.
    """
    result = []
    for position, layer in enumerate(convolutions(model)):
        rng = layer_rng(seed, *path, position)
        result.append(draw_kernel(law, tuple(layer.kernel.shape), std=std, rng=rng))
        result.append(np.zeros(layer.bias.shape, np.float32))
    return tuple(result)


@dataclass(frozen=True)
class SharedNetwork:
    """A network that shares one compiled Keras model with others of its plan.

    Compiling takes longer than stylising a small picture: networks that differ only in their
    weights pass them to one function. `benchmarks/shared_networks.py` measures what that saves.

    Attributes:
        model: Keras model that is compiled once; calls do not use its own weights.
        weights: Weights of this network, in the order of `model.trainable_variables`.
    """

    model: keras.Model
    weights: tuple

    def __call__(self, *inputs) -> Any:
        """The model's outputs, as tensors, for inputs with a batch axis."""
        tensors = [ops.convert_to_tensor(x, "float32") for x in inputs]
        run = _compiled(self.model, int(tensors[0].shape[0]))
        return run(self.weights, tensors[0] if len(tensors) == 1 else tensors)

    def single(self, *inputs) -> np.ndarray:
        """The model's output for single images or features, without a batch axis."""
        return ops.convert_to_numpy(self(*(x[None] for x in inputs)))[0]


@functools.lru_cache(maxsize=64)
def _compiled(model: keras.Model, batch: int):
    """The model for this number of images, and images of any size."""
    return backend.jit(lambda weights, x: model.stateless_call(list(weights), [], x)[0], maps=(1,))


def shared(model: keras.Model) -> SharedNetwork:
    """A model with its own weights, compiled for images of every size."""
    return SharedNetwork(model, tuple(model.get_weights()))


_encoder_model = functools.lru_cache(maxsize=32)(encoder_model)
_decoder_model = functools.lru_cache(maxsize=32)(decoder_model)


def cnn_network(config: NetworkConfig, *, seed: int, trained: tuple | None = None) -> SharedNetwork:
    """The CNN of `build_cnn`, or one of `trained` weights; one compiled model for all of a plan."""
    model = _encoder_model(plan_of(config))
    weights = trained or draw_weights(model, config.law, config.std, seed, ENCODER)
    return SharedNetwork(model, weights)


def dcn_network(config: NetworkConfig, *, seed: int) -> SharedNetwork:
    """The random DCN of `build_dcn`, with one compiled model for all seeds and laws."""
    model = _decoder_model(plan_of(config))
    return SharedNetwork(model, draw_weights(model, config.law, config.std, seed, DECODER))
