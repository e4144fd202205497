"""`rrstyle learn`: painters learnt, stopped, continued and refused, by the command."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from apps import cli
from apps.options.parse import parse
from recon.painters import learn, targets
from recon.painters.config import SMALL, LearnConfig
from recon.training import callbacks
from recon.training.run import checkpoints_of
from rrstyle.painters.painter import load_painter
from rrstyle.pictures.images import encode_png
from tests.rrstyle.painters.tiny import PHOTOGRAPH, STYLE, write_photographs

TINY = (
    *("--side", "64", "--crop", "64", "--batch", "2", "--width", "4", "--blocks", "1"),
    *("--steps", "2", "--checkpoint-every", "1", "--validation", "0.4"),
)


class AsItIs:
    """A loss that is traced at once, in place of the real one."""

    def __init__(self, units, seed):
        pass

    def __call__(self, wanted, pictures):
        painted = ops.cast(wanted[..., :3], "float32") / 255
        return ops.mean(ops.square(pictures - painted), axis=(1, 2, 3))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder with photographs and a style; what `paint` makes is the photograph."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(targets, "stylize", lambda image, *args, **options: image)
    monkeypatch.setattr(learn, "PaintingLoss", AsItIs)
    write_photographs(tmp_path / "in")
    (tmp_path / "in/bad.png").write_bytes(b"none")
    (tmp_path / "style.png").write_bytes(encode_png(STYLE))
    return tmp_path


def run(*words: str, images: str = "in", style: str = "style.png", out: str = "p") -> int:
    return cli.main(["learn", "--images", images, "--style", style, "--out", out, *words])


def test_painters_are_learnt_stopped_and_continued(folder, capsys, monkeypatch):
    own = callbacks.AfterStep.check

    def interrupted(self, step, loss):
        own(self, step, loss)
        if step == 2:  # the last one: the second painter has not begun
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.AfterStep, "check", interrupted)
        assert run(*TINY, "--variants", "2", "--seed", "5") == 130
    lines = capsys.readouterr().err.splitlines()
    assert "stopping after this step; Ctrl-C again stops at once, unsaved" in lines
    assert lines[-2:] == [
        "stopped at step 2 of 2; continue with: rrstyle learn --images in --style style.png"
        " --variants 2 --out p --resume",
        "rrstyle: interrupted",
    ]
    assert load_painter(Path("p")).about["seed"] == 5
    assert run(*TINY, "--variants", "2") == 1
    assert "'0' holds a run: continue it with resume" in capsys.readouterr().err
    assert run("--variants", "2", "--resume") == 0
    out, err = capsys.readouterr()
    assert "2 photographs to learn from, 1 held out; 1 bad files, see p/1/bad-pictures.csv" in err
    assert "seed 6; 64 x 64 pixels, batches of 2, 2 steps" in err
    assert "steps 2 to 2 in 0:" in out
    assert "steps 0 to 2 in 0:" in out
    assert out.count("by the loss of the photographs held out") == 2
    assert out.splitlines()[-1] == "written to p; rrstyle stylize PHOTO --painter p -o OUT.png"
    painters = [load_painter(folder / "p" / name) for name in "01"]
    assert [painter.about["seed"] for painter in painters] == [5, 6]
    assert painters[0].about["style"]["name"] == "style.png"
    first, second = (painter.paint(PHOTOGRAPH) for painter in painters)
    assert np.abs(first - second).max() > 0.01
    assert checkpoints_of(Path("p/1")).steps()[-1] == 2
    assert run(*TINY, "--variants", "2", out="in") == 1
    assert "out must be a new or an empty folder, or that of 2 painters" in capsys.readouterr().err
    assert run(*TINY, "--resume") == 1
    assert "out must be a new or an empty folder; 'p' holds '0'" in capsys.readouterr().err


def test_words_that_do_not_do(folder, capsys):
    write_photographs(folder / "one", 1)
    (folder / "empty").mkdir()
    for words, options, rule in (
        (
            (),
            {"images": "one"},
            "images must hold at least 2 photographs that can be read; received 1",
        ),
        ((), {"images": "empty"}, "images must hold a picture that can be used; received 'empty'"),
        ((), {"images": "none"}, "images must be a folder of pictures; received 'none'"),
        ((), {"style": "none"}, "style: no file, folder or built-in picture has this name"),
        ((), {"style": "in"}, "style must be one picture; received a folder of 4"),
        (("--crop", "65"), {"style": "style.png"}, "style is too small: at least 65 pixels a side"),
        ((), {"style": "in/bad.png"}, "bad.png: "),
        (("--variants", "0"), {}, "variants must be an integer from 1 to 1000; received 0"),
        (("--crop", "32"), {}, "crop must be an integer from 64 to 1024; received 32"),
        (("--validation", "0.9"), {}, "validation must leave photographs to learn from"),
        ((), {"out": "in"}, "out must be a new or an empty folder; 'in' holds '"),
    ):
        assert run(*TINY, *words, **options) == 1, rule
        lines = capsys.readouterr().err.splitlines()
        assert rule in lines[-1]
        assert [line for line in lines if line.startswith("rrstyle: ")] == lines[-1:]
        assert not (folder / "p/run.json").exists()
    assert run(*TINY, "--preset", "large") == 2


def test_presets_are_overridden_by_options():
    words = ["learn", "--images", "d", "--style", "s", "-o", "r"]
    assert parse(words, version="0").config == LearnConfig()
    command = parse([*words, "--preset", "small", "--steps", "7", "--milestones"], version="0")
    assert command.config == replace(SMALL, steps=7, milestones=())
