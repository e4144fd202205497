"""The DCN's last layer: random, solved in closed form, or a mix of the two.

All layers but the last stay random. The last, a linear convolution, is solved by ridge
regression from its input to the pixels of images at hand. Maps and images are NumPy arrays or, in
an exported graph, tensors.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import threadpoolctl
from keras import ops
from numpy.lib.stride_tricks import sliding_window_view

from rrstyle import backend
from rrstyle.config import NetworkConfig
from rrstyle.cores import in_threads, usable_cores
from rrstyle.namespace import array_namespace
from rrstyle.networks.build import SharedNetwork, dcn_network, hidden_model
from rrstyle.pictures.luma import luma

# Regularisation, relative to the mean diagonal of the normal equations: large enough not to
# amplify noise in transformed features, which no image has produced.
RIDGE = 1e-4
# Pixels of an image that enter the regression, on a regular lattice. More of them changed the
# result by less than 1 dB at 16 to 64 channels.
LATTICE_PIXELS = 8192
# Rows of a strip: enough for products at full speed, few enough for cores to share a lattice.
_TILE_ROWS = 1024

# On one thread: where another program uses a core, NumPy's threads wait for each other, and
# 0.03 s become 0.2 s. Strips are shared among threads that do not wait.
_one_thread = threadpoolctl.ThreadpoolController().wrap(limits=1, user_api="blas")


def design_matrix(padded, kernel: int, *, step=1):
    """Rows of a convolution's input patches, of every `step`-th pixel, with a 1 for the bias.

    Args:
        padded: Maps (height + kernel - 1, width + kernel - 1, channels), borders padded already.

    Returns:
        (rows, kernel * kernel * channels + 1); columns in the order of a Keras kernel.
    """
    xp = array_namespace(padded)
    unknowns = kernel * kernel * padded.shape[-1] + 1
    if xp is np:
        # One copy, in runs of kernel * channels numbers: four times as fast as to join slices.
        patches = sliding_window_view(padded, (kernel, kernel), axis=(0, 1))[::step, ::step]
        patches = patches.transpose(0, 1, 3, 4, 2)
        rows = np.empty((*patches.shape[:2], unknowns), padded.dtype)
        rows[..., :-1].reshape(patches.shape)[...] = patches
        rows[..., -1] = 1
        return rows.reshape(-1, unknowns)
    height, width = (side - kernel + 1 for side in xp.shape(padded)[:2])
    shifted = [
        padded[dy : dy + height : step, dx : dx + width : step]
        for dy, dx in np.ndindex(kernel, kernel)
    ]
    rows = xp.reshape(xp.concatenate(shifted, axis=2), (-1, unknowns - 1))
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
def solve_ridge(squares, products, residual: Callable[[Any], Any] | None = None):
    """Solution (unknowns, outputs) of the normal equations A^T A, A^T y, in float64.

    Args:
        squares, products: A^T A and A^T y.
        residual: A^T (y - A x) of a solution x, to refine it once: that takes away what rounding
            in A^T A did to it. Reference: Golub & Van Loan, "Matrix Computations", 3.5.3.
    """
    size, xp = squares.shape[0], array_namespace(squares)
    ridge = RIDGE * xp.trace(squares) / size + 1e-30  # not 0 for features that are all zero
    matrix = squares + ridge * xp.eye(size, dtype="float64")
    found = xp.linalg.solve(matrix, products)
    if residual is None:
        return found
    return found + xp.linalg.solve(matrix, residual(found) - ridge * found)


@functools.lru_cache(maxsize=32)
def _padded_hidden(dcn: keras.Model, kernel: int, padding: str) -> keras.Model:
    """The DCN from [features, reference] to the padded input of its last convolution."""
    hidden = hidden_model(dcn)
    if padding == "reflect":
        return hidden
    both = (kernel - 1) // 2, kernel // 2
    return keras.Model(dcn.inputs, keras.layers.ZeroPadding2D((both, both))(hidden.output))


def split_dcn(config: NetworkConfig, *, seed: int) -> tuple[SharedNetwork, np.ndarray]:
    """The random DCN in two, before its last convolution and that one's kernel.

    Returns:
        Network from (features, reference) to the padded input of the last convolution, (batch,
        height + k - 1, width + k - 1, channels), and its random kernel (k, k, channels, 3).
    """
    dcn = dcn_network(config, seed=seed)
    *weights, kernel, _ = dcn.weights
    model = _padded_hidden(dcn.model, kernel.shape[0], config.padding)
    return SharedNetwork(model, tuple(weights)), kernel


@dataclass(frozen=True)
class Decoder:
    """The random layers of a DCN, see `split_dcn`, and its last one.

    The kernel is float32 (k, k, channels, 3), the bias (3,).
    """

    hidden: SharedNetwork
    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Image (*size, 3), float32, unbounded, of features (rows, columns, channels)."""
        padded = self.hidden(features[None], _reference(size)[None])[0]
        return ops.convert_to_numpy(apply_readout(padded, self.kernel, self.bias))


def apply_readout(padded, kernel, bias):
    """The last layer: image (height, width, 3) of its padded input, unbounded."""
    maps, (side, _, channels, outputs) = ops.convert_to_tensor(padded), kernel.shape
    # Convolutions to few maps are slow. One of filters a single pixel high, to the products of all
    # rows of the kernel, and their sum at its rows' offsets take a half to a third of the time.
    rows = ops.transpose(ops.convert_to_tensor(kernel), (1, 2, 0, 3))
    products = ops.conv(maps[None], ops.reshape(rows, (1, side, channels, side * outputs)))[0]
    height = ops.shape(maps)[0] - side + 1
    image = sum(
        products[row : row + height, :, outputs * row : outputs * (row + 1)] for row in range(side)
    )
    return (image if ops.is_tensor(padded) else ops.convert_to_numpy(image)) + bias


