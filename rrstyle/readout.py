"""The DCN's last layer: random, solved in closed form, or a mix of the two.

All layers but the last stay random. The last, a linear convolution, is solved by ridge
regression from its input to the pixels of images at hand: one linear system, no training.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from rrstyle.config import NetworkConfig
from rrstyle.networks import Network, build_dcn, convolutions, dcn_network

# Regularisation, relative to the mean diagonal of the normal equations. Large enough that noise
# in features which no image ever produced (an FVT's) is not amplified.
RIDGE = 1e-4
# Pixels of an image that enter the regression of a style transfer, on a regular lattice. More
# changed the result by less than 1 dB at 16 to 64 channels.
LATTICE_PIXELS = 8192
_TILE_ROWS = 16_384


def design_matrix(padded, kernel: int, *, step=1, xp: Any = np):
    """Rows of a convolution's input patches, with a 1 for the bias.

    Args:
        padded: (height + kernel - 1, width + kernel - 1, channels), borders padded already.
        kernel: Side of the convolution.
        step: Every `step`-th pixel each way gives a row.
        xp: NumPy, or keras.ops inside an exported graph.

    Returns:
        (rows, kernel * kernel * channels + 1); columns in the order of a Keras kernel.
    """
    shape = xp.shape(padded)
    height, width = shape[0] - kernel + 1, shape[1] - kernel + 1
    channels = padded.shape[-1]
    shifted = [
        padded[dy : dy + height : step, dx : dx + width : step]
        for dy in range(kernel)
        for dx in range(kernel)
    ]
    rows = xp.reshape(xp.concatenate(shifted, axis=-1), (-1, kernel * kernel * channels))
    return xp.concatenate([rows, xp.ones_like(rows[:, :1])], axis=-1)


def lattice_step(height: int, width: int) -> int:
    """Step of the lattice on an image of this size."""
    return int(np.ceil(np.sqrt(height * width / LATTICE_PIXELS)))


def solve_ridge(squares, products, *, xp: Any = np):
    """Solution (unknowns, outputs) of the normal equations A^T A, A^T y, in float64."""
    size = squares.shape[0]
    ridge = RIDGE * xp.trace(squares) / size + 1e-30  # the second for features that are all zero
    return xp.linalg.solve(squares + ridge * xp.eye(size, dtype="float64"), products)


@functools.lru_cache(maxsize=32)
def _hidden_plan(config: NetworkConfig) -> keras.Model:
    """The DCN from [features, reference] to the padded input of its last convolution."""
    dcn = build_dcn(config, seed=0)
    last = convolutions(dcn)[-1]
    hidden = last.input
    if config.padding == "zero":
        before, after = (last.kernel_size[0] - 1) // 2, last.kernel_size[0] // 2
        hidden = keras.layers.ZeroPadding2D(((before, after), (before, after)))(hidden)
    return keras.Model(dcn.inputs, hidden)


def split_dcn(config: NetworkConfig, *, seed: int) -> tuple[Network, np.ndarray]:
    """The random DCN in two: its random layers, and the kernel of its last one.

    Returns:
        Network from (features, reference) to the padded input of the last convolution, (batch,
        height + k - 1, width + k - 1, channels), and that convolution's random kernel (k, k,
        channels, 3).
    """
    *weights, kernel, _ = dcn_network(config, seed=seed).weights
    return Network(_hidden_plan(config), tuple(weights)), kernel


@dataclass(frozen=True)
class Decoder:
    """A DCN with the readout chosen for it.

    Attributes:
        hidden: The random layers, see `split_dcn`.
        kernel: Last layer, (k, k, channels, 3), float32.
        bias: Its bias, (3,), float32.
    """

    hidden: Network
    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Image (*size, 3), float32, unbounded, of features (rows, columns, channels)."""
        return self.read(run_hidden(self.hidden, features, size))

    def read(self, padded: np.ndarray) -> np.ndarray:
        """The last layer alone."""
        image = ops.conv(ops.convert_to_tensor(padded[None]), ops.convert_to_tensor(self.kernel))
        return ops.convert_to_numpy(image)[0] + self.bias


