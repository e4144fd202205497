"""The photograph's colours kept, the style's given back, and what lies between."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import StyleConfig
from rrstyle.pipeline import stylize
from rrstyle.transfer import colours
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.colours import PaletteMap, keep_colours, match_luminance, part_way
from tests.support.pairs import METHODS, THIN, picture, rms

LUMA = np.array([0.2125, 0.7154, 0.0721])


def test_colours_kept_by_hand():
    # Chroma of pure red is (1, 0, 0) - 0.2125; on a mid grey it fits by half 0.5 / 0.7875.
    red = np.array([[[1.0, 0.0, 0.0]]], np.float32)
    grey = np.full((1, 1, 3), 0.5, np.float32)
    share = 0.5 / 0.7875
    expected = 0.5 + share * np.array([0.7875, -0.2125, -0.2125])
    np.testing.assert_allclose(keep_colours(grey, red)[0, 0], expected, atol=1e-6)


def test_luma_is_the_results_and_hue_the_photographs():
    rng = np.random.default_rng(0)
    image, content = rng.random((2, 20, 20, 3)).astype(np.float32)
    found = keep_colours(image, content)
    np.testing.assert_allclose(found @ LUMA, image @ LUMA, atol=1e-6)
    ours, theirs = (x - (x @ LUMA)[..., None] for x in (found, content))
    cosine = (
        (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
    )
    np.testing.assert_allclose(cosine, 1, atol=1e-3)
    np.testing.assert_allclose(keep_colours(content, content), content, atol=1e-6)


def test_matched_luminance_has_the_contents_mean_and_deviation():
    rng = np.random.default_rng(0)
    style, content = 0.3 + 0.1 * rng.random((20, 20, 3)), 0.4 + 0.2 * rng.random((30, 20, 3))
    found, wanted = match_luminance(style, content) @ LUMA, content @ LUMA
    assert found.mean() == pytest.approx(wanted.mean(), abs=1e-6)
    assert found.std() == pytest.approx(wanted.std(), rel=1e-5)
    flat = np.full((5, 5, 3), 0.9)
    np.testing.assert_allclose(match_luminance(flat, content) @ LUMA, wanted.mean(), atol=1e-6)


@pytest.mark.parametrize("name", ["adain", "transport", "paint"])
def test_a_picture_in_the_photographs_colours(name):
    content, style = picture("chelsea", 48), picture("waves", 48)
    config = StyleConfig(side=48, encoder=THIN, precision="float32", **METHODS[name])
    kept = stylize(content, style, replace(config, keep_colours=True), seed=0)
    plain = stylize(content, style, config, seed=0)

    def chroma(x):
        return (x - (x @ LUMA)[..., None]).mean(axis=(0, 1))

    near, far = (np.abs(chroma(x) - chroma(content)).max() for x in (kept, plain))
    assert near < 0.5 * far
    assert rms((kept - content) @ LUMA) > 0.02  # it is another picture
    same = stylize(content, style, replace(config, keep_colours=True, strength=0.0), seed=0)
    np.testing.assert_allclose(same, content, atol=1e-5)


# The way from the photograph to the painting


def pair():
    return picture("chelsea", 48), picture("waves", 48)[:32]


def test_the_ends_of_the_way_are_the_pictures_themselves():
    content, image = pair()
    assert part_way(content, image, 0.0) is content
    assert part_way(content, image, 1.0) is image
    # And what lies beside them is close to them. The way is 0.49 long.
    assert rms(part_way(content, image, 0.001) - content) < 0.001
    assert rms(part_way(content, image, 0.999) - image) < 0.001


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 0.75, 0.98])
def test_a_hundredth_of_strength_moves_a_hundredth_of_the_way(strength):
    content, image = pair()
    moved = rms(part_way(content, image, strength + 0.01) - part_way(content, image, strength))
    assert 0.005 < moved / rms(image - content) < 0.02


def test_half_way_both_have_one_palette():
    content, image = pair()
    found = part_way(content, image, 0.5)
    mean = (content.mean(axis=(0, 1)) + image.mean(axis=(0, 1))) / 2
    np.testing.assert_allclose(found.mean(axis=(0, 1)), mean, atol=1e-4)
    # Mixed half and half, independent of each other: half of the variance that both have there.
    there = fit_map("transport", fit_gaussian(content), fit_gaussian(image)).towards(0.5)
    covariance = fit_gaussian(there(content)).covariance
    ratio = np.trace(fit_gaussian(found).covariance) / np.trace(covariance)
    assert 0.4 < ratio < 1


def test_a_picture_painted_as_itself_stays_so_at_any_strength():
    content, _ = pair()
    np.testing.assert_allclose(part_way(content, content.copy(), 0.4), content, atol=1e-3)


@pytest.mark.parametrize("strength", [0.2, 0.9])
def test_plain_pictures_meet_in_the_middle_of_their_colours(strength):
    dark, light = (np.full((5, 6, 3), value, np.float32) for value in (0.2, 0.6))
    found = part_way(dark, light, strength)
    np.testing.assert_allclose(found, 0.2 + strength * 0.4, atol=1e-5)


# The style's palette


def mild(name="mosaic", side=48):
    """A picture without black and white, which clipping would meet."""
    return 0.25 + 0.5 * picture(name, side)


def quantiles(image, axes, count=9):
    return np.quantile((image @ axes).reshape(-1, 3), np.linspace(0, 1, count), axis=0)


def test_the_palette_has_the_styles_mean_covariance_and_quantiles():
    content, style = picture("chelsea", 64), mild()
    found = PaletteMap(content, Blend.of(style))(content)
    assert found.shape == content.shape
    assert found.dtype == np.float32
    ours, theirs = fit_gaussian(found), fit_gaussian(style)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=0.005)
    difference = np.linalg.norm(ours.covariance - theirs.covariance)
    assert difference < 0.1 * np.linalg.norm(theirs.covariance)
    axes = np.linalg.eigh(theirs.covariance)[1]
    np.testing.assert_allclose(quantiles(found, axes), quantiles(style, axes), atol=0.02)
    before = np.abs(quantiles(content, axes) - quantiles(style, axes)).max()
    assert before > 0.2


def test_the_palette_of_the_style_itself_changes_nothing():
    style = mild()
    np.testing.assert_allclose(PaletteMap(style, Blend.of(style))(style), style, atol=2e-3)


def test_a_palette_of_two_styles_is_that_of_a_picture_of_both():
    content = picture("chelsea", 64)
    left, right = mild("mosaic")[:30, :30], mild("waves")[:30, :30]
    both = np.concatenate([left, right, right, right])
    found = PaletteMap(content, Blend((left, right), (0.25, 0.75)))(content)
    np.testing.assert_allclose(found, PaletteMap(content, Blend.of(both))(content), atol=1e-3)


def test_a_reduced_copy_gives_nearly_the_same_map():
    content, style = picture("chelsea", 300), Blend.of(mild())
    small = PaletteMap(picture("chelsea", 150), style)(content)
    assert rms(small - PaletteMap(content, style)(content)) < 0.02


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_plain_picture_takes_the_mean_of_the_style(value):
    plain, style = np.full((9, 8, 3), value, np.float32), mild()
    found = PaletteMap(plain, Blend.of(style))(plain)
    assert np.ptp(found, axis=(0, 1)).max() < 1e-4
    np.testing.assert_allclose(found[0, 0], style.mean(axis=(0, 1)), atol=0.02)


def test_a_plain_background_does_not_shift_the_palette():
    content, style = picture("chelsea", 48).copy(), mild()
    content[:, :24] = 0.5
    found = PaletteMap(content, Blend.of(style))(content)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), style.mean(axis=(0, 1)), atol=0.01)


def test_a_style_of_one_colour_gives_that_colour():
    content, style = picture("chelsea", 48), np.full((6, 7, 3), 0.3, np.float32)
    found = PaletteMap(content, Blend.of(style))(content)
    np.testing.assert_allclose(found, 0.3, atol=1e-4)


def test_a_style_of_two_colours_leaves_finite_ones():
    content, style = picture("chelsea", 48), np.zeros((6, 8, 3), np.float32)
    style[:, 4:] = [0.9, 0.1, 0.4]
    found = PaletteMap(content, Blend.of(style))(content)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(axis=(0, 1)), style.mean(axis=(0, 1)), atol=0.03)


def test_a_mask_says_whose_palette_is_changed():
    content, style = picture("chelsea", 48).copy(), mild()
    content[:, :24] = 0  # black beside the mask would take the style's darkest tones
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, 24:] = 1
    found = PaletteMap(content, Blend.of(style), mask)(content)
    alone = PaletteMap(content[:, 24:], Blend.of(style))(content[:, 24:])
    np.testing.assert_allclose(found[:, 24:], alone, atol=1e-5)
    whole = PaletteMap(content, Blend.of(style))(content)
    assert rms(found[:, 24:] - whole[:, 24:]) > 0.02


@pytest.mark.parametrize("column", [100, 101])
def test_a_thin_mask_is_met_in_a_large_picture(column, monkeypatch):
    # Of a picture with more pixels than are sampled every second row and column would be taken.
    monkeypatch.setattr(colours, "_SAMPLES", 2000)
    content, style = picture("chelsea", 150), mild()
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, column] = 1
    found = PaletteMap(content, Blend.of(style), mask)(content)
    np.testing.assert_allclose(
        found[:, column].mean(axis=0), style.mean(axis=(0, 1)), rtol=0, atol=0.03
    )
