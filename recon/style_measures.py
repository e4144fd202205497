"""How close a result is to the style, how much of the photograph it keeps, how results differ.

None of them sees crispness, and swd rewards noise: look at the pictures too.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

PATCH = 5
LEVELS = 4
PATCHES = 4096
DIRECTIONS = 256
STROKES = 4, 8, 16  # pixels
# Fewest pixels a side: halved three times, rounding up, a patch must still fit.
SMALLEST_SIDE = (PATCH - 1) * 2 ** (LEVELS - 1) + 1
_LUMA = np.array([0.299, 0.587, 0.114])


def swd(image: np.ndarray, style: np.ndarray, *, seed: int) -> float:
    """Sliced Wasserstein distance between the 5 x 5 RGB patches of two pictures.

    Mean over 4 pyramid levels (Gaussian of sigma 1, then every second pixel) of the mean over 256
    random directions of `mean |sort(P d) - sort(Q d)|`, P and Q 4096 random patches of each.

    Patches are drawn anew for either picture, also where both have one size: the same places
    would favour a result that keeps the style's layout over one that keeps its texture. A picture
    and itself are therefore not 0 apart but at the floor of the sampling, and exchanging the
    pictures changes the result by as little.

    Args:
        image: (height, width, 3), in [0, 1].
        style: The same of any size, at the scale it is to be compared at.
        seed: Names the patches and the directions.

    Returns:
        The distance, in units of pixel values; lower is closer.

    Raises:
        ValueError: If a picture has fewer than 33 pixels a side.

    Reference: Rabin, Peyre, Delon & Bernot, "Wasserstein barycenter and its application to
        texture mixing", 2011.
    """
    check_sides(image, style)
    rng = np.random.default_rng(seed)
    distances = []
    for _ in range(LEVELS):
        ours, theirs = (_random_patches(picture, rng) for picture in (image, style))
        directions = rng.normal(size=(PATCH * PATCH * 3, DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=0)
        sorted_ours, sorted_theirs = (np.sort(p @ directions, axis=0) for p in (ours, theirs))
        distances.append(np.abs(sorted_ours - sorted_theirs).mean())
        image, style = _halved(image), _halved(style)
    return float(np.mean(distances))


def check_sides(*pictures: np.ndarray) -> None:
    """Checks that pictures are large enough for `swd`.

    Raises:
        ValueError: If one has fewer than 33 pixels a side.
    """
    for picture in pictures:
        height, width = picture.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise ValueError(
                f"pictures must be at least {SMALLEST_SIDE} pixels a side to be measured;"
                f" received {width} x {height}"
            )


def _random_patches(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(PATCHES, PATCH * PATCH * 3), each row a patch."""
    height, width = picture.shape[:2]
    y = rng.integers(0, height - PATCH + 1, PATCHES)
    x = rng.integers(0, width - PATCH + 1, PATCHES)
    pixels = [picture[y + dy, x + dx] for dy in range(PATCH) for dx in range(PATCH)]
    return np.stack(pixels, axis=1).reshape(PATCHES, -1)


def _halved(picture: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter(picture, (1, 1, 0))[::2, ::2]


def half_size_edges(image: np.ndarray) -> np.ndarray:
    """Sobel magnitudes of the grey picture at half size.

    Grey is .299 R + .587 G + .114 B; half size the mean of 2 x 2 pixels, a last odd row or column
    left out; Sobel's kernels [1 2 1] x [-1 0 1], not normalised, on borders mirrored with their
    edge pixel repeated.

    Args:
        image: (height, width, 3), in [0, 1], at least 2 pixels a side.

    Returns:
        (height // 2, width // 2), float64.
    """
    grey = np.asarray(image, np.float64) @ _LUMA
    rows, columns = (side // 2 for side in grey.shape)
    half = grey[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    return np.hypot(ndimage.sobel(half, 0), ndimage.sobel(half, 1))


def edge(image: np.ndarray, content: np.ndarray) -> float:
    """Pearson correlation of `half_size_edges` with the photograph's.

    Args:
        image: (height, width, 3), in [0, 1].
        content: The photograph, of the same size.

    Returns:
        In [-1, 1]; higher keeps more. NaN where a picture has the same edge everywhere.

    Raises:
        ValueError: If the sizes differ.
    """
    if image.shape != content.shape:
        raise ValueError(
            f"image and content must have one size; received {image.shape} and {content.shape}"
        )
    ours, theirs = (half_size_edges(picture).ravel() for picture in (image, content))
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return float("nan")
    return float(np.corrcoef(ours, theirs)[0, 1])


def stroke_distance(image: np.ndarray, style: np.ndarray) -> float:
    """How far apart the strokes of two pictures are: their local gradient energies.

    Mean over windows of 4, 8 and 16 pixels of the mean absolute difference between the 1 % to
    99 % quantiles of `log10(e + 1e-5)`, e the squared gradient of the grey picture (differences
    of neighbours, .299 R + .587 G + .114 B) under a Gaussian of half the window. It rises when a
    picture is blurred, made noisy or cut into tiles that are shuffled.

    Args:
        image: (height, width, 3), in [0, 1].
        style: The same of any size, at the scale it is to be compared at.

    Returns:
        The distance, in decades of energy; 0 for one picture and itself.
    """
    points = np.linspace(0.01, 0.99, 99)
    distances = []
    for window in STROKES:
        quantiles = []
        for picture in (image, style):
            down, right = np.gradient(np.asarray(picture, np.float64) @ _LUMA)
            energy = ndimage.gaussian_filter(down**2 + right**2, window / 2)
            quantiles.append(np.quantile(np.log10(energy + 1e-5), points))
        distances.append(np.abs(quantiles[0] - quantiles[1]).mean())
    return float(np.mean(distances))


def diversity(images: Sequence[np.ndarray]) -> float:
    """Mean root mean square difference over all pairs of pictures.

    Args:
        images: Of one size, in [0, 1].

    Returns:
        In [0, 1]; NaN for fewer than two.
    """
    pairs = list(itertools.combinations(images, 2))
    if not pairs:
        return float("nan")
    return float(np.mean([np.sqrt(np.mean(np.square(a - b, dtype=np.float64))) for a, b in pairs]))


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (of a sample); the latter NaN for fewer than two values."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return float(np.mean(values)), spread
