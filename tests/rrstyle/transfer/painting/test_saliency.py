"""Saliency: edges of any brightness, and nothing where there is none."""

import numpy as np
import pytest

from rrstyle.transfer.painting.saliency import saliency
from tests.support.pairs import picture


def edge(low=0.2, high=0.8, size=(40, 60)):
    image = np.full((*size, 3), low, np.float32)
    image[:, size[1] // 2 :] = high
    return image


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_plain_picture_has_none(value):
    found = saliency(np.full((30, 40, 3), value, np.float32), (30, 40))
    assert found.shape == (30, 40, 1)
    assert not found.any()


def test_an_edge_is_salient_and_what_lies_far_from_it_calm():
    found = saliency(edge(), (40, 60))[..., 0]
    np.testing.assert_allclose(found[:, 29:31], 1)
    assert found[:, :20].max() < 0.05
    assert found[:, 40:].max() < 0.05
    np.testing.assert_allclose(found, np.broadcast_to(found[:1], found.shape), atol=1e-3)


def test_an_edge_in_the_dark_counts_as_much_as_one_in_the_light():
    image = edge(0.5, 0.9, size=(40, 120))
    image[:, 30:60] = 0.9
    image[:, 60:] = 0.02
    image[:, 90:] = 0.1  # a step of 0.08 where the other is one of 0.4
    found = saliency(image, (40, 120))[20, :, 0]
    dark, bright = found[85:95].max(), found[25:35].max()
    assert dark > 0.8 * bright
    assert bright > 0.3


@pytest.mark.parametrize("size", [(32, 48), (21, 31), (64, 96), (7, 9)])
def test_it_is_of_the_size_asked_for_and_in_range(size):
    found = saliency(picture("chelsea", 48), size)
    assert found.shape == (*size, 1)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() == 1
    assert 0.05 < (found == 1).mean() < 0.2  # the highest tenth
    assert found.mean() < 0.99


def test_the_photograph_is_left_alone():
    saliency(picture("chelsea", 48), (32, 48))  # read-only: writing would raise
    image = edge()
    before = image.copy()
    found = saliency(image, (40, 60))
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(saliency(image, (40, 60)), found)


def test_faint_texture_counts_nearly_as_much_as_a_strong_one_elsewhere():
    rng = np.random.default_rng(0)
    contrast = np.where(np.arange(120) < 60, 0.4, 0.1)[None, :, None]
    image = (0.5 + contrast * (rng.random((40, 120, 1)) - 0.5)).repeat(3, axis=2)
    found = saliency(image.astype(np.float32), (40, 120))[..., 0]
    strong, faint = found[:, 5:40].mean(), found[:, 80:115].mean()
    assert 0.7 * strong < faint < strong  # the energy is a quarter
