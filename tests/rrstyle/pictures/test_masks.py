"""Masks: what they are, how they fit, and that they keep the photograph."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import OptimiseConfig, PaintConfig, StyleConfig
from rrstyle.pictures import masks
from rrstyle.pipeline import stylize
from rrstyle.transfer.closed_form import fit_gaussian
from tests.support.pairs import METHODS, THIN, picture, rms

QUICK = StyleConfig(
    side=48,
    encoder=THIN,
    optimise=OptimiseConfig(steps=(2, 2)),
    paint=PaintConfig(rounds=(1,), keys=500),
    precision="float32",
)


def test_a_mask_is_in_steps_of_one_in_255():
    found = masks.as_mask(np.array([[0, 0.5, 1], [0.001, 0.003, 1]]))
    np.testing.assert_allclose(255 * found, [[0, 128, 255], [0, 1, 255]], atol=1e-4)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(masks.as_mask(np.eye(3, dtype=bool)), np.eye(3))
    np.testing.assert_array_equal(masks.as_mask(np.uint8([[0, 255]])), [[0, 1]])


def test_a_large_mask_is_reduced():
    mask = np.zeros((300, 2048), bool)
    mask[:, 1000:] = True
    found = masks.as_mask(mask)
    assert found.shape == (150, 1024)
    assert found[:, :499].max() == 0
    assert found[:, 502:].min() == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((4, 4)), "mask must mark a part of the photograph; received one all black"),
        (np.full((4, 4), 1.5), "mask: values out of range"),
        (np.full((4, 4), np.nan), "mask: values out of range"),
        (np.ones(4), "mask: not a picture"),
        ("white", "mask: not a picture"),
    ],
)
def test_what_is_no_mask(bad, words):
    with pytest.raises(ValueError, match=words):
        masks.as_mask(bad)


def test_text_and_back():
    mask = masks.as_mask(np.random.default_rng(0).random((7, 9)))
    np.testing.assert_array_equal(masks.parse_mask(masks.mask_text(mask)), mask)


def test_a_composite_by_hand():
    photograph, image = np.full((1, 600, 3), 0.2, np.float32), np.full((1, 600, 3), 0.7, np.float32)
    mask = np.zeros((1, 600), np.float32)
    mask[:, 300:] = 0.5
    found = masks.composite(photograph, image, mask)[0, :, 0]
    np.testing.assert_array_equal(found[:300], photograph[0, :300, 0])
    # The edge is 1 + 600 / 200 pixels wide, inwards.
    np.testing.assert_allclose(found[300:304], 0.2 + 0.25 * np.array([0.25, 0.5, 0.75, 1]))
    np.testing.assert_allclose(found[304:], 0.45)
    np.testing.assert_allclose(masks.composite(photograph, image, np.ones((1, 600))), image)


def test_statistics_under_a_mask_are_those_of_its_part():
    features = np.random.default_rng(0).normal(size=(8, 9, 3)).astype(np.float32)
    mask = np.zeros((8, 9))
    mask[2:6, 3:] = 0.3
    found, wanted = fit_gaussian(features, mask=mask), fit_gaussian(features[2:6, 3:])
    np.testing.assert_allclose(found.mean, wanted.mean)
    np.testing.assert_allclose(found.covariance, wanted.covariance)


@pytest.mark.parametrize("name", METHODS)
def test_the_photograph_stays_where_the_mask_is_black(name):
    content = picture("chelsea", 48)
    mask = np.zeros((64, 96), bool)  # of another size
    mask[:, 48:] = True
    image = stylize(
        content, picture("waves", 48), replace(QUICK, **METHODS[name]), seed=0, mask=mask
    )
    np.testing.assert_array_equal(image[:, :23], content[:, :23])
    assert rms(image[:, 26:] - content[:, 26:]) > 0.05
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("name", ["transport", "paint"])
def test_a_white_mask_is_as_none(name):
    content, style = picture("chelsea", 48), picture("waves", 48)
    settings = replace(QUICK, **METHODS[name])
    white = stylize(content, style, settings, seed=0, mask=np.ones((5, 5)))
    plain = stylize(content, style, settings, seed=0)
    # Sums are taken in another order, and a find may so be another.
    assert rms(white - plain) < (1e-5 if name == "transport" else 0.03)


def test_the_masked_part_takes_the_whole_palette():
    # Statistics of the masked part, not of the picture, are brought to the style's.
    content, style = picture("chelsea", 48).copy(), picture("waves", 48)
    content[:, :24] = 0  # black beside the mask would darken what is matched
    mask = np.zeros(content.shape[:2])
    mask[:, 24:] = 1
    image = stylize(content, style, replace(QUICK, method="transport"), seed=0, mask=mask)
    inside = image[:, 26:].mean(axis=(0, 1)) - style.mean(axis=(0, 1))
    assert np.abs(inside).max() < 0.06
