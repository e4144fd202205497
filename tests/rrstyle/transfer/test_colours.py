"""The photograph's colours kept, the style's given back."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import StyleConfig
from rrstyle.pipeline import stylize
from rrstyle.transfer.colours import keep_colours, match_luminance
from tests.support.pairs import METHODS, THIN, picture, rms

LUMA = np.array([0.2126, 0.7152, 0.0722])


def test_colours_kept_by_hand():
    # Chroma of pure red is (1, 0, 0) - 0.2126; on a mid grey it fits by half 0.5 / 0.7874.
    red = np.array([[[1.0, 0.0, 0.0]]], np.float32)
    grey = np.full((1, 1, 3), 0.5, np.float32)
    share = 0.5 / 0.7874
    expected = 0.5 + share * np.array([0.7874, -0.2126, -0.2126])
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
