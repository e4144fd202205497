"""`paint` by regions: each from its own region of the style, and from nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import PaintConfig, StyleConfig
from rrstyle.pictures.images import resize
from rrstyle.pictures.regions import as_regions
from rrstyle.pipeline import stylize
from rrstyle.transfer.painting.canvas import Part
from rrstyle.transfer.painting.paint import paint
from rrstyle.transfer.painting.regions import paint_regions
from tests.rrstyle.transfer.painting.test_paint import BARE, SMALL, canvas, chelsea, waves
from tests.support.pairs import picture


def left_and_right(height, width, border):
    regions = np.zeros((height, width), np.uint8)
    regions[:, border:] = 255
    return regions


def shown_by_side(style, border):
    """A style whose right side, from `border` on, is shown white, and its left one black."""
    shown = np.zeros_like(style)
    shown[:, border:] = 1
    return Part(style, shown, 0)


def test_each_region_is_made_of_its_own():
    content, style = picture("chelsea", 64), picture("starry-swirls", 64)
    height, width = content.shape[:2]
    given = replace(canvas(content, style, config=BARE), parts=(shown_by_side(style, 30),))
    maps = [left_and_right(height, width, 40), left_and_right(*style.shape[:2], 30)]
    image = paint_regions(given, as_regions(maps, 1))
    assert image[:, :38].max() == 0
    assert image[:, 43:].min() > 1 - 1e-5


def test_regions_may_be_crossed():
    content, style = picture("chelsea", 64), picture("starry-swirls", 64)
    height, width = content.shape[:2]
    given = replace(canvas(content, style, config=BARE), parts=(shown_by_side(style, 30),))
    maps = [255 - left_and_right(height, width, 40), left_and_right(*style.shape[:2], 30)]
    image = paint_regions(given, as_regions(maps, 1))
    assert image[:, :38].min() > 1 - 1e-5
    assert image[:, 43:].max() == 0


def test_turned_copies_keep_to_the_region():
    content, style = picture("chelsea", 64), picture("starry-swirls", 64)
    height, width = content.shape[:2]
    given = canvas(content, style, config=BARE)
    given = replace(given, parts=(shown_by_side(style, 30),), turned=True)
    maps = [left_and_right(height, width, 40), left_and_right(*style.shape[:2], 30)]
    image = paint_regions(given, as_regions(maps, 1))
    assert image[:, :38].max() == 0
    assert image[:, 43:].min() > 1 - 1e-5


def test_one_region_is_the_whole_picture():
    given = canvas(chelsea(), waves(), palette=1.0)
    maps = 2 * [np.zeros((8, 8))]
    np.testing.assert_allclose(
        paint_regions(given, as_regions(maps, 1)), paint(given), rtol=0, atol=1e-6
    )


def test_a_region_has_the_colours_of_its_own():
    content, style = picture("coffee", 64), picture("mosaic", 64).copy()
    style[:, :32] *= (1, 0.2, 0.2)
    style[:, 32:] *= (0.2, 0.2, 1)
    maps = [left_and_right(*content.shape[:2], 40), left_and_right(64, 64, 32)]
    image = paint_regions(
        canvas(content, style, config=replace(BARE, variety=0.0), palette=1.0), as_regions(maps, 1)
    )
    left, right = (np.s_[:, :37], np.s_[:, 43:])
    np.testing.assert_allclose(
        image[left].mean(axis=(0, 1)), style[:, :32].mean(axis=(0, 1)), atol=0.03
    )
    np.testing.assert_allclose(
        image[right].mean(axis=(0, 1)), style[:, 32:].mean(axis=(0, 1)), atol=0.03
    )


def test_a_region_too_thin_for_a_patch_is_used_as_far_as_it_goes():
    content, style = picture("chelsea", 64), picture("starry-swirls", 64)
    shown = np.zeros_like(style)
    shown[:, 30:33] = 1
    given = replace(canvas(content, style, config=BARE), parts=(Part(style, shown, 0),))
    thin = np.zeros(style.shape[:2])
    thin[:, 30:33] = 1
    image = paint_regions(given, as_regions([np.ones((4, 4)), thin], 1))
    assert image.mean() > 0.5  # a patch of 5 has 3 columns of it, in its middle
    assert np.isfinite(image).all()


@pytest.mark.parametrize("pixels", [1, 4])
def test_tiny_regions_are_painted(pixels):
    config = replace(SMALL, side=96, paint=PaintConfig(rounds=(1,), keys=500))
    ours, theirs = np.zeros((200, 300)), np.zeros((100, 100))
    ours[100, 100 : 100 + pixels] = theirs[:pixels, 50] = 1
    maps = [ours, theirs]
    image = stylize(chelsea(96), waves(96), config, seed=0, style_mask=maps)
    assert np.isfinite(image).all()


def test_a_blend_takes_each_region_from_the_styles_that_have_it():
    content, first, second = chelsea(48), waves(48), picture("mosaic", 48)
    parts = (
        Part(first, np.zeros_like(first), 0),
        Part(second, np.ones_like(second), 1),
    )
    given = replace(canvas(content, first, second, config=BARE), parts=parts)
    maps = [left_and_right(*content.shape[:2], 24), np.zeros((4, 4)), np.ones((4, 4))]
    image = paint_regions(given, as_regions(maps, 2))
    assert image[:, :22].max() == 0
    assert image[:, 27:].min() > 1 - 1e-5


def test_what_the_mask_leaves_out_is_not_painted():
    content, style = chelsea(), waves()
    mask = left_and_right(*content.shape[:2], 50) / np.float32(255)
    maps = [left_and_right(*content.shape[:2], 40), left_and_right(*style.shape[:2], 20)]
    calls = []
    given = canvas(content, style, mask=mask, on_step=calls.append)
    paint_regions(given, as_regions(maps, 1))
    assert min(step.fraction for step in calls) > 0.5  # the first of two regions had no work


def test_progress_and_previews_show_what_is_done():
    config = StyleConfig(side=200, encoder=SMALL.encoder, paint=PaintConfig(rounds=(1,), keys=500))
    steps = []
    maps = [left_and_right(20, 20, 10), left_and_right(20, 20, 10)]
    content = picture("chelsea", 200)
    image = stylize(
        content, waves(200), config, seed=0, style_mask=maps, on_step=steps.append, previews=True
    )
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    previews = [step.preview for step in steps if step.preview is not None]
    assert len(previews) > 1
    # Until it has its turn the second region is the photograph.
    changes = [
        abs(shown - resize(content, shown.shape[:2])).mean(axis=(0, 2)) for shown in previews
    ]
    left, right = (
        [change[part].mean() for change in changes] for part in (np.s_[:40], np.s_[-40:])
    )
    assert right[0] < 0.2 * left[0]
    assert right[-1] > left[-1] / 2
    assert image.shape == content.shape
