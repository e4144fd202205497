"""Ratios of norms that the model-RIP bounds, and the reconstruction bound that follows from it.

Of an operator W, codes z have the shape `dimsd` and none is all zero; results are float64, one a
sample.
"""

import numpy as np

from recon.invertibility.convolution import Convolution
from recon.invertibility.recovery import iterative_hard_thresholding
from recon.invertibility.sparsity import keep_largest, max_pool, unpool
from recon.theory.variance import Bound


def synthesis_ratio(operator: Convolution, codes) -> np.ndarray:
    """||W^T z|| / ||z||, in [sqrt(1 - delta), sqrt(1 + delta)] by the model-RIP (1).

    E ||W^T z||^2 = ||z||^2 for i.i.d. filters of variance 1 / (M l) without padding.

    Reference: equation 1, Lemma A.1; Fig. 2 (a) and Fig. 3. Appendix B has (1 +- delta) for
        sqrt(1 +- delta) in its first paragraph, and A.1 says E||w|| = 1 for E||w||^2 = 1.
    """
    return _norms(operator.H @ codes) / _norms(codes)


def analysis_ratios(operator: Convolution, codes) -> dict[str, np.ndarray]:
    """||W W^T z|| / ||z||: "full", over all entries, and "support", on that of z alone.

    Only the second is bounded by the model-RIP (Lemma B.1, equations 5 and 6). The first has an
    error on each of the K n entries and is near sqrt(1 + K / (M t)), away from borders: 2 in
    Fig. 2. The caption of (b) has the first, but its histogram, around 1, can only be the second.
    """
    codes = np.asarray(codes, np.float64)
    back, norms = operator @ (operator.H @ codes), _norms(codes)
    return {"full": _norms(back) / norms, "support": _norms(back * (codes != 0)) / norms}


def reconstruction_errors(
    operator: Convolution, codes, k: int, *, iterations: int, pool: int | None = None
) -> dict[str, np.ndarray]:
    """||x' - x|| / ||x|| of x = W^T z, x' = W^T z', for four choices of z'.

    - "naive": the k largest of max pooling of W x, each at the first place of its region: what
      the caption of Fig. 2 (c) says;
    - "one_step": M(W x, k), one step of Algorithm 1: what Theorem 3.3 is about;
    - "oracle": W x on the support of z, which is unknown in practice;
    - "iterated": `iterations` steps of Algorithm 1.

    k is the number of entries of z, `pool` as in `sparsify`.
    """
    codes = np.asarray(codes, np.float64)
    images = operator.H @ codes
    hidden = operator @ images
    values, _ = max_pool(hidden, pool)
    found = {
        "naive": unpool(keep_largest(values, k), hidden.shape[1:-1], pool),
        "one_step": iterative_hard_thresholding(operator, images, k, pool=pool),
        "oracle": hidden * (codes != 0),
        "iterated": iterative_hard_thresholding(
            operator, images, k, iterations=iterations, pool=pool
        ),
    }
    return {name: relative_error(operator.H @ code, images) for name, code in found.items()}


def relative_error(found, images) -> np.ndarray:
    """||x' - x|| / ||x|| of each sample."""
    images = np.asarray(images, np.float64)
    return _norms(np.asarray(found, np.float64) - images) / _norms(images)


def distortion(ratios) -> float:
    """The least delta for which all these values of ||W^T z|| / ||z|| satisfy (1): `max |r^2 - 1|`.

    delta of the matrix is the largest over *all* codes; that of a sample lies below it.
    """
    return float(np.abs(np.square(np.asarray(ratios, np.float64)) - 1).max())


def support_distortion(filters, length: int, chosen, shifts) -> float:
    """The largest `| ||W^T z||^2 / ||z||^2 - 1 |` of all codes z on one support, in one dimension.

    Filters are (l, M, K), `chosen` are numbers of k of them and `shifts` a place from 0 to `length`
    - l for each: the extreme eigenvalues of the Gram matrix of those k rows of W. delta_k is the
    largest over all supports.
    """
    filters = np.asarray(filters, np.float64)
    taps, channels, _ = filters.shape
    rows = np.zeros((len(chosen), length, channels))
    for row, number, shift in zip(rows, chosen, shifts, strict=True):
        row[shift : shift + taps] = filters[:, :, number]
    rows = rows.reshape(len(rows), -1)
    return float(np.abs(np.linalg.eigvalsh(rows @ rows.T) - 1).max())


def reconstruction_bound(delta_k: float, delta_2k: float) -> Bound:
    """On ||W^T M(W x, k) - x|| / ||x||, for x = W^T z and a model-k-sparse z.

    `5 delta_2k / (1 - delta_k) sqrt((1 + delta_2k) / (1 - delta_2k))`, below 1 only for
    delta < 0.147 where both are delta.

    The constants are of the model-RIP for M_k and for sums of two such codes; ValueError unless
    0 <= delta_k <= delta_2k < 1.

    Reference: Theorem 3.3, as printed. Its proof needs M to be the best approximation in the
        model (Lemma B.3), so it is not "applicable to any type of upsampling switches"; and it
        gives 3 delta_2k + delta_2k^2, below 4 delta_2k, where Lemma B.4 has 5 delta_2k.
    """
    if not 0 <= delta_k <= delta_2k < 1:
        raise ValueError(
            f"deltas must be 0 <= delta_k <= delta_2k < 1; received {delta_k} and {delta_2k}"
        )
    return Bound(5 * delta_2k / (1 - delta_k) * float(np.sqrt((1 + delta_2k) / (1 - delta_2k))))


def _norms(x) -> np.ndarray:
    """l2 norm of each sample."""
    return np.linalg.norm(np.reshape(x, (len(x), -1)), axis=1)
