"""Coherence of filters and of all rows of W: by hand, against the matrix, over pairs."""

import numpy as np
import pytest

from recon.invertibility.coherence import filter_coherence, row_coherence
from recon.invertibility.convolution import Convolution, dense


def test_filters_by_hand():
    # Three filters of two channels at one tap: angles of 45, 90 and 135 degrees.
    filters = np.array([[1.0, 0, -1], [0, 5, 1]]).reshape(1, 2, 3)
    assert filter_coherence(filters) == pytest.approx(1 / np.sqrt(2))


def test_groups_by_hand():
    # Equal filters count only where they see the same channels.
    filters = np.array([[1.0, 0, 1, 1], [0, 1, 0, 1]]).reshape(1, 2, 4)
    assert filter_coherence(filters) == pytest.approx(1)
    assert filter_coherence(filters, groups=2) == pytest.approx(1 / np.sqrt(2))
    assert row_coherence(filters, groups=2) == pytest.approx(1 / np.sqrt(2))


def test_shifts_by_hand():
    # (1, 1) meets itself one shift on, by half; two shifts on, not at all.
    filters = np.array([[1.0, 1], [1, -1]]).reshape(2, 1, 2)
    assert filter_coherence(filters) == pytest.approx(0)
    assert row_coherence(filters) == pytest.approx(0.5)
    assert row_coherence(filters, stride=2) == pytest.approx(0)


@pytest.mark.parametrize(
    ("shape", "size", "stride", "groups"),
    [
        ((4, 1, 3), (12,), 1, 1),
        ((3, 2, 2, 4), (9, 8), 1, 1),
        ((3, 3, 1, 4), (9, 9), 2, 2),
        ((5, 3, 1, 2), (16, 12), 3, 1),
    ],
)
def test_rows_are_those_of_the_matrix(shape, size, stride, groups):
    filters = np.random.default_rng(0).standard_normal(shape)
    matrix = dense(Convolution(filters, size, stride=stride, groups=groups))
    cosines = matrix @ matrix.T
    norms = np.sqrt(np.diag(cosines))
    cosines /= norms[:, None] * norms
    np.fill_diagonal(cosines, 0)
    found = row_coherence(filters, stride=stride, groups=groups)
    assert found == pytest.approx(np.abs(cosines).max())
    assert found >= filter_coherence(filters, groups=groups)


def test_scale_and_sign_of_a_filter_do_not_count():
    filters = np.random.default_rng(1).standard_normal((3, 3, 4, 8))
    other = filters * np.array([1, -1, 2, -3, 4, 5, -6, 0.1])
    assert filter_coherence(other) == pytest.approx(filter_coherence(filters))
    assert row_coherence(other) == pytest.approx(row_coherence(filters))


def test_what_has_no_pairs_is_refused():
    filters = np.ones((1, 2, 3))
    for groups in (0, 2, 3):
        with pytest.raises(ValueError, match=f"groups must split .* received {groups}"):
            filter_coherence(filters, groups=groups)
    with pytest.raises(ValueError, match="stride must be at least 1; received 0"):
        row_coherence(filters, stride=0)
