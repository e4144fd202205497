"""`rrstyle classify`: a CNN learns classes, and serves as an encoder."""

import csv
import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from recon.training import checkpoints
from recon.training.classify import COLUMNS, classify
from recon.training.config import ClassifierConfig
from recon.training.run import checkpoints_of, load_run
from rrstyle.config import NetworkConfig
from rrstyle.networks.weight_files import load_weights
from rrstyle.pictures.images import encode_png

TINY = ("--channels", "8", "--crop", "16", "--batch", "8", "--lr", "3e-3", "--architecture")
ALEXNET = (*TINY, "alexnet", "--precision", "float32", "--checkpoint-every", "10")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with 30 pictures of each of two classes: upright and lying stripes."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    stripes = np.where(np.arange(16) // 2 % 2, 1, 0)[:, None, None] * np.ones((16, 16, 3))
    for name, image in (("lying", stripes), ("upright", stripes.transpose(1, 0, 2))):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(30):
            noisy = np.clip(image + rng.normal(0, 0.1, image.shape), 0, 1).astype(np.float32)
            (tmp_path / f"in/{name}/{number:02d}.png").write_bytes(encode_png(noisy))
    return tmp_path


def run(*words: str, images: str = "in", out: str = "run") -> int:
    return cli.main(["classify", "--images", images, "--out", out, *words])


def test_it_learns_and_its_weights_serve_as_an_encoder(folder, capsys):
    assert run(*ALEXNET, "--steps", "60", "--validation", "0.3") == 0
    out, err = capsys.readouterr()
    assert "alexnet, 2 classes; 16 x 16 pixels, batches of 8, 60 steps" in err.splitlines()
    assert "10/10 training, step 60 of 60, loss " in err
    *_, best, end = out.splitlines()
    assert float(best.split("accuracy ")[1].split("%")[0]) >= 90
    assert end == (
        "written to run; rrstyle train --architecture alexnet --encoder run/classifier.npz"
        " --images DIR --out RUN"
    )
    with (folder / "run/log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) * 0.7
    assert float(rows[-1]["accuracy"]) >= 0.9
    encoder = load_weights("run/classifier.npz", NetworkConfig("alexnet", "conv2"))
    state = checkpoints_of(Path("run")).best()
    assert state is not None
    np.testing.assert_array_equal(encoder.weights[2], state.arrays["weight_02"])
    words = ("--architecture", "alexnet", "--encoder", "run/classifier.npz", "--tap", "conv2")
    tiny = ("--crop", "16", "--batch", "4", "--steps", "2", "--images", "in", "-o", "dcn")
    assert cli.main(["train", *words, *tiny]) == 0
    pair = load_run(Path("dcn"))
    assert pair.about["weights"] == "classifier.npz"
    assert pair.config.encoder_activation == "relu"
    assert pair.config.channels == 8
    assert cli.main(["train", "--images", "in", "-o", "dcn", "--resume", "--steps", "3"]) == 0
    capsys.readouterr()
    assert cli.main(["train", "--images", "in", "-o", "run", "--resume"]) == 1
    assert "must be a run of inversion; 'run' is one of classification" in capsys.readouterr().err
    assert cli.main(["reconstruct", "chelsea", "-o", "c.png", "--decoder", "run"]) == 1
    assert "must be a run of inversion; 'run' is one of classification" in capsys.readouterr().err


def test_a_stopped_run_goes_on_to_the_same_bits(folder, capsys):
    assert run(*ALEXNET, "--steps", "4") == 0
    assert run("--resume", "--steps", "7") == 0
    assert "steps 4 to 7" in capsys.readouterr().out
    assert run(*ALEXNET, "--steps", "7", out="whole") == 0
    ours, theirs = (checkpoints_of(Path(name)).latest()[0] for name in ("run", "whole"))
    for name, array in ours.arrays.items():
        np.testing.assert_array_equal(array, theirs.arrays[name])
    capsys.readouterr()
    assert run("--resume", "--lr", "1") == 1
    assert "learning_rate must be that of the run to continue" in capsys.readouterr().err


def test_a_full_disk_is_told(folder, capsys, monkeypatch):
    def full(file, **arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints.np, "savez", full)
    assert run(*ALEXNET, "--steps", "2") == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("rrstyle: run: the disk is full; there is no checkpoint yet; free some space")
    )


def test_words_that_do_not_do(folder, capsys):
    for name in ("empty/x", "empty/y", "bad/x", "bad/y"):
        (folder / name).mkdir(parents=True)
        if name.startswith("bad"):
            (folder / name / "0.png").write_bytes(b"none")
    for words, rule in (
        (("--images", "in/lying"), "images must be of two classes at least; received 0"),
        (("--images", "empty"), "images must hold a picture that can be used; received 'empty'"),
        (("--images", "bad"), "received 'bad', the first of 2 files that cannot be used: 0.png"),
        (("--images", "one"), "images must be of two classes at least; received 1"),
        (("--channels", "7"), "channels must be a multiple of 2"),
    ):
        if words[1] == "one":
            shutil.copytree(folder / "in/lying", folder / "one/lying")
        assert run(*ALEXNET, "--steps", "2", *words) == 1, words
        lines = capsys.readouterr().err.splitlines()
        assert rule in lines[-1]
        assert len([line for line in lines if line.startswith("rrstyle: ")]) == 1
        assert not (folder / "run/run.json").exists()
    assert run("--layer", "conv1") == 2
    with pytest.raises(ValueError, match="images must be of two classes at least; received 1"):
        classify(ClassifierConfig(), None, Path("x"), classes=1, data={})
