"""`rrstyle train`: trained, stopped, continued and refused, in this process."""

import errno
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from apps.options.parse import parse
from recon.training import callbacks, checkpoints, hosts
from recon.training import run as training_run
from recon.training.config import SMALL, TrainingConfig
from recon.training.record import read_config
from recon.training.run import checkpoints_of, load_run
from rrstyle.pictures.images import encode_png, read_image
from tests.recon.support.training import pictures

TINY = (
    *("--tap", "conv1", "--channels", "4", "--crop", "12", "--batch", "4", "--law", "he"),
    *("--precision", "float32", "--checkpoint-every", "2", "--sample-every", "4"),
)
SIX = ("--steps", "6")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; 30 pictures in it, some smaller than the crop, and two bad files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for number in range(30):
        side = 8 if number % 5 == 0 else 24
        image = pictures(1, side, seed=number)[0] / np.float32(255)
        (tmp_path / f"in/{number:02d}.png").write_bytes(encode_png(image))
    (tmp_path / "in/text.png").write_bytes(b"none")
    (tmp_path / "in/cut.png").write_bytes((tmp_path / "in/01.png").read_bytes()[:60])
    return tmp_path


def run(*words: str, images: str = "in", out: str = "run") -> int:
    return cli.main(["train", "--images", images, "--out", out, *words])


def only_error(capsys) -> str:
    """The one line on stderr that is an error: the last."""
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("rrstyle: ")] == lines[-1:]
    return lines[-1].removeprefix("rrstyle: ")


def steps(out: str = "run") -> list[int]:
    return checkpoints_of(Path(out)).steps()


def test_a_run_and_what_it_says(folder, capsys):
    assert run(*TINY, *SIX) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert " pictures to train on, " in lines[0]
    assert lines[0].endswith(" bad files, see run/bad-pictures.csv")
    assert lines[1] == (
        "vgg16 up to conv1, random weights (he, seed 0), zero padding, leaky_relu;"
        " 12 x 12 pixels, batches of 4, 6 steps"
    )
    assert lines[-1].startswith("10/10 training, step 6 of 6, mse ")
    assert "images/s" in lines[-1]
    first, second, third = out.splitlines()[-3:]
    assert first.startswith("pictures: ")
    assert first.endswith(" bad files, see run/bad-pictures.csv")
    assert second.startswith("best checkpoint: step ")
    assert second.endswith(" by the loss of the pictures held out")
    assert "steps 0 to 6 in 0:0" in out
    assert third == "written to run; rrstyle reconstruct IMAGE -o OUT.png --decoder run"
    assert "text.png," in (folder / "run/bad-pictures.csv").read_text()
    assert "cut.png," in (folder / "run/bad-pictures.csv").read_text()
    assert steps()[-1] == 6
    assert read_image("run/samples/step-00000004.png").pixels.shape[0] > 24
    assert load_run(Path("run"), best=True).config.std == 0.015


def test_resumed_without_options_it_takes_those_of_the_run(folder, capsys):
    assert run(*TINY, "--steps", "3") == 0
    assert run("--resume", *SIX) == 0
    assert "steps 3 to 6" in capsys.readouterr().out
    assert run("--resume") == 0
    assert "steps 6 to 6" in capsys.readouterr().out
    assert run(*TINY, *SIX, out="whole") == 0
    ours, theirs = (checkpoints_of(Path(name)).latest()[0] for name in ("run", "whole"))
    assert ours is not None
    assert theirs is not None
    for name, array in ours.arrays.items():
        np.testing.assert_array_equal(array, theirs.arrays[name])


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--lr", "1"), "learning_rate must be that of the run to continue, 0.0001; received 1.0"),
        (("--tap", "conv2"), "network.layer must be that of the run to continue, 'conv1'; recei"),
        (("--preset", "small"), "must be that of the run to continue"),
        (("--validation", "0.5"), "validation must be that of the run to continue, 0.1; received"),
        (("--steps", "1"), "steps must be at least the 2 that the run has done; received 1"),
        (("--images", "other"), "data.images must be that of the run to continue, '31 pict"),
    ],
)
def test_another_run_is_not_continued(folder, capsys, words, rule):
    assert run(*TINY, "--steps", "2") == 0
    (folder / "other").mkdir()
    for number in range(1, 30):
        data = (folder / f"in/{number:02d}.png").read_bytes()
        (folder / f"other/{number:02d}.png").write_bytes(data)
    before = (folder / "run/run.json").read_bytes()
    capsys.readouterr()
    assert run("--resume", *words) == 1
    assert rule in only_error(capsys)
    assert (folder / "run/run.json").read_bytes() == before
    assert run(*TINY, "--steps", "2") == 1
    assert "'run' holds a run: continue it with resume" in only_error(capsys)


