"""`rrstyle video`: a clip from file to file, and what is told in one line."""

from pathlib import Path

import pytest

from apps import cli
from apps.command import video
from tests.rrstyle.painters.tiny import write_painter
from tests.support.clips import contents, write_video

CHEAP = ("--side", "48", "--channels", "4", "--paint.rounds", "1", "--paint.keys", "200")


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_video(tmp_path / "clip.mp4", 4).name


def run(*words):
    return cli.main(["video", *words])


def test_a_clip_is_painted(clip, capsys):
    styles = ("--style", "waves", "mosaic", "--style-weights", "3", "1")
    assert run(clip, *styles, "-o", "out.mp4", *CHEAP) == 0
    assert len(contents("out.mp4")["pictures"]) == 4
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("2/10 out.mp4, picture 1 of 4")
    assert told[-1].startswith("out.mp4 written in ")


def test_a_look_is_the_default_of_all_options(clip, capsys):
    assert run(clip, "--style", "waves", "-o", "out.gif", "--preset", "own-colours", *CHEAP) == 0
    assert run(clip, "--style", "waves", "-o", "x.gif", "--preset", "no-such-look") == 1
    assert "preset must be one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("nothing.mp4",), "nothing.mp4: cannot be read, there is no such file"),
        (("clip.mp4", "--style-weights", "1", "2"), "style_weights must be "),
        (("clip.mp4", "--seed", "-1"), "seed must be "),
        (("clip.mp4", "--preset", "palette-only"), "method must be paint for a clip"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(clip, capsys, words, line):
    assert run(*words, "--style", "waves", "-o", "out.mp4") == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"rrstyle: {line}")


def test_without_the_extra_its_name_is_told(clip, capsys, monkeypatch):
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    assert run(clip, "--style", "waves", "-o", "out.mp4") == 1
    told = capsys.readouterr().err
    assert told == "rrstyle: video needs the extra video: pip install 'rrstyle[video]'\n"


def test_a_painter_paints_a_clip(clip, capsys):
    write_painter(Path("p"))
    words = (clip, "--painter", "p", "-o", "out.gif", "--side", "48")
    assert run(*words) == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("out.gif written in ")
    assert not Path("out.gif.parts").exists()
    for more, line in (
        (("--style", "waves"), "style must be left out with painter, which has its own manner"),
        (("--channels", "4"), "channels must be left out with a painter, which has its own"),
        (("--seed", "1"), "seed must be below 1, the number of painters in 'p'; received 1"),
        ((), "out.gif: the file exists; allow overwriting or name another"),
    ):
        assert run(*words, *more) == 1
        assert capsys.readouterr().err == f"rrstyle: {line}\n"
    assert run(clip, "-o", "x.gif") == 1
    assert capsys.readouterr().err.startswith("rrstyle: style is missing; name a picture with ")
