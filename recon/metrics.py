"""Similarity of two pictures: SSIM, Pearson correlation and PSNR, for batches.

`ssim`, `pearson` and `psnr` take arrays `truth` and `test`, (batch, height, width, channels) in
[0, 1], agree with scikit-image to 1e-5, return float64 (batch,), and raise ValueError for arrays
that are not such, or of two shapes. The others are their cores: of tensors, unchecked, for use
inside compiled functions, on any device.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from rrstyle import backend
from rrstyle.pictures.luma import WEIGHTS

SIGMA = 1.5
WINDOW = 11  # pixels a side: what scikit-image truncates a Gaussian of sigma 1.5 to
_K1, _K2 = 0.01, 0.03

SSIM_SETTINGS = f"luminance, Gaussian window {WINDOW} x {WINDOW}, sigma {SIGMA}, data range 1"
PEARSON_SETTINGS = "luminance"
STUDY_SETTINGS = (
    f"{SSIM_SETTINGS}; output stretched to [0, 1]; the better of the picture and its inverse"
)


def luminance(images) -> Any:
    """Grey pictures (batch, height, width, 1) of RGB ones: a random DCN gives false colours."""
    return sum(weight * images[..., i : i + 1] for i, weight in enumerate(WEIGHTS.tolist()))


def ssim(truth, test) -> np.ndarray:
    """Mean structural similarity of each pair.

    `(2 m_x m_y + c1)(2 s_xy + c2) / ((m_x^2 + m_y^2 + c1)(s_x^2 + s_y^2 + c2))`, with means and
    population (co)variances under a Gaussian window of sigma 1.5, 11 x 11, c1 = 0.01^2 and c2 =
    0.03^2; averaged over the positions where the window lies inside the picture, then channels.

    In [-1, 1], 1 for equal pictures; ValueError if they are smaller than the window, too.

    Reference: Wang, Bovik, Sheikh & Simoncelli, "Image quality assessment: from error visibility
        to structural similarity", IEEE TIP 2004.
    """
    truth, test = _pair(truth, test)
    if min(truth.shape[1:3]) < WINDOW:
        raise ValueError(
            f"pictures must be at least {WINDOW} pixels a side, the window of SSIM;"
            f" received {truth.shape[2]} x {truth.shape[1]}"
        )
    return _as_float64(ssim_of_both(windowed(truth), windowed(test))[0])


def pearson(truth, test) -> np.ndarray:
    """Pearson correlation of each pair, over all of its values.

    `sum (x - mean x)(y - mean y) / (|x - mean x| |y - mean y|)`

    In [-1, 1]; NaN, for undefined, where a picture is constant.
    """
    return _as_float64(correlation(*_pair(truth, test)))


def psnr(truth, test) -> np.ndarray:
    """Peak signal-to-noise ratio of each pair, for a peak of 1.

    `-10 log10(mean (x - y)^2)`

    In decibels, at least 0; infinity for equal pictures.
    """
    truth, test = _pair(truth, test)
    errors = _as_float64(ops.mean(ops.square(truth - test), axis=(1, 2, 3)))
    decibels = -10 * np.log10(np.where(errors > 0, errors, 1))
    return np.where(errors > 0, decibels, np.inf)


def _pair(truth, test) -> tuple[Any, Any]:
    arrays = [np.asarray(a, np.float32) for a in (truth, test)]
    if arrays[0].ndim != 4 or 0 in arrays[0].shape or arrays[0].shape != arrays[1].shape:
        raise ValueError(
            "truth and test must be (batch, height, width, channels), of one shape;"
            f" received {arrays[0].shape} and {arrays[1].shape}"
        )
    return ops.convert_to_tensor(arrays[0]), ops.convert_to_tensor(arrays[1])


class Windowed(NamedTuple):
    """What SSIM takes of pictures before it compares them: tensors of one channel each."""

    batch: Any  # number of pictures
    values: Any  # less the centre: E[x^2] - E[x]^2 in float32 loses digits far from 0
    centre: Any  # mean of each map
    mean: Any  # of the values under the window
    square: Any  # the same of their squares


def windowed(images) -> Windowed:
    """Serves every comparison of the same pictures."""
    maps = _single_channel(images)
    centre = ops.mean(maps, axis=(1, 2, 3), keepdims=True)
    values = maps - centre
    mean, square = ops.split(_blur(ops.concatenate([values, values * values], axis=0)), 2, axis=0)
    return Windowed(ops.shape(images)[0], values, centre, mean, square)


def ssim_of_both(truth: Windowed, test: Windowed) -> tuple[Any, Any]:
    """SSIM of each pair, and of `truth` with 1 - `test`, as tensors (batch,)."""
    variances = truth.square - truth.mean * truth.mean + test.square - test.mean * test.mean
    covariance = _blur(truth.values * test.values) - truth.mean * test.mean
    mean_x, mean_y = truth.mean + truth.centre, test.mean + test.centre
    c1, c2 = _K1**2, _K2**2
    results = []
    # An inverse has the same variances, the negative covariance and one minus the mean.
    for mean, product in ((mean_y, covariance), (1 - mean_y, -covariance)):
        alike = (2 * mean_x * mean + c1) / (mean_x * mean_x + mean * mean + c1)
        similarity = alike * (2 * product + c2) / (variances + c2)
        per_map = ops.mean(similarity, axis=(1, 2, 3))
        results.append(ops.mean(ops.reshape(per_map, (truth.batch, -1)), axis=1))
    return results[0], results[1]


def correlation(truth, test) -> Any:
    """Pearson correlation of each pair, as a tensor (batch,); NaN where one is constant."""
    flat = [ops.reshape(a, (ops.shape(a)[0], -1)) for a in (truth, test)]
    # Rounding of the mean leaves a constant picture a variance: it is looked at before.
    varies = [ops.max(f, axis=1) > ops.min(f, axis=1) for f in flat]
    x, y = (f - ops.mean(f, axis=1, keepdims=True) for f in flat)
    # To unit size before squares are summed: those of faint pictures leave float32's range.
    x, y = (v / ops.maximum(ops.max(ops.abs(v), axis=1, keepdims=True), 1e-37) for v in (x, y))
    xy, xx, yy = (ops.sum(product, axis=1) for product in (x * y, x * x, y * y))
    defined = ops.logical_and(*varies)
    value = ops.clip(xy / ops.sqrt(ops.where(defined, xx * yy, 1.0)), -1, 1)
    return ops.where(defined, value, float("nan"))


def stretched(images) -> Any:
    """Each picture scaled so that its range becomes [0, 1], as a tensor; NaN where constant."""
    low, high = (f(images, axis=(1, 2, 3), keepdims=True) for f in (ops.min, ops.max))
    spread = ops.where(high > low, high - low, float("nan"))
    return (images - low) / spread


def study_ssim(truth: Windowed, bounded: Windowed) -> Any:
    """The greater SSIM of `bounded` and of its inverse, as a tensor (batch,)."""
    # maximum lets a NaN pass on every backend
    return ops.maximum(*ssim_of_both(truth, bounded))


def study_scores(truth, output) -> tuple[Any, Any]:
    """SSIM and Pearson correlation by the papers' convention, as tensors (batch,).

    The output of a random network has no scale and no sign: it is stretched to [0, 1], and SSIM is
    the greater of the picture's and its inverse's. The correlation keeps its sign. Both are NaN
    where the output is constant.

    Both are grey, (batch, height, width, 1), the truth in [0, 1].

    Reference: section 4 of "Randomness in Deconvolutional Networks for Visual Representation";
        the stretching and the window, which it does not give, are this study's.
    """
    bounded = stretched(output)
    return study_ssim(windowed(truth), windowed(bounded)), correlation(truth, bounded)


def noise_null(truth: Windowed, bounded, noise) -> Any:
    """SSIM by the papers' convention of `truth` and noise with a picture's mean and deviation.

    What a picture scores by its brightness and contrast alone: a tensor (batch,), NaN where it is.
    `noise` is of mean 0 and deviation 1, shaped as `bounded`, what `stretched` gives.
    """
    mean, variance = ops.moments(bounded, axes=(1, 2, 3), keepdims=True)
    return study_ssim(truth, windowed(mean + ops.sqrt(variance) * noise))


def chroma_correlation(truth, output) -> Any:
    """Correlation of the colours, RGB minus luminance, as a tensor (batch,)."""
    return correlation(truth - luminance(truth), output - luminance(output))


def _as_float64(tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor).astype(np.float64)


def _single_channel(images):
    """(batch * channels, height, width, 1): a convolution by groups is slow on JAX's CPU."""
    batch, height, width, channels = ops.shape(images)
    moved = ops.transpose(images, (0, 3, 1, 2))
    return ops.reshape(moved, (batch * channels, height, width, 1))


def _blur(maps):
    """Gaussian means under the window where it lies inside: borders lose 5 pixels."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    window = (weights / weights.sum()).astype(np.float32)
    with backend.full_precision():
        rows = ops.conv(maps, window.reshape(WINDOW, 1, 1, 1), padding="valid")
        return ops.conv(rows, window.reshape(1, WINDOW, 1, 1), padding="valid")