def run_hidden(network: SharedNetwork, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Padded input of the last layer, for an image of `size`."""
    return network.single(features, _reference(size))


def _reference(size: tuple[int, int]) -> np.ndarray:
    """A DCN's second input, of which only the size is read."""
    return np.zeros((*size, 1), np.float32)


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
    """The last layer of `build_decoder`: kernel (k, k, channels, 3) and bias (3,), float32.

    Args:
        random_kernel: Random kernel of the last layer, (k, k, channels, 3).
        pairs: Padded input of the last layer and image, of one picture or more.
        wildness, every_pixel: See `build_decoder`; in a graph never every pixel.
    """
    if wildness == 1:
        return _presentable(random_kernel, *pairs[0])
    ridge_kernel, ridge_bias = _ridge(random_kernel.shape, pairs, every_pixel)
    if wildness == 0:
        return ridge_kernel, ridge_bias
    kernel, bias = _presentable(random_kernel, *pairs[0])
    wildness = float(wildness)  # NumPy's float64 would make the kernel one too
    ridge = 1 - wildness
    return ridge * ridge_kernel + wildness * kernel, ridge * ridge_bias + wildness * bias


def _ridge(shape, pairs, every_pixel: bool) -> tuple[Any, Any]:
    xp = array_namespace(pairs[0][0])
    steps = [1 if every_pixel else lattice_step(*xp.shape(image)[:2]) for _, image in pairs]
    first, step = pairs[0][0], steps[0]
    sample = xp.reshape(first[::step, ::step], (-1, first.shape[-1]))
    scale = 1 / xp.maximum(xp.std(sample), 1e-30)  # the solve sees numbers about 1
    lattices = [
        (scale * padded, image, shape[0], step)
        for (padded, image), step in zip(pairs, steps, strict=True)
    ]
    equations = [normal_equations(*lattice) for lattice in lattices]
    squares, products = (sum(parts) for parts in zip(*equations, strict=True))

    def residual(weights):
        return sum(_residual(*lattice, weights) for lattice in lattices)

    # A graph's sums are float64, and so there is nothing to refine.
    weights = solve_ridge(squares, products, residual if xp is np else None)
    weights = xp.array(weights, dtype="float32")
    return xp.reshape(scale * weights[:-1], shape), weights[-1]


def normal_equations(padded, image, kernel: int, step) -> tuple[Any, Any]:
    """A^T A and A^T y of an image in float64, by strips: memory does not grow with the image.

    The sums within a strip are in the precision of the maps, or in a graph in float64.
    """
    if ops.is_tensor(padded):  # a graph has only a lattice, and a lattice is one strip
        rows = ops.cast(design_matrix(padded, kernel, step=step), "float64")
        targets = ops.reshape(image[::step, ::step], (-1, image.shape[-1]))
        columns = ops.transpose(rows)
        return ops.matmul(columns, rows), ops.matmul(columns, ops.cast(targets, "float64"))

    def both(rows, targets):
        return np.concatenate([rows.T @ rows, rows.T @ targets], axis=1)

    total = _over_strips(both, padded, image, kernel, step)
    return total[:, : len(total)], total[:, len(total) :]


def _residual(padded, image, kernel: int, step: int, weights: np.ndarray) -> np.ndarray:
    """A^T (y - A weights) of an image, by strips."""
    weights = weights.astype(padded.dtype)

    def missing(rows, targets):
        return rows.T @ (targets - rows @ weights)

    return _over_strips(missing, padded, image, kernel, step)


@_one_thread
def _over_strips(function: Callable, padded, image, kernel: int, step: int) -> np.ndarray:
    """The sum, in float64, of `function` of the design matrix and the targets of each strip."""
    height, width = image.shape[:2]
    strip = step * max(1, _TILE_ROWS // -(-width // step))

    def of_strip(top: int) -> np.ndarray:
        rows = design_matrix(padded[top : top + strip + kernel - 1], kernel, step=step)
        return function(rows, image[top : top + strip : step, ::step].reshape(len(rows), -1))

    threads = 1 if backend.threads() == "one" else usable_cores()
    return sum(in_threads(of_strip, range(0, height, strip), threads), start=np.zeros(()))


def _presentable(kernel, padded, image) -> tuple[Any, Any]:
    """A random readout brought to the range of `image`; its own scale and sign mean nothing.

    Each channel gets the mean and deviation of the whole image. All three are inverted if the
    luminance correlates negatively with the image's; single channels that do give false colours.
    """
    xp = array_namespace(padded)
    raw = xp.array(apply_readout(padded, kernel, 0.0), dtype="float64")
    image = xp.array(image, dtype="float64")
    raw_mean, mean = xp.mean(raw, axis=(0, 1)), xp.mean(image)
    factor = xp.std(image) / xp.maximum(xp.std(raw, axis=(0, 1)), 1e-30)
    grey, light = luma((raw - raw_mean) * factor), luma(image)
    alike = xp.mean(grey * (light - xp.mean(light)))
    factor = xp.where(alike < 0, -factor, factor)
    kernel = xp.array(factor * xp.array(kernel, dtype="float64"), dtype="float32")
    return kernel, xp.array(mean - factor * raw_mean, dtype="float32")