def test_ctrl_c_ends_after_the_step_with_a_checkpoint(folder, capsys, monkeypatch):
    own = callbacks.AfterStep.check

    def interrupted(self, step, loss):
        own(self, step, loss)
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(callbacks.AfterStep, "check", interrupted)
    monkeypatch.setattr(callbacks, "_TOLD_EVERY", 0)
    before = signal.getsignal(signal.SIGINT)
    assert run(*TINY, "--steps", "50", "--checkpoint-every", "20") == 130
    assert signal.getsignal(signal.SIGINT) is before
    assert steps() == [3]
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3:] == [
        "stopping after this step; Ctrl-C again stops at once, unsaved",
        "stopped at step 3 of 50; continue with: rrstyle train --images in --out run --resume",
        "rrstyle: interrupted",
    ]


def test_a_full_disk_is_told_and_the_last_checkpoint_kept(folder, capsys, monkeypatch):
    own, calls = checkpoints.np.savez, []

    def full(file, **arrays):
        calls.append(file)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        own(file, **arrays)

    monkeypatch.setattr(checkpoints.np, "savez", full)
    assert run(*TINY, *SIX) == 1
    assert only_error(capsys) == (
        "run: the disk is full; the last good checkpoint is that of step 2; free some space, then"
        " continue the run"
    )
    assert [path.name for path in (folder / "run/checkpoints").iterdir()] == ["step-00000002"]
    assert load_run(Path("run")).about["step"] == 2
    assert run("--resume") == 0
    assert steps()[-1] == 6


@pytest.mark.parametrize("place", ["sheet", "log", "record"])
def test_a_full_disk_loses_nothing_wherever_it_is_met(folder, capsys, monkeypatch, place):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    target = {
        "sheet": (callbacks, "write_whole"),
        "log": (callbacks.TrainingLog, "add"),
        "record": (training_run, "write_whole"),
    }[place]
    with monkeypatch.context() as patch:
        if place != "record":  # the first checkpoint goes well
            assert run(*TINY, "--steps", "2") == 0
        patch.setattr(*target, full)
        assert run(*TINY, *SIX, *(() if place == "record" else ("--resume",))) == 1
    kept = "there is no checkpoint yet" if place == "record" else "the last good checkpoint is that"
    assert only_error(capsys).startswith(f"run: the disk is full; {kept}")
    assert run(*TINY, *SIX, "--resume") == 0
    assert run(*TINY, *SIX, out="whole") == 0
    ours, theirs = (checkpoints_of(Path(name)).latest()[0] for name in ("run", "whole"))
    for name, array in ours.arrays.items():
        np.testing.assert_array_equal(array, theirs.arrays[name])


def test_pictures_smaller_than_the_crop_are_enlarged(folder, capsys):
    (folder / "small").mkdir()
    for number in range(0, 30, 5):
        data = (folder / f"in/{number:02d}.png").read_bytes()
        (folder / f"small/{number:02d}.png").write_bytes(data)
    assert run(*TINY, "--steps", "1", "--validation", "0.5", images="small") == 0
    assert "held out; no bad files" in capsys.readouterr().err
    assert checkpoints_of(Path("run")).best() is not None