def run_hidden(network: Network, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Padded input of the last layer, for an image of `size`."""
    reference = np.zeros((1, *size, 1), np.float32)  # only its size is read
    return ops.convert_to_numpy(network(features[None], reference))[0]


def build_decoder(
    config: NetworkConfig,
    pairs: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    seed: int,
    wildness: float = 0.0,
    every_pixel: bool = False,
) -> Decoder:
    """The random DCN of `config` with its readout.

    Args:
        config: Plan of the networks.
        pairs: (features, image) pairs to solve the ridge on, of shapes (rows, columns, channels)
            and (height, width, 3); a random readout is scaled to the first.
        seed: Names the DCN.
        wildness: 0 for the ridge readout, 1 for the random one, between them their mix.
        every_pixel: Use all pixels, in tiles, rather than a lattice of LATTICE_PIXELS an image.

    Returns:
        The decoder.
    """
    model, random_kernel = split_dcn(config, seed=seed)
    if wildness == 1:
        pairs = pairs[:1]
    padded = [run_hidden(model, features, image.shape[:2]) for features, image in pairs]
    random = _presentable(
        Decoder(model, random_kernel, np.zeros(3, np.float32)), padded[0], pairs[0][1]
    )
    if wildness == 1:
        return random
    ridge = _ridge(model, random_kernel.shape, padded, [image for _, image in pairs], every_pixel)
    kernel = (1 - wildness) * ridge.kernel + wildness * random.kernel
    bias = (1 - wildness) * ridge.bias + wildness * random.bias
    return Decoder(model, kernel.astype(np.float32), bias.astype(np.float32))


def _ridge(model, shape, padded, images, every_pixel: bool) -> Decoder:
    scale = np.float32(1 / max(float(padded[0].std()), 1e-30))  # the solve sees numbers about 1
    squares = products = np.zeros(())
    for hidden, image in zip(padded, images, strict=True):
        step = 1 if every_pixel else lattice_step(*image.shape[:2])
        a, b = normal_equations(hidden * scale, image, shape[0], step)
        squares, products = squares + a, products + b
    weights = solve_ridge(squares, products).astype(np.float32)
    return Decoder(model, (scale * weights[:-1]).reshape(shape), weights[-1])


def normal_equations(padded, image, kernel: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """A^T A and A^T y of an image in float64, by strips: memory does not grow with the image."""
    height, width = image.shape[:2]
    strip = step * max(1, _TILE_ROWS * step // width)
    unknowns = kernel * kernel * padded.shape[-1] + 1
    squares, products = np.zeros((unknowns, unknowns)), np.zeros((unknowns, image.shape[-1]))
    for top in range(0, height, strip):
        tile = padded[top : top + strip + kernel - 1]
        rows = design_matrix(tile, kernel, step=step)
        targets = image[top : top + strip : step, ::step].reshape(-1, image.shape[-1])
        # float32 products of at most _TILE_ROWS rows, summed in float64.
        squares += rows.T @ rows
        products += rows.T @ targets
    return squares, products


def _presentable(decoder: Decoder, padded: np.ndarray, image: np.ndarray) -> Decoder:
    """A random readout brought to the range of `image`.

    The output of a random network has no meaningful scale, offset or sign. One scale and one
    offset for the three channels together bring it to the mean and standard deviation of the
    image, inverted where its grey picture would be a negative; its false colours stay.
    """
    raw = decoder.read(padded)
    factor = float(image.std()) / max(float(raw.std()), 1e-30)
    if np.mean((raw.mean(axis=-1) - raw.mean()) * (image.mean(axis=-1) - image.mean())) < 0:
        factor = -factor
    kernel = (factor * decoder.kernel).astype(np.float32)
    bias = np.full(3, image.mean() - factor * raw.mean(), np.float32)
    return Decoder(decoder.hidden, kernel, bias)
