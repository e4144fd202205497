"""Ratios of norms and the reconstruction bound: by hand, in expectation, and as in Fig. 2."""

import numpy as np
import pytest

from recon.invertibility.convolution import Convolution
from recon.invertibility.rip import (
    analysis_ratios,
    distortion,
    reconstruction_bound,
    reconstruction_errors,
    relative_error,
    support_distortion,
    synthesis_ratio,
)
from recon.invertibility.sparsity import random_codes
from tests.support.montecarlo import assert_mean

SHIFTS, TAPS, CHANNELS, FILTERS = 8, 5, 4, 6


def drawn(seed, *, batch=1):
    filters = np.random.default_rng(seed).normal(
        0, (TAPS * CHANNELS) ** -0.5, (TAPS, CHANNELS, FILTERS)
    )
    return Convolution(filters, (SHIFTS + TAPS - 1,), batch=batch)


def test_ratios_by_hand():
    # W = [3; 4] on one pixel; W^T (1, 1) = 7, W W^T (1, 1) = (21, 28).
    operator = Convolution(np.array([[[3.0, 4.0]]]), (1,))
    both, one = np.ones((1, 1, 2)), np.array([[[1.0, 0]]])
    np.testing.assert_allclose(synthesis_ratio(operator, both), 7 / np.sqrt(2))
    np.testing.assert_allclose(analysis_ratios(operator, both)["full"], 35 / np.sqrt(2))
    found = analysis_ratios(operator, one)
    np.testing.assert_allclose([found["full"].item(), found["support"].item()], [15, 9])
    np.testing.assert_allclose(relative_error([[[3.0, 0]]], [[[3.0, 4.0]]]), 0.8)


def test_errors_by_hand():
    # Orthonormal W: h = z, so all but the naive unpooling give x back.
    operator = Convolution(np.ones((1, 1, 1)), (3,))
    found = reconstruction_errors(operator, [[[0.0], [2], [0]]], 1, iterations=2)
    expected = {"naive": np.sqrt(2), "one_step": 0, "oracle": 0, "iterated": 0}
    assert {name: value.item() for name, value in found.items()} == pytest.approx(expected)


def test_norms_are_kept_in_expectation():
    # Lemma A.1, for any code: E ||W^T z||^2 = ||z||^2.
    codes = random_codes((1, SHIFTS, FILTERS), 4, rng=np.random.default_rng(0))
    assert_mean([synthesis_ratio(drawn(seed), codes) ** 2 for seed in range(2000)], 1)


def test_all_entries_of_the_hidden_units_in_expectation():
    # E ||W W^T e||^2 for one entry e: E ||w||^4 of itself, and overlap / (M l^2) of each other row.
    codes = np.zeros((1, SHIFTS, FILTERS))
    codes[0, 3, 2] = 1
    overlaps = np.maximum(0, TAPS - np.abs(np.arange(SHIFTS) - 3))
    others = FILTERS * overlaps.sum() - TAPS
    size = CHANNELS * TAPS
    expected = 1 + 2 / size + others / (CHANNELS * TAPS**2)
    found = [analysis_ratios(drawn(seed), codes) for seed in range(2000)]
    assert_mean([ratios["full"] ** 2 for ratios in found], expected)
    assert_mean([ratios["support"] ** 2 for ratios in found], 1 + 2 / size)


def test_ratios_and_errors_are_those_of_figure_2():
    # study.md of the project: (a) 1.00, (b) 2.0 full and 1.01 on the support, (c) .14, .31, 1.43.
    rng = np.random.default_rng(0)
    operator = Convolution(rng.normal(0, 160**-0.5, (5, 32, 96)), (32,), batch=100)
    codes = random_codes(tuple(operator.dimsd), 10, rng=rng)
    found = {
        "synthesis": synthesis_ratio(operator, codes),
        **analysis_ratios(operator, codes),
        **reconstruction_errors(operator, codes, 10, iterations=20),
    }
    expected = {
        "synthesis": (1.0, 0.02),
        "support": (1.0, 0.03),
        "full": (1.95, 0.06),
        "oracle": (0.14, 0.02),
        "one_step": (0.31, 0.03),
        "naive": (1.43, 0.03),
    }
    for name, (value, within) in expected.items():
        assert found[name].mean() == pytest.approx(value, abs=within), name
    assert np.median(found["iterated"]) < 1e-6


def test_the_distortion_by_hand():
    assert distortion([1.0, 0.9, 1.05]) == pytest.approx(0.19)
    assert distortion([1.0]) == 0


def test_the_bound_by_hand():
    assert reconstruction_bound(0, 0).value == 0
    assert reconstruction_bound(0.25, 0.6).value == pytest.approx(5 * 0.6 / 0.75 * 2)
    assert not reconstruction_bound(0.146, 0.146).vacuous
    assert reconstruction_bound(0.148, 0.148).vacuous


@pytest.mark.parametrize(("small", "large"), [(-0.1, 0.2), (0.3, 0.2), (0.5, 1.0)])
def test_deltas_that_are_none_are_refused(small, large):
    with pytest.raises(ValueError, match="deltas must be 0 <= delta_k <= delta_2k < 1; received"):
        reconstruction_bound(small, large)


def test_the_bound_holds_where_the_deltas_are_known():
    # So few codes that every subspace of the model can be looked at: two blocks of two shifts.
    filters = np.random.default_rng(3).normal(0, 1, (8, 64, 2)) / np.sqrt(8 * 64)
    operator = Convolution(filters, (9,), batch=50)
    gram = np.array(
        [(operator.of_batch(1) @ (operator.of_batch(1).H @ e)).ravel() for e in units()]
    )
    one = max(off_one(gram[np.ix_(s, s)]) for s in ([0, 1], [0, 3], [2, 1], [2, 3]))
    bound = reconstruction_bound(one, off_one(gram))
    assert not bound.vacuous
    codes = random_codes(tuple(operator.dimsd), 2, rng=np.random.default_rng(4))
    errors = reconstruction_errors(operator, codes, 2, iterations=2)
    assert errors["one_step"].max() <= bound.value


def units():
    return np.eye(4).reshape(4, 1, 2, 2)


def off_one(gram):
    return float(np.abs(np.linalg.eigvalsh(gram) - 1).max())


def test_distortion_of_a_support_by_hand():
    filters = np.zeros((1, 2, 3))
    filters[0, :, 0], filters[0, :, 1], filters[0, :, 2] = (1, 0), (0, 1), (0.6, 0.8)
    # Orthogonal rows of norm 1, be it by their channels or by their places.
    assert support_distortion(filters, 2, [0, 1], [0, 0]) == pytest.approx(0)
    assert support_distortion(filters, 2, [0, 2], [0, 1]) == pytest.approx(0)
    # Two of norm 1 with the inner product .6: eigenvalues 1.6 and .4.
    assert support_distortion(filters, 2, [0, 2], [1, 1]) == pytest.approx(0.6)


def test_no_code_on_a_support_is_distorted_more():
    rng = np.random.default_rng(0)
    filters = rng.normal(0, 15**-0.5, (5, 3, 8))
    chosen, shifts = [0, 3, 6, 7], [2, 0, 4, 1]
    codes = np.zeros((500, 5, 8))
    codes[:, shifts, chosen] = rng.normal(size=(500, 4))
    sampled = distortion(synthesis_ratio(Convolution(filters, (9,), batch=500), codes))
    found = support_distortion(filters, 9, chosen, shifts)
    assert 0.8 * found < sampled <= found * (1 + 1e-12)
