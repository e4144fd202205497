"""A convolution as a linear operator: by hand, against SciPy, against its own matrix."""

import numpy as np
import pytest
import scipy.signal
from pylops.utils import dottest

from recon.invertibility.convolution import (
    Convolution,
    convolve,
    dense,
    spectral_norm,
    transpose_convolve,
    unit_filters,
)

# Filter shape, size, keywords: odd strides that leave pixels over, groups, padding.
CASES = [
    ((5, 3, 4), (32,), {}),
    ((2, 1, 3), (7,), {"stride": 3, "padding": 1}),
    ((3, 2, 6), (9,), {"groups": 3, "stride": 2}),
    ((3, 3, 2, 5), (6, 4), {}),
    ((3, 3, 2, 4), (5, 6), {"padding": 1, "groups": 2}),
    ((3, 2, 1, 4), (8, 7), {"stride": 2, "padding": 2, "groups": 4}),
    ((1, 1, 3, 2), (2, 3), {}),
]


def drawn(case, batch=2, seed=0):
    shape, size, how = case
    rng = np.random.default_rng(seed)
    return Convolution(rng.standard_normal(shape), size, batch=batch, **how), rng


def test_one_axis_by_hand():
    images = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)
    filters = np.array([[10.0, 1], [1, -1]]).reshape(2, 1, 2)
    codes = convolve(images, filters)
    np.testing.assert_array_equal(codes[0], [[12, -1], [23, -1], [34, -1]])
    np.testing.assert_array_equal(convolve(images, filters, stride=2)[0], [[12, -1], [34, -1]])
    padded = convolve(images, filters, padding=1)
    np.testing.assert_array_equal(padded[0, [0, -1]], [[1, -1], [40, 4]])
    back = transpose_convolve([[[1.0, 0], [0, 0], [0, 2]]], filters, (4,))
    np.testing.assert_array_equal(back[0, :, 0], [10, 1, 2, -2])
    cut = transpose_convolve([[[1.0, 0], *[[0, 0]] * 4]], filters, (4,), padding=1)
    np.testing.assert_array_equal(cut[0, :, 0], [1, 0, 0, 0])


def test_channels_are_summed_and_groups_kept_apart_by_hand():
    images = np.array([[[2.0, 3.0]]])
    both = np.array([[[5.0], [7.0]]])
    np.testing.assert_array_equal(convolve(images, both), [[[31]]])
    each = np.array([[[5.0, 7.0]]])
    np.testing.assert_array_equal(convolve(images, each, groups=2), [[[10, 21]]])
    np.testing.assert_array_equal(
        transpose_convolve([[[1.0, 2.0]]], each, (1,), groups=2), [[[5, 14]]]
    )


@pytest.mark.parametrize("shape", [(4, 3, 2), (3, 2, 3, 2)])
def test_scipy_correlates_alike(shape):
    rng = np.random.default_rng(1)
    *taps, inputs, outputs = shape
    filters, images = rng.standard_normal(shape), rng.standard_normal((2, 9, 8, inputs))
    images = images[:, :, 0] if len(taps) == 1 else images
    codes = convolve(images, filters)
    for i in range(outputs):
        for b in range(2):
            expected = scipy.signal.correlate(images[b], filters[..., i], mode="valid")[..., 0]
            np.testing.assert_allclose(codes[b, ..., i], expected, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_the_transpose_is_the_adjoint(case):
    operator, rng = drawn(case)
    x, z = rng.standard_normal(operator.dims), rng.standard_normal(operator.dimsd)
    left, right = np.vdot(operator @ x, z), np.vdot(x, operator.H @ z)
    assert abs(left - right) <= 1e-12 * np.linalg.norm(x) * np.linalg.norm(z)
    assert dottest(operator, rtol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_the_matrix_does_the_same(case):
    operator, rng = drawn(case)
    matrix = dense(operator)
    x, z = rng.standard_normal(operator.dims), rng.standard_normal(operator.dimsd)
    np.testing.assert_allclose((operator @ x).ravel(), matrix @ x.ravel(), atol=1e-12)
    np.testing.assert_allclose((operator.H @ z).ravel(), matrix.T @ z.ravel(), atol=1e-12)
    assert spectral_norm(operator) == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-3)


def test_the_images_of_a_batch_do_not_meet():
    operator, rng = drawn(CASES[4], batch=3)
    x = rng.standard_normal(operator.dims)
    together = operator @ x
    for i in range(3):
        np.testing.assert_allclose(operator.of_batch(1) @ x[i : i + 1], together[i : i + 1])
    assert spectral_norm(operator) == spectral_norm(operator.of_batch(1))


def test_rows_of_unit_filters_have_norm_one_without_padding():
    rng = np.random.default_rng(2)
    filters = unit_filters(rng.standard_normal((3, 3, 2, 4)))
    norms = np.linalg.norm(dense(Convolution(filters, (6, 6))), axis=1)
    np.testing.assert_allclose(norms, 1)
    cut = np.linalg.norm(dense(Convolution(filters, (4, 4), padding=1)), axis=1)
    assert cut.min() < 1
    with pytest.raises(ValueError, match="filters must not be zero; received 1 that are"):
        unit_filters(filters * np.array([1, 0, 1, 1]))


@pytest.mark.parametrize(
    ("filters", "size", "how", "message"),
    [
        ((3, 2), (9,), {}, "filters must have 3 or 4 axes; received shape"),
        ((3, 2, 4), (9, 9), {}, r"size must have 1 numbers; received \(9, 9\)"),
        ((3, 2, 4), (2,), {}, r"size must be at least that of a filter, \(3,\); received"),
        ((3, 2, 4), (9,), {"groups": 3}, "groups must divide the 4 filters; received 3"),
        ((3, 2, 4), (9,), {"stride": 0}, "stride must be at least 1; received 0"),
        ((3, 2, 4), (9,), {"padding": -1}, "padding must be at least 0; received -1"),
    ],
)
def test_what_does_not_fit_is_refused(filters, size, how, message):
    with pytest.raises(ValueError, match=message):
        Convolution(np.ones(filters), size, **how)


def test_arrays_that_do_not_fit_are_refused():
    filters = np.ones((3, 2, 4))
    with pytest.raises(ValueError, match="images must have 2 channels; received 3"):
        convolve(np.ones((1, 9, 3)), filters)
    with pytest.raises(ValueError, match="images must have 3 axes, as filters have; received"):
        convolve(np.ones((1, 9, 9, 2)), filters)
    with pytest.raises(ValueError, match=r"codes must be \(batch, 7, 4\); received"):
        transpose_convolve(np.ones((1, 6, 4)), filters, (9,))
    with pytest.raises(ValueError, match="operator must have at most 8388608 entries; received"):
        dense(Convolution(np.ones((3, 3, 32, 32)), (15, 15)))
