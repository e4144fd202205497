"""Random CNNs, their mirrored DCNs, and the pair, as Keras models of any image size.

Names: the CNN (encoder) turns an image into features; the DCN (decoder) has the same layers in
reverse, with zero insertion for the pools and a crop to the image's size. CDk of the papers is
Conv[k]-DeConv[k], layer "conv<k>" tapped before its pool.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", sections 2 and 4.
"""

import functools
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rrstyle import backend
from rrstyle.config import NetworkConfig
from rrstyle.networks.laws import DECODER, ENCODER, draw_kernel, layer_rng
from rrstyle.networks.layers import CropTo, L2Pooling2D, ReflectPadding2D, ZeroInsertion2D
from rrstyle.networks.plan import ARCHITECTURES, Convolution

LEAKY_SLOPE = 0.2


@dataclass(frozen=True)
class _Stage:
    """One convolution of the pair: its CNN shape, and whether a pool follows it."""

    convolution: Convolution
    kernel: int
    inputs: int
    channels: int
    groups: int
    pooled: bool

    @property
    def step(self) -> int:
        """What it divides sides by."""
        return self.convolution.stride * (2 if self.pooled else 1)


def stages(config: NetworkConfig) -> tuple[_Stage, ...]:
    """The convolutions of a config with its overrides applied, data to features.

    Raises:
        ValueError: If the channels cannot be split into the architecture's groups.
    """
    architecture = ARCHITECTURES[config.architecture]
    plan = architecture.up_to(config.layer)
    result: list[_Stage] = []
    inputs = 3
    for position, c in enumerate(plan):
        last = position == len(plan) - 1
        ends_block = last or plan[position + 1].block != c.block
        # A tap at conv1_1 of VGG lies inside a block: no pool follows it.
        closes = architecture.up_to(f"conv{c.block}")[-1] == c
        pooled = ends_block and closes and c.block in architecture.pooled_blocks
        channels = config.channels or c.channels
        if channels % c.groups or inputs % c.groups:
            raise ValueError(
                f"channels must be a multiple of {c.groups}, the groups of {c.name}; "
                f"received {channels}"
            )
        result.append(
            _Stage(
                convolution=c,
                kernel=config.kernel or c.kernel,
                inputs=inputs,
                channels=channels,
                groups=c.groups,
                pooled=pooled and (not last or config.tap == "post_pool"),
            )
        )
        inputs = channels
    return tuple(result)


