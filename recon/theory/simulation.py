"""Random networks with finitely many channels, as the theorems define them.

In plain NumPy and in the precision of the images, independent of the Keras networks of the study
and of the operators of the theory: what the theorems are checked against.
"""

import math

import numpy as np
from skimage.measure import block_reduce

from rrstyle.networks.laws import draw_kernel
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample


def hidden_maps(
    plan: Plan, images, *, std: float, rng: np.random.Generator, law: str = "gaussian"
) -> np.ndarray:
    """The maps (batch, height, width, channels) of the last layer, in a network drawn at random.

    `X <- max(W * X, 0) / sqrt(N)` for every convolution but the last, which is not divided;
    zero padding, stride 1. Their mean over the channels is the output f of the theorems.

    Pools are of any kind, images (batch, height, width, channels), whose precision is kept. `rng`
    draws the weights, of a law (Gaussian in the theorems) and its true standard deviation `std`.

    Raises:
        ValueError: If the images have another shape, or the law or its deviation is invalid.

    Reference: Definition 5.1.
    """
    maps = np.asarray(images)
    if maps.ndim != 4:
        raise ValueError(
            f"images must be (batch, height, width, channels); received shape {maps.shape}"
        )
    last = max(i for i, layer in enumerate(plan.layers) if isinstance(layer, Conv))
    pooled: list[tuple[int, tuple[int, int]]] = []
    for i, layer in enumerate(plan.layers):
        if isinstance(layer, Conv):
            shape = (layer.kernel, layer.kernel, maps.shape[3], layer.channels)
            maps = _convolve(maps, draw_kernel(law, shape, std=std, rng=rng))
            np.maximum(maps, 0, out=maps)
            if i != last:
                maps /= math.sqrt(layer.channels)
        elif isinstance(layer, Pool):
            pooled.append((layer.size, maps.shape[1:3]))
            maps = _pool(maps, layer)
        else:
            maps = _upsample(maps, layer, *pooled.pop())
    return maps


def sine(outputs, limit) -> np.ndarray:
    """sin Theta in [0, 1] between outputs f and their limit f*, (..., height, width), broadcast.

    `||f - (f . u) u|| / ||f||` with u = f* / ||f*||, which keeps its digits at small angles; 1
    where an output is all 0, which has no direction. f* must not be.
    """
    f, limit = np.broadcast_arrays(np.asarray(outputs, np.float64), np.asarray(limit, np.float64))
    unit = limit / np.sqrt(np.sum(limit**2, axis=(-2, -1), keepdims=True))
    rest = f - np.sum(f * unit, axis=(-2, -1), keepdims=True) * unit
    norms, rests = (np.sqrt(np.sum(a**2, axis=(-2, -1))) for a in (f, rest))
    return np.minimum(np.divide(rests, norms, out=np.ones_like(norms), where=norms > 0), 1)


def _convolve(maps: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    batch, height, width, inputs = maps.shape
    side, _, _, outputs = kernel.shape
    border = ((side - 1) // 2, side // 2)
    padded = np.pad(maps, ((0, 0), border, border, (0, 0)))
    total = np.zeros((batch * height * width, outputs), maps.dtype)
    for row, column in np.ndindex(side, side):
        window = padded[:, row : row + height, column : column + width]
        total += window.reshape(-1, inputs) @ kernel[row, column]
    return total.reshape(batch, height, width, outputs)


def _pool(maps: np.ndarray, layer: Pool) -> np.ndarray:
    window = (1, layer.size, layer.size, 1)
    if layer.kind == "max":
        return block_reduce(maps, window, np.max, cval=-np.inf)
    if layer.kind == "l2":
        return np.sqrt(block_reduce(maps**2, window, np.sum))
    # Windows that the border cuts off are filled up with zeros, which do not count.
    ones = np.ones((1, *maps.shape[1:3], 1), maps.dtype)
    return block_reduce(maps, window, np.sum) / block_reduce(ones, window, np.sum)


def _upsample(maps: np.ndarray, layer: Upsample, factor: int, sides: tuple[int, int]) -> np.ndarray:
    height, width = sides
    if layer.kind == "nearest":
        return maps.repeat(factor, axis=1).repeat(factor, axis=2)[:, :height, :width]
    larger = np.zeros((maps.shape[0], height, width, maps.shape[3]), maps.dtype)
    larger[:, ::factor, ::factor] = maps
    return larger
