"""The DCN's last layer: random, solved in closed form, or a mix of the two.

All layers but the last stay random. The last, a linear convolution, is solved by ridge
regression from its input to the pixels of images at hand: one linear system, no training.

Maps and images are NumPy arrays or, in an exported graph, tensors.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import threadpoolctl
from keras import ops

from rrstyle.config import NetworkConfig
from rrstyle.namespace import array_namespace
from rrstyle.networks.build import SharedNetwork, dcn_network, hidden_model
from rrstyle.pictures.luma import luminance

# Regularisation, relative to the mean diagonal of the normal equations: large enough not to
# amplify noise in transformed features, which no image has produced.
RIDGE = 1e-4
# Pixels of an image that enter the regression, on a regular lattice. More of them changed the
# result by less than 1 dB at 16 to 64 channels.
LATTICE_PIXELS = 8192
_TILE_ROWS = 16_384

# On one thread: where another program uses a core, NumPy's threads wait for each other, and
# 0.03 s become 0.2 s.
_one_thread = threadpoolctl.ThreadpoolController().wrap(limits=1, user_api="blas")


def design_matrix(padded, kernel: int, *, step=1):
    """Rows of a convolution's input patches, with a 1 for the bias.

    Args:
        padded: Maps (height + kernel - 1, width + kernel - 1, channels), borders padded already.
        kernel: Side of the filters.
        step: Distance between pixels that give a row, each way.

    Returns:
        (rows, kernel * kernel * channels + 1); columns in the order of a Keras kernel.
    """
    xp = array_namespace(padded)
    shape = xp.shape(padded)
    height, width = shape[0] - kernel + 1, shape[1] - kernel + 1
    channels = padded.shape[-1]
    shifted = [
        padded[dy : dy + height : step, dx : dx + width : step]
        for dy in range(kernel)
        for dx in range(kernel)
    ]
    rows = xp.reshape(xp.concatenate(shifted, axis=2), (-1, kernel * kernel * channels))
    return xp.concatenate([rows, xp.ones_like(rows[:, :1])], axis=-1)


def lattice_step(height, width):
    """Step of the lattice on an image of this size."""
    xp = array_namespace(height)
    pixels = xp.array(height, dtype="float64") * xp.array(width, dtype="float64")
    step = xp.ceil(xp.sqrt(pixels / LATTICE_PIXELS))
    step = int(step) if xp is np else xp.cast(step, "int32")
    # Odd: an even step would see one phase of a zero-inserted grid and none of the others.
    return step + (step + 1) % 2


@_one_thread
def solve_ridge(squares, products):
    """Solution (unknowns, outputs) of the normal equations A^T A, A^T y, in float64."""
    size, xp = squares.shape[0], array_namespace(squares)
    ridge = RIDGE * xp.trace(squares) / size + 1e-30  # not 0 for features that are all zero
    return xp.linalg.solve(squares + ridge * xp.eye(size, dtype="float64"), products)


@functools.lru_cache(maxsize=32)
def _padded_hidden(dcn: keras.Model, kernel: int, padding: str) -> keras.Model:
    """The DCN from [features, reference] to the padded input of its last convolution."""
    hidden = hidden_model(dcn)
    if padding == "reflect":
        return hidden
    both = (kernel - 1) // 2, kernel // 2
    return keras.Model(dcn.inputs, keras.layers.ZeroPadding2D((both, both))(hidden.output))


def split_dcn(config: NetworkConfig, *, seed: int) -> tuple[SharedNetwork, np.ndarray]:
    """The random DCN in two: its random layers, and the kernel of its last one.

    Returns:
        Network from (features, reference) to the padded input of the last convolution, (batch,
        height + k - 1, width + k - 1, channels), and that convolution's random kernel (k, k,
        channels, 3).
    """
    dcn = dcn_network(config, seed=seed)
    *weights, kernel, _ = dcn.weights
    model = _padded_hidden(dcn.model, kernel.shape[0], config.padding)
    return SharedNetwork(model, tuple(weights)), kernel


@dataclass(frozen=True)
class Decoder:
    """A DCN with the readout chosen for it.

    Attributes:
        hidden: Random layers, see `split_dcn`.
        kernel: Kernel of the last layer, (k, k, channels, 3), float32.
        bias: Bias of the last layer, (3,), float32.
    """

    hidden: SharedNetwork
    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Image (*size, 3), float32, unbounded, of features (rows, columns, channels)."""
        return apply_readout(run_hidden(self.hidden, features, size), self.kernel, self.bias)


def apply_readout(padded, kernel, bias):
    """The last layer: image (height, width, 3) of its padded input, unbounded."""
    image = ops.conv(ops.convert_to_tensor(padded)[None], ops.convert_to_tensor(kernel))[0]
    return (image if ops.is_tensor(padded) else ops.convert_to_numpy(image)) + bias


