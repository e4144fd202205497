"""Previews on the way to a picture: where they come, and that they change nothing."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import OptimiseConfig, PaintConfig, StyleConfig
from rrstyle.pictures.images import resize
from rrstyle.pipeline import stylize
from tests.support.pairs import METHODS, THIN, picture, rms

QUICK = StyleConfig(
    side=96,
    encoder=THIN,
    optimise=OptimiseConfig(steps=(3, 2)),
    paint=PaintConfig(rounds=(1,), keys=500),
    precision="float32",
)


@pytest.mark.parametrize("name", ["paint", "optimise pyramid", "transport"])
def test_previews_are_pictures_and_come_only_when_asked_for(name):
    content, style = picture("chelsea", 96), picture("waves", 96)
    settings = replace(QUICK, strength=0.8, **METHODS[name])
    told, plain = [], []
    shown = stylize(content, style, settings, seed=0, on_step=told.append, previews=True)
    image = stylize(content, style, settings, seed=0, on_step=plain.append)
    np.testing.assert_array_equal(shown, image)
    assert [step.preview for step in plain] == len(plain) * [None]
    previews = [step.preview for step in told if step.preview is not None]
    assert len(previews) == {"paint": 1, "optimise pyramid": 2, "transport": 0}[name]
    for preview in previews:
        assert preview.dtype == np.float32
        assert preview.min() >= 0
        assert preview.max() <= 1
        # Already of the style's colours.
        assert rms(preview.mean(axis=(0, 1)) - image.mean(axis=(0, 1))) < 0.1
    assert [s.fraction for s in told] == sorted(s.fraction for s in told)


@pytest.mark.parametrize("changes", [{}, {"keep_colours": True}, {"strength": 0.3}])
def test_previews_of_a_painting_grow_with_its_scales(changes):
    content, style = picture("chelsea", 128), picture("waves", 96)
    bare = replace(QUICK.paint, detail=0.0)  # which is added last
    settings = replace(QUICK, side=128, method="paint", paint=bare, **changes)
    mask = np.ones(content.shape[:2])
    mask[:, :40] = 0
    told = []
    options = {"seed": 0, "mask": mask, "on_step": told.append, "previews": True}
    image = stylize(content, style, settings, **options)
    previews = [step.preview for step in told if step.preview is not None]
    assert [preview.shape for preview in previews] == [(60, 91, 3), (85, 128, 3)]
    # What the mask leaves out is the photograph from the first one on.
    np.testing.assert_allclose(previews[1][:, :38], content[:, :38], atol=1e-6)
    small = resize(content, (60, 91))
    np.testing.assert_allclose(previews[0][:, :26], small[:, :26], atol=1e-6)
    np.testing.assert_allclose(previews[1], image, atol=1e-5)
    assert rms(previews[0] - small) > 0.05
