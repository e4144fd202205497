"""Assertions on random quantities, with tolerances from the standard error."""

import numpy as np


def standard_error(samples) -> float:
    """Of the mean of independent samples."""
    samples = np.asarray(samples, np.float64).ravel()
    return float(samples.std(ddof=1) / np.sqrt(samples.size))


def assert_mean(samples, expected: float, *, z: float = 5) -> None:
    """The mean of independent samples is within z standard errors of `expected`.

    At z = 5 a true claim fails once in about two million draws; with fixed seeds, never again.
    """
    samples = np.asarray(samples, np.float64).ravel()
    error = standard_error(samples)
    assert error > 0, "constant samples: compare them exactly"
    distance = abs(samples.mean() - expected) / error
    assert distance <= z, (
        f"mean {samples.mean():.6g} is {distance:.1f} standard errors from {expected:.6g}"
    )


def assert_mean_above(samples, bound: float, *, z: float = 5) -> None:
    """The mean of independent samples lies above `bound` by more than z standard errors."""
    samples = np.asarray(samples, np.float64).ravel()
    margin = (samples.mean() - bound) / standard_error(samples)
    assert margin > z, (
        f"mean {samples.mean():.6g} is {margin:.1f} standard errors above {bound:.6g}"
    )
