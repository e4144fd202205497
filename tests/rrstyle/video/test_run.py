"""Clips painted from file to file: what comes out, and what a kill leaves."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rrstyle.config import PaintConfig, StyleConfig
from rrstyle.pictures.images import to_uint8
from rrstyle.pipeline import stylize
from rrstyle.video import run
from rrstyle.video.clips import open_clip, pictures
from rrstyle.video.frames import FramePainter
from rrstyle.video.run import stylize_video
from tests.support.clips import contents, drawn, write_animation, write_video
from tests.support.pairs import THIN, picture

CONFIG = StyleConfig(
    side=48, encoder=THIN, paint=PaintConfig(rounds=(1,), keys=300, searched=40, coarsest=24)
)


def paint(clip, output, config=CONFIG, **options):
    return stylize_video(clip, picture("waves", 64), output, config, seed=0, **options)


def near(found, wanted, most=8):
    assert np.abs(found.astype(int) - wanted).mean() < most


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 8)


@pytest.fixture(scope="module")
def wanted(clip):
    painter = FramePainter(picture("waves", 64), CONFIG, seed=0)
    return [to_uint8(painter.paint(picture)) for picture, _ in pictures(open_clip(clip))]


def test_the_first_picture_is_that_of_stylize(clip, wanted):
    first, _ = next(pictures(open_clip(clip)))
    found = stylize(first, picture("waves", 64), CONFIG, seed=0)
    np.testing.assert_array_equal(wanted[0], to_uint8(found))


def test_a_video_is_painted_at_its_times(tmp_path, clip, wanted):
    found = contents(paint(clip, tmp_path / "out.mp4"))
    assert found["codec"] == "h264"
    assert [float(t) for t in found["times"]] == [0.04 * i for i in range(8)]
    for one, other in zip(found["pictures"], wanted, strict=True):
        assert one.shape == (36, 48, 3)
        near(one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4"]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations_in_and_out(tmp_path, suffix):
    made = paint(write_animation(tmp_path / f"in{suffix}"), tmp_path / f"out{suffix}")
    found, times = zip(*pictures(open_clip(made)), strict=True)
    assert [float(time) for time in times] == [0, 0.05, 0.15, 0.2]
    with Image.open(made) as image:
        assert image.info["loop"] == 0  # without end
    if suffix == ".gif":
        assert open_clip(made).duration * 5 == 1
    assert len({picture.tobytes() for picture in found}) > 1


@pytest.mark.parametrize(
    ("codec", "kept"), [("aac", "aac"), ("pcm_s16le", "aac"), ("flac", "flac")]
)
def test_audio_is_kept(tmp_path, codec, kept):
    source = write_video(tmp_path / "in.mkv", 4, audio=codec)
    found = contents(paint(source, tmp_path / "out.mp4"))
    assert found["audio"] == [kept]
    assert [round(float(t), 3) for t in found["times"]] == [
        round(float(t), 3) for t in contents(source)["times"]
    ]


def test_uneven_sizes_and_times(tmp_path):
    milliseconds = [0, 30, 200, 1000]
    clip = write_video(
        tmp_path / "in.mkv", 4, size=(49, 65), codec="ffv1", milliseconds=milliseconds
    )
    found = contents(paint(clip, tmp_path / "out.mov"))
    assert found["pictures"][0].shape == (36, 48, 3)
    assert [round(1000 * float(t)) for t in found["times"]] == milliseconds


class Killed(Exception):
    """In place of a kill: what is on the disk is all that stays."""


def kill_at(position):
    def on_step(step):
        if step.stage.startswith(f"picture {position} "):
            raise Killed

    return on_step


def test_a_killed_run_goes_on_to_the_same_pictures(tmp_path, clip, wanted, monkeypatch):
    monkeypatch.setattr(run, "SEGMENT", 3)
    for position in (2, 5):  # in the first segment, and in the second
        with pytest.raises(Killed):
            paint(clip, tmp_path / "out.mp4", on_step=kill_at(position))
        assert not (tmp_path / "out.mp4").exists()
    painted = []
    original = FramePainter.paint
    monkeypatch.setattr(
        FramePainter, "paint", lambda self, p: painted.append(original(self, p)) or painted[-1]
    )
    made = paint(clip, tmp_path / "out.mp4")
    assert len(painted) == 5  # the first segment was there
    for found, picture_ in zip(painted, wanted[3:], strict=True):
        np.testing.assert_array_equal(to_uint8(found), picture_)
    for found, picture_ in zip(contents(made)["pictures"], wanted, strict=True):
        near(found, picture_)
    assert not (tmp_path / "out.mp4.parts").exists()


def test_parts_of_other_settings_are_refused(tmp_path, clip):
    with pytest.raises(Killed):
        paint(clip, tmp_path / "out.mp4", on_step=kill_at(1))
    with pytest.raises(ValueError, match=r"out\.mp4\.parts: .* other settings"):
        paint(clip, tmp_path / "out.mp4", replace(CONFIG, strength=0.5))


def test_strength_and_colours(clip):
    first, _ = next(pictures(open_clip(clip)))
    for changed in ({"strength": 0.4}, {"keep_colours": True}, {"wildness": 0.5, "strength": 0.6}):
        config = replace(CONFIG, **changed)
        painter = FramePainter(picture("waves", 64), config, seed=1)
        expected = stylize(first, picture("waves", 64), config, seed=1)
        np.testing.assert_allclose(painter.paint(first), expected, atol=2e-6)
        assert np.isfinite(painter.paint(drawn(2)[1])).all()


def test_a_cut_begins_anew():
    styles = [picture("waves", 64)]
    one, other = drawn(1)[0], np.rot90(drawn(40)[39][:, :48], 1)
    one = one[:, :48]
    painter, alone = (FramePainter(styles, CONFIG, seed=0) for _ in range(2))
    painter.paint(one)
    np.testing.assert_array_equal(painter.paint(other), alone.paint(other))


@pytest.mark.parametrize(
    ("name", "config", "rule"),
    [
        (
            "out.avi",
            CONFIG,
            r"must end in .gif, .mkv, .mov, .mp4, .webp; received 'out.avi'",
        ),
        ("out.mp4", replace(CONFIG, method="transport"), "method must be paint"),
        ("out.mp4", replace(CONFIG, tile=True), "tile must be left out"),
        ("out.mp4", replace(CONFIG, composed_at=16), "composed_at must be left out"),
    ],
)
def test_rules(tmp_path, clip, name, config, rule):
    with pytest.raises(ValueError, match=rule):
        paint(clip, tmp_path / name, config)
    assert not (tmp_path / name).exists()


def test_a_folder_that_is_missing_is_told_in_a_line(tmp_path, clip):
    rule = r"^out\.mp4: not written, there is no such folder; check the path; received"
    with pytest.raises(FileNotFoundError, match=rule):
        paint(clip, tmp_path / "nowhere" / "out.mp4")


def test_files_that_are_there_stay(tmp_path, clip):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="the file exists"):
        paint(clip, target)
    assert target.read_bytes() == b"mine"
    paint(clip, target, overwrite=True)
    assert contents(target)["codec"] == "h264"