def run_hidden(network: SharedNetwork, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Padded input of the last layer, for an image of `size`."""
    reference = np.zeros((*size, 1), np.float32)  # only its size is read
    return network.single(features, reference)


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
        pairs: Features (rows, columns, channels) and image (height, width, 3) of each picture that
            the ridge is solved on; a random readout is scaled to the first.
        seed: Non-negative integer that names the DCN.
        wildness: 0 for the ridge readout, 1 for the random one, between them their mix.
        every_pixel: Use of all pixels, in tiles, in place of a lattice of LATTICE_PIXELS an image.

    Returns:
        The decoder.
    """
    model, random_kernel = split_dcn(config, seed=seed)
    if wildness == 1:
        pairs = pairs[:1]
    pairs = [(run_hidden(model, features, image.shape[:2]), image) for features, image in pairs]
    kernel, bias = fit_readout(random_kernel, pairs, wildness=wildness, every_pixel=every_pixel)
    return Decoder(model, kernel, bias)


def fit_readout(
    random_kernel,
    pairs: Sequence[tuple[Any, Any]],
    *,
    wildness: float = 0.0,
    every_pixel: bool = False,
) -> tuple[Any, Any]:
    """The last layer of `build_decoder`.

    Args:
        random_kernel: Random kernel of the last layer, (k, k, channels, 3).
        pairs: Padded input of the last layer and image, of one picture or more.
        wildness: Share of the random readout, 0 to 1.
        every_pixel: Use of all pixels in place of a lattice of them; never in a graph.

    Returns:
        Kernel (k, k, channels, 3) and bias (3,), float32.
    """
    if wildness == 1:
        return _presentable(random_kernel, *pairs[0])
    ridge_kernel, ridge_bias = _ridge(random_kernel.shape, pairs, every_pixel)
    if wildness == 0:
        return ridge_kernel, ridge_bias
    kernel, bias = _presentable(random_kernel, *pairs[0])
    wildness = float(wildness)  # NumPy's float64 would make the kernel one too
    return (
        (1 - wildness) * ridge_kernel + wildness * kernel,
        (1 - wildness) * ridge_bias + wildness * bias,
    )


def _ridge(shape, pairs, every_pixel: bool) -> tuple[Any, Any]:
    xp = array_namespace(pairs[0][0])
    scale = 1 / xp.maximum(xp.std(pairs[0][0]), 1e-30)  # the solve sees numbers about 1
    squares = products = 0.0
    for padded, image in pairs:
        step = 1 if every_pixel else lattice_step(*xp.shape(image)[:2])
        a, b = normal_equations(padded * scale, image, shape[0], step)
        squares, products = a + squares, b + products
    weights = xp.array(solve_ridge(squares, products), dtype="float32")
    return xp.reshape(scale * weights[:-1], shape), weights[-1]


@_one_thread
def normal_equations(padded, image, kernel: int, step) -> tuple[Any, Any]:
    """A^T A and A^T y of an image in float64, by strips: memory does not grow with the image."""
    if ops.is_tensor(padded):  # a graph has only a lattice, and a lattice is always one strip
        return _moments(padded, image, kernel, step)
    height, width = image.shape[:2]
    strip = step * max(1, _TILE_ROWS // -(-width // step))
    squares = products = 0.0
    for top in range(0, height, strip):
        tile = padded[top : top + strip + kernel - 1]
        a, b = _moments(tile, image[top : top + strip], kernel, step)
        squares, products = a + squares, b + products
    return squares, products


def _moments(padded, image, kernel: int, step) -> tuple[Any, Any]:
    xp = array_namespace(padded)
    # In float32 the sums' order would show: one pixel value in 300 off by 1 / 255 in a graph.
    rows = xp.array(design_matrix(padded, kernel, step=step), dtype="float64")
    targets = xp.reshape(image[::step, ::step], (-1, image.shape[-1]))
    columns = xp.transpose(rows)
    return xp.matmul(columns, rows), xp.matmul(columns, xp.array(targets, dtype="float64"))


def _presentable(kernel, padded, image) -> tuple[Any, Any]:
    """A random readout brought to the range of `image`.

    The output of a random network has no meaningful scale, offset or sign. Each channel is
    brought to the mean and standard deviation of the whole image. All three are inverted if the
    luminance correlates negatively with the image's; single channels may still do so, which gives
    false colours.
    """
    xp = array_namespace(padded)
    raw = xp.array(apply_readout(padded, kernel, 0.0), dtype="float64")
    image = xp.array(image, dtype="float64")
    raw_mean, mean = xp.mean(raw, axis=(0, 1)), xp.mean(image)
    factor = xp.std(image) / xp.maximum(xp.std(raw, axis=(0, 1)), 1e-30)
    grey, light = luminance((raw - raw_mean) * factor), luminance(image)
    alike = xp.mean(grey * (light - xp.mean(light)))
    factor = xp.where(alike < 0, -factor, factor)
    kernel = xp.array(factor * xp.array(kernel, dtype="float64"), dtype="float32")
    return kernel, xp.array(mean - factor * raw_mean, dtype="float32")