def test_hosts_are_for_jax_and_named_whole(folder, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    assert run(*TINY, *SIX) == 1
    assert only_error(capsys) == (
        "KERAS_DISTRIBUTION_NUM_PROCESSES must be unset, or KERAS_BACKEND be jax; received"
        " tensorflow"
    )
    monkeypatch.setattr(hosts.keras.backend, "backend", lambda: "jax")
    for name, value, rule in (
        ("PROCESS_ID", "0", "JOB_ADDRESSES must be host:port of the first host; received ''"),
        ("JOB_ADDRESSES", "10.0.0.1", "JOB_ADDRESSES must be host:port of the first host; rec"),
        ("JOB_ADDRESSES", "10.0.0.1:7950", None),
        ("NUM_PROCESSES", "two", "NUM_PROCESSES must be the number of hosts; received 'two'"),
    ):
        monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
        if rule is not None:
            with pytest.raises(ValueError, match=f"^KERAS_DISTRIBUTION_{rule}"):
                hosts.join_hosts()


def test_a_loss_that_is_no_number_is_one_line(folder, capsys, monkeypatch):
    own = callbacks.AfterStep.tell

    def spoilt(self, step, loss):
        own(self, step, loss)
        if step == 2:
            for variable in self.model.trainable_variables:
                variable.assign(variable * 1e30)

    monkeypatch.setattr(callbacks.AfterStep, "tell", spoilt)
    assert run(*TINY, *SIX) == 1
    error = only_error(capsys)
    assert "the last good checkpoint is that of step 2; start a new run with a lower" in error


def test_words_that_do_not_do(folder, capsys):
    for name, files in (("empty", {}), ("bad", {"a.png": b"none", "b.jpg": b""})):
        (folder / name).mkdir()
        for file, data in files.items():
            (folder / name / file).write_bytes(data)
    (folder / "two").mkdir()
    for number in (1, 2):
        data = (folder / f"in/{number:02d}.png").read_bytes()
        (folder / f"two/{number:02d}.png").write_bytes(data)
    (folder / "file").write_text("")
    for words, rule in (
        (("--images", "empty"), "images must hold a picture that can be used; received 'empty'"),
        (("--images", "bad"), "received 'bad', the first of 2 files that cannot be used: a.png"),
        (("--images", "none"), "images must be a folder of pictures; received 'none'"),
        (("--images", "two"), "validation must leave pictures to train on and to hold out, or be"),
        (("--out", "in"), "out must be a new or an empty folder; 'in' holds '00.png'"),
        (("--out", "file"), "out must be a folder; received file 'file'"),
        (("--encoder", "none.h5"), "encoder must be random, imagenet or an existing file; receiv"),
        (("--encoder", "in/01.png"), "'01.png' is neither"),
        (("--tap", "conv9"), "layer must be conv1_1 to conv5_3 of vgg16; received 'conv9'"),
        (("--steps", "0"), "steps must be an integer from 1 to 1000000000; received 0"),
        (("--devices", "0"), "devices must be a positive integer or all; received 0"),
        (("--batch", "-1"), "batch must be an integer from 1 to 65536; received -1"),
        (("--std", "0"), "std must be from 0.0001 to 100; received 0.0"),
    ):
        assert run(*TINY, *SIX, *words) == 1, words
        assert rule in only_error(capsys)
        assert not (folder / "run").exists(), words
    assert run("--preset", "smal") == 2
    assert run(*TINY, "--steps", "1", "--validation", "0", images="two") == 0
    assert "by the training loss" in capsys.readouterr().out


def test_a_preset_is_overridden_by_options():
    words = ["train", "--images", "d", "-o", "r", "--preset", "small", "--steps", "7"]
    command = parse([*words, "--lr", "0.5", "--resume"], version="0")
    assert command.config == replace(SMALL, steps=7, learning_rate=0.5)
    assert command.resume


def test_defaults_of_the_command_are_the_configs():
    command = parse(["train", "--images", "d", "-o", "r"], version="0")
    assert command.config == TrainingConfig()


def test_a_path_is_in_no_record(folder):
    assert run(*TINY, "--steps", "1") == 0
    record = json.loads((folder / "run/run.json").read_text())
    assert str(folder) not in json.dumps(record)
    assert read_config(TrainingConfig, Path("run")).weights == "random"
