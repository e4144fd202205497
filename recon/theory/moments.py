"""Half moments of the laws of weights, and the products of rectified projections (Lemma A.2).

Lemma A.2 is about isotropic filters w, and of filters with i.i.d. weights only the Gaussian ones
are isotropic. For the other (symmetric) laws, with z = ||y|| and g = max(w . y, 0):

- E g^2 = k_2 z^2 still holds: it is half the variance of w . y.
- E g = k_1 z fails: it depends on the direction of y, and equals k_1 z where y has one entry.
- E g^4 = k_4 z^4 fails likewise: E g^4 = (3 z^4 + kappa sum_i y_i^4) std^4 / 2 for the excess
  kurtosis kappa, so Var(g^2) / (E g^2)^2 lies between 5 and the K_2 = 5 + 2 kappa of one weight.
- E g_i g_j fails as well.

Where y spreads over many entries of similar size, as the maps of a wide layer do, w . y tends to a
Gaussian and the Gaussian constants hold in the limit, whatever the law.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats

from rrstyle.networks.laws import distribution

# Laws of |w|, in units of the scale of `distribution`; a uniform one's is its whole width.
_ABSOLUTE = {
    "gaussian": scipy.stats.halfnorm(),
    "uniform": scipy.stats.uniform(scale=0.5),
    "logistic": scipy.stats.halflogistic(),
    "laplace": scipy.stats.expon(),
}


@dataclass(frozen=True)
class Moments:
    """E phi(w)^m of one weight w, m = 1, 2, 4, for phi the ReLU."""

    k1: float
    k2: float
    k4: float

    @property
    def K1(self) -> float:
        """(k_2 - k_1^2) / k_1^2, the relative variance of phi(w)."""
        return (self.k2 - self.k1**2) / self.k1**2

    @property
    def K2(self) -> float:
        """(k_4 - k_2^2) / k_2^2, the relative variance of phi(w)^2."""
        return (self.k4 - self.k2**2) / self.k2**2


def half_moment(law: str, std: float, order: int) -> float:
    """k_m = E|w|^m / 2 of a weight w, which is E max(w, 0)^m as the laws are symmetric.

    Raises:
        ValueError: If the law is none of `rrstyle.networks.laws.SCALED_LAWS`, `std` not positive
            and finite or the order m below 1.

    Reference: Definition 5.1, as printed.
    """
    scale = distribution(law, std).kwds["scale"]
    if order < 1:
        raise ValueError(f"order must be at least 1; received {order!r}")
    return float(scale**order * _ABSOLUTE[law].moment(order) / 2)


def moments(law: str, std: float) -> Moments:
    """k_1, k_2 and k_4 of a law; errors as of `half_moment`.

    Of Gaussian weights: k_1 = std / sqrt(2 pi), k_2 = std^2 / 2, K_1 = pi - 1, K_2 = 5.

    Reference: Lemma A.2 with y a single 1.
    """
    return Moments(*(half_moment(law, std, m) for m in (1, 2, 4)))


def arc_cosine(cosines) -> np.ndarray:
    """h = ((pi - theta) cos theta + sin theta) / pi, from cos theta: 1, 1 / pi, 0 at 0, pi / 2, pi.

    Cosines have any shape and are clipped to [-1, 1], which rounding may exceed.

    Reference: h of Theorem A.7; the arc-cosine kernel of order 1.
    """
    c = np.clip(np.asarray(cosines, np.float64), -1, 1)
    return ((np.pi - np.arccos(c)) * c + np.sqrt(1 - c * c)) / np.pi


def rectified_product(first, second, *, std: float) -> float:
    """E max(w . y_i, 0) max(w . y_j, 0) for Gaussian filters w.

    `k_2 h(theta) z_i z_j`, theta the angle between the vectors y_i and y_j, z their norms; 0 where
    one is 0.

    ValueError if the vectors are not of one length, or `std` is not positive.

    Reference: Lemma A.2, as printed; for isotropic filters.
    """
    y_i, y_j = (np.asarray(y, np.float64) for y in (first, second))
    if y_i.ndim != 1 or y_i.shape != y_j.shape:
        raise ValueError(
            "first and second must be vectors of one length;"
            f" received shapes {y_i.shape} and {y_j.shape}"
        )
    k2 = half_moment("gaussian", std, 2)
    norms = np.linalg.norm(y_i) * np.linalg.norm(y_j)
    return float(k2 * norms * arc_cosine(y_i @ y_j / norms)) if norms > 0 else 0.0
