"""Laws of random weights.

Weights are drawn by NumPy, one independent child stream a layer, so that a seed names the
same network on every Keras backend.
"""

import math

import numpy as np

SCALED_LAWS = ("gaussian", "uniform", "logistic", "laplace")
PRESERVING_LAWS = ("he", "orthogonal")
LAWS = SCALED_LAWS + PRESERVING_LAWS

_DRAWN_AT_ONCE = 2**16

# First element of a layer's spawn key: one stream family for each part of the system.
ENCODER, DECODER, TRANSFER = range(3)


def layer_rng(seed: int, *path: int) -> np.random.Generator:
    """Generator of one layer: a child of `seed` named by `path`.

    The child depends on the path alone, so conv1_1 keeps its weights when a network gets
    deeper, and two layers of equal shape never share theirs.

    Args:
        seed: Non-negative integer that names the network.
        path: Non-negative integers that name the layer, for example (ENCODER, position).

    Raises:
        ValueError: If the seed is not a non-negative integer.
    """
    return np.random.default_rng(np.random.SeedSequence(check_seed(seed), spawn_key=path))


def check_seed(seed: int) -> int:
    """`seed` as a Python integer.

    Raises:
        ValueError: If it is not a non-negative integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed must be a non-negative integer; received {seed!r}")
    return int(seed)


def distribution(law: str, std: float):
    """The zero-mean scipy.stats distribution of a scaled law, by its true standard deviation.

    Half-width of the uniform law: sqrt(3) std; scale of the logistic: sqrt(3) std / pi; scale
    of the Laplace: std / sqrt(2). Density and moments are methods of the result.

    Args:
        law: Name, one of SCALED_LAWS.
        std: Standard deviation, positive and finite.

    Returns:
        A frozen scipy.stats distribution.

    Raises:
        ValueError: If the law is not a scaled one or `std` is not positive.
    """
    import scipy.stats  # late: no picture needs it, and it takes most of a second

    scale = _scale(law, std)
    if law == "uniform":
        return scipy.stats.uniform(loc=-scale, scale=2 * scale)
    kinds = {"gaussian": "norm", "logistic": "logistic", "laplace": "laplace"}
    return getattr(scipy.stats, kinds[law])(scale=scale)


def _scale(law: str, std: float) -> float:
    """Half-width or scale of a scaled law, see `distribution`."""
    if not (math.isfinite(std) and std > 0):
        raise ValueError(f"std must be positive and finite; received {std!r}")
    if law == "gaussian":
        return std
    if law == "uniform":
        return math.sqrt(3) * std
    if law == "logistic":
        return math.sqrt(3) * std / math.pi
    if law == "laplace":
        return std / math.sqrt(2)
    raise ValueError(f"law must be one of {', '.join(SCALED_LAWS)}; received {law!r}")


def _draw(law: str, scale: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers that `distribution` draws, float64."""
    if law == "gaussian":
        return scale * rng.standard_normal(size)
    if law == "uniform":
        return 2 * scale * rng.uniform(size=size) - scale
    return scale * (rng.logistic(size=size) if law == "logistic" else rng.laplace(size=size))


def draw_kernel(
    law: str, shape: tuple[int, int, int, int], *, std: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a convolution kernel.

    `he` is Gaussian with variance 2 / fan_in (He et al. 2015); `orthogonal` has orthonormal
    columns (or rows, where there are more outputs than inputs), scaled to the same variance
    2 / fan_in. Both keep the mean square of activations through ReLU layers and ignore `std`.

    Args:
        law: Name, one of LAWS.
        shape: Shape (height, width, input channels a group, output channels).
        std: True standard deviation of the scaled laws.
        rng: Generator of the layer, see `layer_rng`.

    Returns:
        float32 array of `shape`.

    Raises:
        ValueError: If the law is unknown or `std` is not positive.
    """
    if law in SCALED_LAWS:
        scale = _scale(law, std)
        kernel = np.empty(math.prod(shape), np.float32)
        # The same numbers as at once, without float64 copies of a large kernel.
        for start in range(0, kernel.size, _DRAWN_AT_ONCE):
            part = kernel[start : start + _DRAWN_AT_ONCE]
            part[:] = _draw(law, scale, part.size, rng)
        return kernel.reshape(shape)
    fan_in, outputs = math.prod(shape[:3]), shape[3]
    if law == "he":
        return rng.normal(0.0, math.sqrt(2 / fan_in), shape).astype(np.float32)
    if law == "orthogonal":
        tall = rng.normal(size=(max(fan_in, outputs), min(fan_in, outputs)))
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))  # without the signs QR is not uniform over the group
        matrix = q if fan_in >= outputs else q.T
        # Entries of q have variance 1 / max(fan_in, outputs).
        gain = math.sqrt(2 * max(fan_in, outputs) / fan_in)
        return (gain * matrix).reshape(shape).astype(np.float32)
    raise ValueError(f"law must be one of {', '.join(LAWS)}; received {law!r}")