def minimum_side(config: NetworkConfig) -> int:
    """Fewest pixels a side that an image needs for the borders of every layer to be padded."""
    if config.padding == "zero":
        return 1
    side, factor = 1, 1
    for stage in stages(config):
        # Reflection needs ceil(side / factor) > kernel // 2, here and, at the same size, in the
        # mirrored convolution of the DCN.
        side = max(side, factor * (stage.kernel // 2) + 1)
        factor *= stage.step
    return side


def convolve(x, channels, *, kernel, stride=1, groups=1, padding="reflect", name, dtype=None):
    """A convolution with bias that keeps the size (divided by `stride`, rounded up)."""
    if padding == "reflect":
        x = ReflectPadding2D(kernel, dtype=dtype)(x)
    return layers.Conv2D(
        channels,
        kernel,
        strides=stride,
        groups=groups,
        padding="valid" if padding == "reflect" else "same",
        kernel_initializer="zeros",
        name=name,
        dtype=dtype,
    )(x)


def activate(x, kind: str, dtype=None):
    """ReLU, or leaky ReLU of slope 0.2."""
    if kind == "leaky_relu":
        return layers.LeakyReLU(negative_slope=LEAKY_SLOPE, dtype=dtype)(x)
    return layers.ReLU(dtype=dtype)(x)


def pool(x, kind: str, size: int, dtype=None):
    """Pooling with stride 2; sizes are halved and rounded up."""
    if kind == "max":
        return layers.MaxPooling2D(size, 2, padding="same", dtype=dtype)(x)
    if kind == "average":
        return layers.AveragePooling2D(size, 2, padding="same", dtype=dtype)(x)
    return L2Pooling2D(size, dtype=dtype)(x)


def draw_weights(model: keras.Model, law: str, std: float, seed: int, *path: int) -> tuple:
    """Random weights for every convolution of `model`, in its order; biases are zero.

    Args:
        model: A model whose only weights are those of convolutions with a bias.
        law: See `rrstyle.networks.laws`.
        std: See `rrstyle.networks.laws`.
        seed: Names the weights, with `path`.
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


def convolutions(model: keras.Model) -> list[layers.Conv2D]:
    """The convolutions of a model, data to result."""
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


@dataclass(frozen=True)
class Network:
    """A Keras model as a pure function, with weights of its own.

    One model, built and compiled once, serves every seed.

    Attributes:
        model: Its plan; the weights inside it are not used.
        weights: In the order of `model.trainable_variables`.
    """

    model: keras.Model
    weights: tuple

    def __call__(self, *inputs) -> Any:
        """The model's outputs, as tensors, for inputs with a batch axis."""
        tensors = [ops.convert_to_tensor(x, "float32") for x in inputs]
        return _compiled(self.model)(self.weights, tensors[0] if len(tensors) == 1 else tensors)


@functools.lru_cache(maxsize=64)
def _compiled(model: keras.Model):
    return backend.jit(lambda weights, x: model.stateless_call(list(weights), [], x)[0], maps=(1,))


def cnn_network(config: NetworkConfig, *, seed: int) -> Network:
    """The random CNN of `build_cnn` as a pure function."""
    model = _cnn_plan(config)
    return Network(model, draw_weights(model, config.law, config.std, seed, ENCODER))


def dcn_network(config: NetworkConfig, *, seed: int) -> Network:
    """The random DCN of `build_dcn` as a pure function."""
    model = dcn_plan(config)
    return Network(model, draw_weights(model, config.law, config.std, seed, DECODER))


def _with_weights(plan, network: Network) -> keras.Model:
    # A model of the caller's own: plans are shared.
    model = keras.models.clone_model(plan)
    model.set_weights(list(network.weights))
    return model


def build_cnn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random CNN.

    Args:
        config: Its plan and law.
        seed: Names the weights; the same seed is the same network on every backend.

    Returns:
        Model from images (batch, height, width, 3) in [0, 1] to features (batch, height / s,
        width / s, channels), rounded up, s the product of the strides.
    """
    return _with_weights(_cnn_plan(config), cnn_network(config, seed=seed))


@functools.lru_cache(maxsize=32)
def _cnn_plan(config: NetworkConfig) -> keras.Model:
    image = x = keras.Input((None, None, 3), name="image")
    for stage in stages(config):
        c = stage.convolution
        x = convolve(
            x,
            stage.channels,
            kernel=stage.kernel,
            stride=c.stride,
            groups=stage.groups,
            padding=config.padding,
            name=c.name,
        )
        x = activate(x, config.encoder_activation)
        if stage.pooled:
            x = pool(x, config.pooling, ARCHITECTURES[config.architecture].pool_size)
    return keras.Model(image, x, name="cnn")


def build_dcn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random DCN that mirrors `build_cnn`.

    Args:
        config: The plan of the CNN it mirrors.
        seed: Names the weights; a stream of its own, independent of the CNN's.

    Returns:
        Model from [features, reference] to images (batch, height, width, 3), unbounded: the last
        layer is linear. Only the size of `reference` (batch, height, width, any) is used: it is
        the size of the result.
    """
    return _with_weights(dcn_plan(config), dcn_network(config, seed=seed))


@functools.lru_cache(maxsize=32)
def dcn_plan(config: NetworkConfig) -> keras.Model:
    """The model of `build_dcn`, shared by all seeds: its weights are zero and not to be used."""
    plan = stages(config)
    features = x = keras.Input((None, None, plan[-1].channels), name="features")
    reference = keras.Input((None, None, None), name="reference")
    factor = 1
    for stage in plan:
        factor *= stage.step
    for position, stage in reversed(list(enumerate(plan))):
        if stage.step > 1:
            factor //= stage.step
            x = _upsample(x, config.upsampling, stage.step)
            x = CropTo(factor)([x, reference])
        x = convolve(
            x,
            stage.inputs,
            kernel=stage.kernel,
            groups=stage.groups,
            padding=config.padding,
            name=f"de{stage.convolution.name}",
        )
        if position:
            x = activate(x, config.decoder_activation)
    return keras.Model([features, reference], x, name="dcn")


def _upsample(x, kind: str, factor: int):
    if kind == "zero":
        return ZeroInsertion2D(factor)(x)
    return layers.UpSampling2D(factor, interpolation="nearest")(x)


def build_cnn_dcn(config: NetworkConfig, *, seed: int) -> keras.Model:
    """The random CNN followed by its random DCN (rrVGG, rrAlexNet): image to image."""
    cnn, dcn = build_cnn(config, seed=seed), build_dcn(config, seed=seed)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, dcn([cnn(image), image]), name="cnn_dcn")
