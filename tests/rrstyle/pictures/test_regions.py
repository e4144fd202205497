"""Style masks: which colours of maps are regions, and what is refused."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rrstyle.config import StyleConfig
from rrstyle.pictures.images import read_image
from rrstyle.pictures.regions import Regions, as_regions, parse_regions, regions_text
from rrstyle.pipeline import stylize
from tests.support.pairs import THIN, picture

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def coloured(*rows):
    return np.array(rows, np.uint8)


def halves(size, first=RED, second=BLUE, *, soft=False):
    """A map (size, size), its upper right below a diagonal of another colour."""
    scale = 4 if soft else 1
    drawn = Image.new("RGB", (size * scale, size * scale), first)
    ImageDraw.Draw(drawn).polygon([(0, 0), (size * scale, 0), (size * scale,) * 2], fill=second)
    return np.asarray(drawn.resize((size, size), Image.Resampling.LANCZOS))


def stripes(count):
    """Grey stripes of 12 pixels, the last of which has a speck."""
    found = np.tile(np.repeat(np.linspace(0, 1, count), 12), (12, 1))
    colours = np.stack([found, found[:, ::-1], (found * 7) % 1], axis=-1)
    colours[-1, -1] = 0.5
    return colours


def test_regions_by_hand():
    content = coloured([BLUE, BLUE, RED], [BLUE, RED, RED])
    style = coloured([GREEN, RED, BLUE])
    found = as_regions([content, style], 1)
    # Numbered as they come in the photograph's map; what feeds none is 255.
    np.testing.assert_array_equal(found.content, [[0, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(found.styles[0], [[255, 1, 0]])
    assert list(found.numbers) == [0, 1]


def test_grey_maps_and_float_ones_are_maps_too():
    found = as_regions([np.eye(3), np.array([[0.0, 1.0]])], 1)
    np.testing.assert_array_equal(found.content, 1 - np.eye(3))
    np.testing.assert_array_equal(found.styles[0], [[1, 0]])


def test_a_region_may_come_from_any_of_several_styles():
    found = as_regions([coloured([RED, BLUE]), coloured([BLUE]), coloured([RED, BLUE])], 2)
    assert [np.unique(style).tolist() for style in found.styles] == [[1], [0, 1]]
    only = found.of_styles([1])
    assert len(only.styles) == 1
    with pytest.raises(ValueError, match=r"region 1 of 2, which has the pixel x 0, y 0"):
        found.of_styles([0])


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_soft_edges_make_no_regions(kind):
    maps = []
    for size in (150, 64):
        stream = io.BytesIO()
        Image.fromarray(halves(size, (10, 20, 240), (230, 200, 5), soft=True)).save(stream, kind)
        maps.append(read_image(stream.getvalue()).pixels)
    found = as_regions(maps, 1)
    assert list(found.numbers) == [0, 1]
    wanted = (halves(150)[..., 0] > 0).astype(int)
    assert (found.content != wanted).mean() < 0.02


def test_large_maps_are_reduced_without_new_colours():
    content = np.repeat(halves(600), 4, axis=1)
    found = as_regions([content, halves(20)], 1)
    assert found.content.shape == (256, 1024)
    assert found.styles[0].shape == (20, 20)
    assert set(np.unique(found.content)) == {0, 1}


def test_shares_add_up_to_one_at_any_size():
    regions = as_regions([halves(40), halves(40)], 1)
    for size in ((64, 48), (16, 16), (200, 300)):
        shares = [regions.shares(number, size) for number in regions.numbers]
        assert shares[0].shape == size
        np.testing.assert_allclose(sum(shares), 1, atol=1e-6)
        assert shares[0][-1, 0] == pytest.approx(0, abs=1e-6)
        assert shares[1][-1, 0] == pytest.approx(1, abs=1e-6)


def test_text_and_back():
    regions = as_regions([halves(40), halves(24, soft=True), coloured([RED, GREEN])], 2)
    again = parse_regions(regions_text(regions), 2)
    for ours, theirs in zip(
        (regions.content, *regions.styles), (again.content, *again.styles), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_regions_stay_as_they_are():
    regions = as_regions([halves(40), halves(24, soft=True)], 1)
    again = as_regions(regions, 1)
    np.testing.assert_array_equal(again.content, regions.content)
    np.testing.assert_array_equal(again.styles[0], regions.styles[0])


@pytest.mark.parametrize(
    ("maps", "line"),
    [
        ([coloured([RED])], "one of each style, 2 in all; received 1"),
        (3 * [coloured([RED])], "one of each style, 2 in all; received 3"),
        (np.zeros((2, 4, 4, 3)), "style_mask must be a map of the photograph and one of each"),
        ("map.png", "2 in all; received str"),
        ([coloured([RED]), np.zeros(3)], "style_mask 2: not a picture"),
        ([coloured([RED, GREEN], [BLUE, RED]), coloured([RED, BLUE])], "region 2 of 3, which has"),
        ([coloured([GREEN]), coloured([RED])], "region 1 of 1, which has the pixel x 0, y 0"),
        (2 * [stripes(12)], "style_mask must have at most 8 colours; received 12"),
        (2 * [np.random.default_rng(0).random((64, 64, 3))], "at most 8 colours; received more"),
    ],
)
def test_what_is_refused_in_one_line(maps, line):
    with pytest.raises(ValueError, match=r".") as error:
        as_regions(maps, 1)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("texts", [3, "aGVsbG8=", ["%", "%"], [1, 2], ["aGVsbG8=", "aGVsbG8="]])
def test_texts_that_hold_no_maps(texts):
    with pytest.raises(ValueError, match="style_mask"):
        parse_regions(texts, 1)


def test_other_methods_refuse_them():
    config = StyleConfig(side=48, encoder=THIN, method="transport")
    maps = [halves(20), halves(20)]
    with pytest.raises(ValueError, match="unless method is paint; received transport"):
        stylize(picture("chelsea", 48), picture("waves", 48), config, seed=0, style_mask=maps)


def test_a_region_that_only_a_style_of_weight_0_has_is_refused():
    pictures = picture("chelsea", 48), [picture("waves", 48), picture("mosaic", 48)]
    config = StyleConfig(side=48, encoder=THIN)
    maps = [halves(20), halves(20), coloured([RED])]
    with pytest.raises(ValueError, match="received none for region 1 of 2"):
        stylize(*pictures, config, seed=0, weights=(0, 1), style_mask=maps)


def test_a_region_is_numbers_alone():
    assert Regions(np.zeros((2, 2), np.uint8), ()).numbers == range(1)
