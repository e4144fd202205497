"""Clips in: what is read, and what is refused in one line."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from rrstyle.video.clips import ClipError, open_clip, pictures
from tests.support.clips import drawn, turned, write_animation, write_video


def read(path):
    clip = open_clip(path)
    found, times = zip(*pictures(clip), strict=True)
    assert len(found) == clip.count
    return found, [float(time) for time in times]


def near(found, wanted, most):
    assert np.abs(found.astype(int) - wanted).mean() < most


@pytest.mark.parametrize(
    ("name", "options", "most"),
    [
        ("clip.mp4", {}, 6),
        ("clip.mkv", {"codec": "ffv1", "size": (49, 65)}, 6),
        ("clip.mp4", {"codec": "libx265", "pixels": "yuv420p10le"}, 8),
        ("clip.webm", {"codec": "libvpx-vp9"}, 8),
    ],
)
def test_videos_of_many_kinds(tmp_path, name, options, most):
    path = write_video(tmp_path / name, **options)
    found, times = read(path)
    assert times == [0, 0.04, 0.08, 0.12, 0.16, 0.2]
    for picture, wanted in zip(found, drawn(6, options.get("size", (48, 64))), strict=True):
        assert picture.dtype == np.uint8
        near(picture, wanted, most)


def test_times_that_vary_are_kept(tmp_path):
    milliseconds = [0, 40, 50, 200, 210, 400]
    path = write_video(tmp_path / "clip.mkv", milliseconds=milliseconds)
    assert read(path)[1] == [time / 1000 for time in milliseconds]


def test_a_clip_is_upright(tmp_path):
    straight, _ = read(write_video(tmp_path / "clip.mp4"))
    found, _ = read(turned(write_video(tmp_path / "turned.mp4")))
    assert found[0].shape == (64, 48, 3)
    np.testing.assert_array_equal(found[0], np.rot90(straight[0], -1))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path, suffix):
    path = write_animation(tmp_path / f"clip{suffix}")
    found, times = read(path)
    assert times == [0, 0.05, 0.15, 0.2]
    assert open_clip(path).duration == Fraction(1, 5)
    for picture, wanted in zip(found, drawn(4), strict=True):
        near(picture, wanted, 12)


def cut_off(path):
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
    return path


def single(path):
    Image.new("RGB", (20, 20)).save(path, format="PNG")
    return path


def still(path):
    Image.new("RGB", (20, 20)).save(path)
    return path


def words(path):
    path.write_text("these are words")
    return path


@pytest.mark.parametrize(
    ("make", "name", "rule"),
    [
        (words, "words.mp4", "no video, or a damaged one"),
        (single, "picture.mp4", "must be a video; received a single picture"),
        (still, "still.gif", "must be animated"),
        (words, "words.webp", "no video, or a damaged one"),
        (lambda p: write_video(p, audio="aac", video=False), "sound.mkv", "must have a video"),
        (lambda p: cut_off(write_video(p)), "cut.mp4", "video"),
        (lambda p: cut_off(write_video(p, 60)), "cut.mkv", "the end of the clip is missing"),
        (lambda p: cut_off(write_animation(p)), "cut.webp", "damaged"),
        (lambda p: p, "nothing.mp4", "there is no such file"),
    ],
)
def test_what_is_no_clip_is_refused_in_a_line(tmp_path, make, name, rule):
    path = make(tmp_path / name)
    with pytest.raises((ClipError, OSError), match=rule) as caught:
        list(pictures(open_clip(path)))
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)


def test_a_video_without_pictures_is_refused(tmp_path, monkeypatch):
    path = write_video(tmp_path / "clip.mp4")
    data = path.read_bytes()
    at = data.index(b"stsz") + 4 + 8  # the number of samples of the first track
    path.write_bytes(data[:at] + bytes(4) + data[at + 4 :])
    with pytest.raises(ClipError):
        list(pictures(open_clip(path)))
