"""Laws of random weights, drawn by NumPy: a seed names the same network on every backend."""

import math

import numpy as np

from rrstyle.config import is_seed

# Scaled laws: name in scipy.stats, and half-width or scale, a / b times the standard deviation.
_SCALED = {
    "gaussian": ("norm", 1, 1),
    "uniform": ("uniform", math.sqrt(3), 1),
    "logistic": ("logistic", math.sqrt(3), math.pi),
    "laplace": ("laplace", 1, math.sqrt(2)),
}
SCALED_LAWS = tuple(_SCALED)
PRESERVING_LAWS = ("he", "orthogonal")
LAWS = SCALED_LAWS + PRESERVING_LAWS

_DRAWN_AT_ONCE = 2**16

# First element of a layer's spawn key: one stream family for each part of the system.
ENCODER, DECODER, TRANSFER, PAINTER = range(4)


def layer_rng(seed: int, *path: int) -> np.random.Generator:
    """Generator of one layer: a child of `seed` named by `path`, such as (ENCODER, position).

    It depends on the path alone: conv1_1 keeps its weights when a network gets deeper, and two
    layers of equal shape never share theirs.

    Raises:
        ValueError: If `check_seed` refuses the seed.
    """
    return np.random.default_rng(np.random.SeedSequence(check_seed(seed), spawn_key=path))


def check_seed(seed: int) -> int:
    """`seed` as a Python integer.

    Raises:
        ValueError: If it is no integer from 0 to 2^128.
    """
    number = int(seed) if isinstance(seed, np.integer) else seed
    if not is_seed(number):
        raise ValueError(f"seed must be an integer from 0 to 2^128; received {seed!r}")
    return number


def distribution(law: str, std: float):
    """The zero-mean scipy.stats distribution of one of SCALED_LAWS, by its true deviation.

    Raises:
        ValueError: If the law is not a scaled one, or `std` not positive and finite.
    """
    import scipy.stats  # late: no picture needs it, and it takes most of a second

    scale = _scale(law, std)
    if law == "uniform":
        return scipy.stats.uniform(loc=-scale, scale=2 * scale)
    return getattr(scipy.stats, _SCALED[law][0])(scale=scale)


def _scale(law: str, std: float) -> float:
    """Half-width of the uniform law, scale of another."""
    if not (math.isfinite(std) and std > 0):
        raise ValueError(f"std must be positive and finite; received {std!r}")
    if law not in _SCALED:
        raise ValueError(f"law must be one of {', '.join(SCALED_LAWS)}; received {law!r}")
    _, a, b = _SCALED[law]
    return a * std / b


def _draw(law: str, scale: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers that `distribution` draws, float64."""
    if law == "uniform":
        return 2 * scale * rng.uniform(size=size) - scale
    return scale * getattr(rng, "standard_normal" if law == "gaussian" else law)(size=size)


def draw_kernel(
    law: str, shape: tuple[int, int, int, int], *, std: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a convolution kernel, float32.

    `he` is Gaussian with variance 2 / fan_in (He et al. 2015); `orthogonal` has orthonormal
    columns (or rows, where there are more outputs than inputs), scaled to the same variance.
    Both keep the mean square of activations through ReLU layers and ignore `std`.

    Args:
        law: Name, one of LAWS.
        shape: Shape (height, width, input channels a group, output channels).
        std: True standard deviation of the scaled laws.
        rng: Generator of the layer, see `layer_rng`.

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
