"""Contact sheets: sizes by hand, pixels in their places."""

import numpy as np
import pytest

from rrstyle.pictures.sheets import _GAP, _NARROWEST, contact_sheet

WIDE = _NARROWEST + 20


def drawn(height, width, seed=0):
    values = np.random.default_rng(seed).integers(0, 200, (height, width, 3))
    return (values / 255).astype(np.float32)


def assert_shown(sheet, image, top, left):
    part = sheet[top : top + image.shape[0], left : left + image.shape[1]]
    np.testing.assert_allclose(part, image, atol=1e-6)


def test_a_sheet_without_captions_by_hand():
    first, second, third = drawn(30, WIDE), drawn(50, 60, 1), drawn(20, WIDE, 2)
    sheet = contact_sheet([[first, second], [third]])
    # Two columns as wide as the widest picture, rows as high as their highest, gaps all around.
    assert sheet.shape == (50 + 20 + 3 * _GAP, 2 * WIDE + 3 * _GAP, 3)
    assert sheet.dtype == np.float32
    assert_shown(sheet, first, _GAP, _GAP)
    assert_shown(sheet, second, _GAP, 2 * _GAP + WIDE)
    assert_shown(sheet, third, 2 * _GAP + 50, _GAP)


def test_the_rest_is_white():
    sheet = contact_sheet([[drawn(30, WIDE), drawn(20, 60, 1)], [drawn(10, 10, 2)]])
    assert np.count_nonzero((sheet < 1).any(axis=-1)) == 30 * WIDE + 20 * 60 + 10 * 10


def test_narrow_pictures_have_room_for_a_caption():
    sheet = contact_sheet([[drawn(20, 10), drawn(20, 16)]])
    assert sheet.shape[:2] == (20 + 2 * _GAP, 2 * _NARROWEST + 3 * _GAP)


def strip_of(captions, height=40):
    """Height of what captions add above one picture, which is checked to be in its place."""
    image = drawn(height, WIDE)
    sheet = contact_sheet([[image]], [captions])
    strip = sheet.shape[0] - height - 2 * _GAP
    assert_shown(sheet, image, _GAP + strip, _GAP)
    ink = (sheet[: _GAP + strip] < 1).any(axis=-1)
    return strip, ink


def test_captions_stand_above_their_pictures():
    strip, ink = strip_of(["transport"])
    assert strip > 8
    assert ink[_GAP:].any()
    assert not ink[:, :_GAP].any()
    assert not ink[:, _GAP + WIDE :].any()
    other = strip_of(["adain"])[1]
    assert not np.array_equal(ink, other)


def test_lines_stand_below_each_other():
    line, _ = strip_of(["one"])
    strip, ink = strip_of(["one\ntwo\nthree"])
    assert strip == 3 * line
    for number in range(3):
        top = _GAP + number * line
        assert ink[top : top + line].any()


def test_a_row_has_the_height_of_its_longest_caption():
    line, _ = strip_of(["one"])
    rows = [[drawn(40, WIDE), drawn(30, WIDE, 1)], [drawn(20, WIDE, 2)]]
    sheet = contact_sheet(rows, [["one", "one\ntwo"], ["three"]])
    assert sheet.shape[0] == 2 * line + 40 + line + 20 + 3 * _GAP
    assert_shown(sheet, rows[0][1], _GAP + 2 * line, 2 * _GAP + WIDE)
    assert_shown(sheet, rows[1][0], 2 * _GAP + 2 * line + 40 + line, _GAP)


def test_a_long_line_is_cut_and_leaves_the_next_picture_alone():
    pictures = [drawn(40, WIDE), drawn(40, WIDE, 1)]
    sheet = contact_sheet([pictures], [[200 * "long ", ""]])
    gap = sheet[:, _GAP + WIDE + 1 : 2 * _GAP + WIDE - 1]
    np.testing.assert_array_equal(gap, 1)
    assert (sheet[_GAP:, _GAP : _GAP + WIDE][:8] < 1).any()


@pytest.mark.parametrize("captions", [[["a"]], [["a", "b"], ["c"]]])
def test_captions_have_the_layout_of_the_pictures(captions):
    with pytest.raises(ValueError, match=r"zip\(\) argument"):
        contact_sheet([[drawn(10, 10), drawn(10, 10)]], captions)
