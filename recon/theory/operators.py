"""The layers of a plan as matrices along one axis of the image.

A zero-padded window sum, a pool, a zero insertion and a repetition are separable: on maps x of
(height, width) each is A x B^T, with A for the height and B for the width. So the matrix of
a whole plan over pixels is the Kronecker product of two small ones, and its sums and its spectral
norm are products.
"""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from rrstyle.networks.plan import Conv, Layer, Plan, Pool, PoolKind, UpsampleKind


def window_sums(size: int, kernel: int) -> np.ndarray:
    """0/1 matrix, (size, size), of sums over the windows of a zero-padded convolution of stride 1.

    Row t marks the window of pixel t, cut off at the borders; the larger half of one of even side
    `kernel` lies after its pixel.
    """
    return np.tri(size, k=kernel // 2) - np.tri(size, k=-((kernel + 1) // 2))


def pool_sums(size: int, window: int) -> np.ndarray:
    """0/1 matrix, (ceil(size / window), size), of sums side by side; the last may be cut off."""
    return np.eye(-(-size // window)).repeat(window, axis=1)[:, :size]


def upsampling(kind: UpsampleKind, size: int, factor: int) -> np.ndarray:
    """0/1 matrix, (size, ceil(size / factor)), of an upsampling, cropped to what the pool had.

    "zero" has each value on the first pixel of its block of side `factor`, "nearest" on all of
    them; ValueError for others. The axis has `size` pixels after it.
    """
    if kind not in get_args(UpsampleKind):
        raise ValueError(f"kind must be zero or nearest; received {kind!r}")
    repeated = pool_sums(size, factor).T
    if kind == "zero":
        repeated[np.arange(size) % factor != 0] = 0
    return repeated


def axis_operators(layers: Sequence[Layer], size: int) -> list[np.ndarray]:
    """One matrix for each of the first layers of a plan, for an axis of `size` pixels.

    Convolutions are sums over their windows and l2 pools sums over theirs (both act so on squared
    norms); average pools are means over what lies inside the image, as the networks do it.

    Raises:
        ValueError: If the size is below 1, a convolution has a stride or groups, a pool is of
            another kind or overlaps, or an upsampling has no pool to undo.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1; received {size!r}")
    operators, pooled = [], []
    for layer in layers:
        if isinstance(layer, Conv):
            if layer.stride != 1 or layer.groups != 1:
                raise ValueError(f"convolutions must have stride 1, one group; received {layer!r}")
            operators.append(window_sums(size, layer.kernel))
        elif isinstance(layer, Pool):
            if layer.stride != layer.size:
                raise ValueError(f"windows of pools must lie side by side; received {layer!r}")
            sums = pool_sums(size, layer.size)
            if layer.kind == "average":
                sums /= sums.sum(axis=1, keepdims=True)
            elif layer.kind != "l2":
                raise ValueError(f"pools must be l2 or average; received {layer.kind!r}")
            operators.append(sums)
            pooled.append((size, layer.size))
        else:
            if not pooled:
                raise ValueError(f"an upsampling must undo a pool; received {tuple(layers)!r}")
            operators.append(upsampling(layer.kind, *pooled.pop()))
        size = len(operators[-1])
    return operators


def check_plan(plan: Plan, *, pools: PoolKind) -> tuple[Layer, ...]:
    """The layers of a plan that a theorem covers.

    Raises:
        ValueError: If the last layer is no convolution, whose maps the mean head averages, or a
            pool is not of the theorem's kind.
    """
    if not plan.layers or not isinstance(plan.layers[-1], Conv):
        raise ValueError(f"plan must end with a convolution; received {plan.layers!r}")
    for layer in plan.layers:
        if isinstance(layer, Pool) and layer.kind != pools:
            raise ValueError(f"pools of the plan must be {pools}; received {layer.kind!r}")
    return plan.layers


def as_maps(image) -> np.ndarray:
    """An image as float64 (height, width, channels); ValueError where it is none, or not finite."""
    maps = np.asarray(image, np.float64)
    if maps.ndim == 2:
        maps = maps[:, :, None]
    if maps.ndim != 3 or 0 in maps.shape:
        raise ValueError(
            "image must be (height, width) or (height, width, channels);"
            f" received shape {np.shape(image)}"
        )
    if not np.isfinite(maps).all():
        raise ValueError("image must be finite; received NaN or infinite pixels")
    return maps
