"""A picture made larger: composed as the small one, and finer."""

from dataclasses import replace

import numpy as np
import pytest

from recon.metrics import ssim
from rrstyle import stylize
from rrstyle.pictures.images import resize
from rrstyle.transfer.painting.levels import Grid, inherit
from tests.rrstyle.transfer.painting.test_paint import QUICK, SMALL, canvas, chelsea, waves
from tests.support.pairs import picture

BARE = replace(SMALL, paint=replace(SMALL.paint, detail=0.0))  # composition, and nothing else


def alike(large, small):
    """SSIM of the large one, scaled down, with the small one."""
    return float(ssim(resize(large, small.shape[:2])[None], small[None])[0])


def test_shown_patches_grow_with_the_picture_by_hand():
    given = canvas(chelsea(48), waves(48), config=QUICK)  # patches of 5
    assert given.patch_at((384, 512)) == 5
    composed = replace(given, composed=given)
    size = given.content.shape[:2]
    sides = [composed.patch_at((n * size[0], n * size[1])) for n in (1, 2, 3, 4)]
    assert sides == [5, 9, 15, 21]
    assert replace(composed, tile=True).patch_at((384, 512)) == 5


def test_larger_patches_stay_centred_on_what_was_found():
    coarse, fine = (Grid((8 * n, 8 * n), 2 * n, ((16 * n, 16 * n),)) for n in (1, 4))
    field = np.full((*coarse.places, 2), 6, np.int32)  # patches of 5 centred on 8
    found = inherit(field, coarse, fine, 5, 21)
    np.testing.assert_array_equal(found, 4 * 8 - 10)


def test_the_large_one_scaled_down_is_the_small_one():
    given = picture("chelsea", 192), picture("waves", 192)
    small = stylize(*given, replace(SMALL, side=64), seed=1)
    large = replace(SMALL, side=192)
    enlarged = stylize(*given, replace(large, composed_at=64), seed=1)
    assert enlarged.shape == given[0].shape
    assert alike(enlarged, small) > 0.8
    assert alike(stylize(*given, large, seed=1), small) < 0.7


def test_a_picture_of_its_own_size_is_itself():
    given = chelsea(48), waves(48)
    found = stylize(*given, replace(SMALL, composed_at=48), seed=0)
    np.testing.assert_array_equal(found, stylize(*given, SMALL, seed=0))


@pytest.mark.parametrize(
    "changes", [{"tile": True}, {"style_rotate": True}, {"keep_colours": True, "strength": 0.5}]
)
def test_what_else_is_set_holds_for_the_large_one_too(changes):
    given = picture("chelsea", 96), picture("waves", 96)
    small = stylize(*given, replace(BARE, **changes), seed=0)
    large = replace(BARE, side=96, composed_at=48, **changes)
    assert alike(stylize(*given, large, seed=0), small) > 0.85


def test_mask_and_regions_hold_for_the_large_one_too():
    content, style = picture("chelsea", 96), picture("waves", 96)
    left = np.zeros(content.shape[:2], np.uint8)
    left[:, :48] = 255
    masks = {"mask": left, "style_mask": [left, np.flipud(left)]}
    large = stylize(content, style, replace(BARE, side=96, composed_at=48), seed=0, **masks)
    np.testing.assert_allclose(large[:, 48:], content[:, 48:], atol=1e-6)
    small = stylize(content, style, BARE, seed=0, **masks)
    assert alike(large, small) > 0.85
