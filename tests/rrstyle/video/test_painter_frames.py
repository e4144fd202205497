"""Clips by a painter: colours that do not flicker in a shot, and a state that goes on."""

import numpy as np
import pytest

from rrstyle.painters.painter import load_painter
from rrstyle.pictures.images import to_uint8
from rrstyle.video import run
from rrstyle.video.frames import PainterFrames
from rrstyle.video.run import paint_video
from tests.rrstyle.painters.tiny import write_painter
from tests.support.clips import contents, drawn, write_video


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    return load_painter(write_painter(tmp_path_factory.mktemp("painters") / "waves"))


def test_colours_are_mapped_as_in_the_first_picture_until_a_cut(painter):
    frames = PainterFrames(painter, side=64)
    first, second = drawn(2)
    np.testing.assert_array_equal(frames.paint(first), painter.paint(first))
    held = frames.state["matrix"]
    brighter = np.clip(second.astype(int) + 8, 0, 255).astype(np.uint8)
    found = frames.paint(brighter)
    np.testing.assert_array_equal(frames.state["matrix"], held)
    assert np.abs(found - painter.paint(brighter)).max() > 0.005  # its own map would be another
    cut = np.random.default_rng(0).integers(0, 256, first.shape, np.uint8)
    np.testing.assert_array_equal(frames.paint(cut), painter.paint(cut))
    assert np.abs(frames.state["matrix"] - held).max() > 0.01


def test_sides_are_even(painter):
    odd = np.zeros((47, 63, 3), np.uint8)
    odd[:, ::2] = 200
    frames = PainterFrames(painter, side=63, strength=0.5, own_colours=True)
    assert frames.paint(odd).shape == (46, 62, 3)
    assert frames.paint(drawn(1)[0]).shape == (46, 62, 3)  # all of a clip are of one size


def test_a_killed_clip_goes_on_to_the_same_pictures(painter, tmp_path, monkeypatch):
    clip = write_video(tmp_path / "clip.mp4", 5)
    monkeypatch.setattr(run, "SEGMENT", 2)
    whole = paint_video(clip, painter, tmp_path / "whole.mp4", side=48)

    def stop(step):
        if step.stage == "picture 4 of 5":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_video(clip, painter, tmp_path / "out.mp4", side=48, on_step=stop)
    with pytest.raises(ValueError, match="these are parts of another clip, or by other settings"):
        paint_video(clip, painter, tmp_path / "out.mp4", side=32)
    out = paint_video(clip, painter, tmp_path / "out.mp4", side=48)
    ours, theirs = contents(out)["pictures"], contents(whole)["pictures"]
    np.testing.assert_array_equal(ours, theirs)
    frames = PainterFrames(painter, side=48)
    first = to_uint8(frames.paint(drawn(1)[0]))
    assert np.abs(ours[0].astype(int) - first).mean() < 16  # H.264 halves the colours' resolution
