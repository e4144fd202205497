"""`paint` as a whole, on small pictures that are their own features, and its parts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rrstyle.config import PaintConfig, StyleConfig
from rrstyle.pipeline import stylize
from rrstyle.progress import ignore
from rrstyle.transfer.closed_form import fit_gaussian
from rrstyle.transfer.painting import kernels
from rrstyle.transfer.painting.canvas import Canvas, Part
from rrstyle.transfer.painting.finds import _wash
from rrstyle.transfer.painting.paint import paint
from tests.support.pairs import METHODS, THIN, picture, rms

QUICK = PaintConfig(rounds=(1,), keys=500, size=5)
# The style's pixels as they are found: nothing is changed after the vote.
BARE = replace(QUICK, detail=0.0)
# Through the whole pipeline.
SMALL = StyleConfig(side=48, encoder=THIN, paint=replace(QUICK, size=7), **METHODS["paint"])


def canvas(content, *styles, shares=None, config=QUICK, **changes):
    """What `paint` takes, with pixels for features."""
    shares = shares or len(styles) * (1 / len(styles),)
    given = Canvas(
        content,
        parts=tuple(Part(style, style, i) for i, style in enumerate(styles)),
        shares=tuple(shares),
        turned=False,
        encode=lambda image: image,
        decode=lambda features, size: features,
        reduction=1,
        tile=False,
        halo=0,
        palette=0.0,
        seed=0,
        config=config,
        mask=None,
        on_step=ignore,
        preview=None,
    )
    return replace(given, **changes)


def chelsea(side=64):
    return picture("chelsea", side)


def waves(side=64):
    return picture("waves", side)


# What is painted


@pytest.mark.parametrize("size", [5, 7])
def test_a_picture_painted_in_itself_is_nearly_itself(size):
    faithful = replace(
        BARE, size=size, calm=1.0, variety=0.0, diversity=0.0, content_mix=(1.0, 1.0), keys=6000
    )
    content = chelsea(48)
    found = paint(canvas(content, content, config=faithful))
    assert rms(found - content) < 0.2 * content.std()
    other = paint(canvas(content, waves(48), config=faithful))
    assert rms(other - content) > 5 * rms(found - content)


def test_a_painting_is_made_of_the_styles_pixels():
    content, style = chelsea(), 0.3 + 0.2 * waves()
    found = paint(canvas(content, style, config=BARE))
    assert found.shape == content.shape
    assert found.dtype == np.float32
    assert content.min() < 0.2
    assert found.min() >= style.min() - 1e-6
    assert found.max() <= style.max() + 1e-6


def test_a_painting_is_made_of_pixels_as_they_are_shown():
    content, style = chelsea(48), waves(48)
    given = canvas(content, style, config=BARE)
    negative = replace(given, parts=(Part(style, 1 - style, 0),))
    np.testing.assert_allclose(paint(negative), 1 - paint(given), atol=1e-5)


def test_the_palette_is_the_styles_where_it_is_asked_for():
    content, style = picture("rocket", 64), 0.25 + 0.5 * picture("mosaic", 64)
    found = paint(canvas(content, style, config=BARE, palette=1.0))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), style.mean(axis=(0, 1)), atol=0.01)
    np.testing.assert_allclose(found.std(axis=(0, 1)), style.std(axis=(0, 1)), rtol=0.1)
    plain = paint(canvas(content, style, config=BARE))
    half = paint(canvas(content, style, config=BARE, palette=0.5))
    np.testing.assert_allclose(half, (plain + found) / 2, atol=1e-5)


def test_statistics_under_a_mask_are_those_of_its_part():
    content, style = chelsea().copy(), waves()
    content[:, :32] = 0  # black beside the mask would make all else bright
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, 32:] = 1
    config = replace(BARE, variety=0.0)
    masked = paint(canvas(content, style, config=config, mask=mask, palette=1.0))
    np.testing.assert_allclose(masked[:, 32:].mean(axis=(0, 1)), style.mean(axis=(0, 1)), atol=0.02)
    whole = paint(canvas(content, style, config=config, palette=1.0))
    assert whole[:, 32:].mean() > masked[:, 32:].mean() + 0.05


@pytest.mark.parametrize(
    ("content", "style"),
    [
        (np.full((20, 24, 3), 0.5, np.float32), waves(32)),
        (chelsea(32), np.full((20, 24, 3), 0.25, np.float32)),
        (np.zeros((20, 24, 3), np.float32), np.ones((24, 20, 3), np.float32)),
    ],
    ids=["content", "style", "both"],
)
@pytest.mark.parametrize("palette", [0.0, 1.0])
def test_plain_pictures_give_finite_results(content, style, palette):
    found = paint(canvas(content, style, palette=palette))
    assert np.isfinite(found).all()
    if np.ptp(style) == 0:
        np.testing.assert_allclose(found, style[0, 0, 0], atol=1e-3)


@pytest.mark.parametrize("sizes", [((9, 70), (40, 6)), ((70, 9), (7, 50)), ((5, 5), (5, 5))])
def test_narrow_pictures_are_painted(sizes):
    rng = np.random.default_rng(0)
    content, style = (rng.random((*size, 3)).astype(np.float32) for size in sizes)
    found = paint(canvas(content, style))
    assert found.shape == content.shape
    assert np.isfinite(found).all()


# Blends: pictures shown in black and white tell which of them a pixel is from


def share_of_white(content, styles, owners=(0, 1), **changes):
    given = canvas(content, *styles[:2], config=PaintConfig(detail=0.0, size=5), **changes)
    parts = [
        Part(style, np.full_like(style, owner), owner)
        for style, owner in zip(styles, owners, strict=True)
    ]
    return paint(replace(given, parts=tuple(parts))).mean()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.8])
def test_styles_get_their_shares_whatever_their_sizes(share):
    shares = {"shares": (1 - share, share)}
    styles = picture("starry-swirls", 96), picture("coffee", 64)
    found = share_of_white(picture("rocket", 96), styles, **shares)
    assert found == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("share", [0.25, 0.8])
def test_plain_styles_get_their_shares(share):
    content = np.random.default_rng(0).random((64, 48, 3)).astype(np.float32)
    styles = np.zeros((40, 40, 3), np.float32), np.ones((50, 30, 3), np.float32)
    found = share_of_white(content, styles, shares=(1 - share, share))
    assert found == pytest.approx(share, abs=0.06)


def test_turned_copies_belong_to_their_style():
    first, second = waves(48), picture("mosaic", 48)
    styles = first, second, first.swapaxes(0, 1)
    found = share_of_white(chelsea(), styles, owners=(0, 1, 0), shares=(0.7, 0.3))
    assert found == pytest.approx(0.3, abs=0.08)


def test_a_part_is_turned_with_what_is_shown_of_it():
    picture = np.arange(18, dtype=np.float32).reshape(2, 3, 3) / 18
    part = Part(picture, 1 - picture, 1).turned(1)
    assert (part.picture.shape, part.style) == ((3, 2, 3), 1)
    # A quarter to the left: the last column becomes the first row.
    np.testing.assert_array_equal(part.picture[0], picture[:, 2])
    np.testing.assert_array_equal(part.shown, 1 - part.picture)
    back = part.turned(3)
    np.testing.assert_array_equal(back.picture, picture)


def test_a_turned_photograph_is_painted_as_well_only_where_strokes_may_turn():
    style = picture("rocket", 64)  # seen upright
    content = np.rot90(style).copy()
    faithful = replace(BARE, calm=1.0, variety=0.0, diversity=0.0, content_mix=(1.0, 1.0))
    given = canvas(content, style, config=replace(faithful, keys=6000))
    turned = paint(replace(given, turned=True))
    assert rms(turned - content) < 0.7 * rms(paint(given) - content)


def test_strokes_turn_where_the_settings_say_so():
    plain, turned = (
        stylize(chelsea(48), waves(48), replace(SMALL, style_rotate=rotate), seed=0)
        for rotate in (False, True)
    )
    assert turned.shape == plain.shape
    assert np.isfinite(turned).all()
    assert rms(turned - plain) > 0.02


# Settings


def test_detail_brings_back_the_photographs_edges():
    content, style = chelsea(), picture("mosaic", 64)

    def fine(image):
        grey = image.mean(axis=-1)
        return grey - ndimage.gaussian_filter(grey, 1.0)

    def likeness(detail):
        found = paint(canvas(content, style, config=replace(QUICK, detail=detail), palette=1.0))
        return np.corrcoef(fine(found).ravel(), fine(content).ravel())[0, 1]

    none, half, full = (likeness(detail) for detail in (0.0, 0.5, 1.0))
    assert none + 0.1 < half < full
    assert full > 0.5


@pytest.mark.parametrize(
    "setting",
    [
        {"calm": 1.0},
        {"variety": 0.0},
        {"content_mix": (1.0, 1.0)},
        {"diversity": 0.0},
        {"coherence": 3.0},
        {"occupancy": 10.0},
        {"completeness": 10.0},
        {"coarsest": 64},
        {"searched": 32},
        {"matched": 32},
        {"keys": 50},
        {"projection": 4},
        {"rounds": (3,)},
        {"size": 7},
        {"detail": 0.0},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_every_setting_matters(setting):
    content, style = chelsea(), waves()
    config = replace(QUICK, rounds=(1,))
    plain = paint(canvas(content, style, config=config))
    assert rms(paint(canvas(content, style, config=replace(config, **setting))) - plain) > 0.01


# Seeds and threads


def test_the_same_seed_paints_the_same_and_another_seed_another_picture():
    given = canvas(chelsea(48), waves(48))
    first = paint(given)
    np.testing.assert_array_equal(paint(given), first)
    assert rms(paint(replace(given, seed=1)) - first) > 0.05


def test_a_painting_does_not_depend_on_the_number_of_threads(monkeypatch):
    given = canvas(chelsea(96), waves())
    monkeypatch.setattr(kernels, "usable_cores", lambda: 1)
    alone = paint(given)
    monkeypatch.setattr(kernels, "usable_cores", lambda: 5)
    np.testing.assert_array_equal(paint(given), alone)


def test_inputs_are_left_alone():
    content, style = chelsea(48).copy(), waves(48).copy()
    paint(canvas(content, style, palette=1.0))
    np.testing.assert_array_equal(content, chelsea(48))
    np.testing.assert_array_equal(style, waves(48))


# Strength: through the whole pipeline


@pytest.mark.parametrize("strength", [0.0, 0.01, 0.3, 0.5, 0.98])
def test_a_small_step_in_strength_changes_little(strength):
    def at(strength):
        return stylize(chelsea(48), waves(48), replace(SMALL, strength=strength), seed=0)

    way = rms(at(1.0) - at(0.0))
    moved = rms(at(strength + 0.01) - at(strength))
    assert 0 < moved < 0.02 * way


# Progress


def test_progress_and_previews_at_every_scale():
    steps = []
    given = canvas(chelsea(128), waves(), on_step=steps.append, preview=lambda image: image / 2)
    paint(given)
    sizes = [(21, 32), (30, 45), (42, 64), (60, 91), (85, 128)]
    stages = [f"painting at {width}×{height}" for height, width in sizes]
    assert [s.stage for s in steps] == [*stages, "finishing"]
    fractions = [s.fraction for s in steps]
    assert fractions == sorted(fractions)
    assert fractions[0] > 0
    assert fractions[-2:] == pytest.approx([0.9, 0.92])
    shown = [None if s.preview is None else s.preview.shape for s in steps]
    assert shown == [None, None, None, (60, 91, 3), (85, 128, 3), None]
    for step in steps[3:5]:
        assert step.preview.max() <= 0.5  # it went through `preview`
        assert step.preview.std() > 0.05


def test_previews_change_nothing():
    given = canvas(chelsea(96), waves())
    np.testing.assert_array_equal(paint(replace(given, preview=lambda image: image)), paint(given))


def test_a_preview_of_the_last_scale_is_the_picture_without_its_detail():
    steps = []
    given = canvas(chelsea(96), waves(), config=BARE, on_step=steps.append, preview=lambda x: x)
    found = paint(given)
    np.testing.assert_allclose(steps[-2].preview, found, atol=1e-6)


@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_exception_of_the_callback_stops_the_work(at):
    stop, told = RuntimeError("enough"), []

    def on_step(step):
        told.append(step)
        if len(told) == at:
            raise stop

    with pytest.raises(RuntimeError) as caught:
        paint(canvas(chelsea(), waves(), on_step=on_step))
    assert caught.value is stop
    assert len(told) == at


# The wash


def test_a_wash_has_its_covariance_and_no_edges():
    covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
    draw = [np.random.default_rng(i) for i in range(40)]
    washes = [_wash((40, 60, 2), covariance, rng, wraps=False) for rng in draw]
    assert washes[0].shape == (40, 60, 2)
    assert washes[0].dtype == np.float32
    found = np.mean([fit_gaussian(wash).covariance for wash in washes], axis=0)
    np.testing.assert_allclose(np.diag(found), [1, 2], rtol=0.15)
    assert found[0, 1] == pytest.approx(0.6, abs=0.3)
    for wash in washes:
        assert np.abs(np.diff(wash, axis=1)).max() < 0.5
