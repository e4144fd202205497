"""The SavedModel of a trained pair: its pixels in a process without this package."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from apps import cli
from recon import export
from recon.export import export_trained
from recon.reconstruction import reconstruct_trained
from recon.training.run import load_run
from rrstyle.export.saved_model import RECORD
from rrstyle.pictures.images import read_image, to_uint8
from tests.recon.support.training import pictures, train_tiny

SIZES = {"even": (32, 48), "odd": (21, 37), "least": (1, 1)}
CHILD = """
import sys
sys.modules |= dict.fromkeys(("rrstyle", "recon", "apps", "keras"))  # None: not to be imported
import numpy as np, tensorflow as tf
arrays, results, model = np.load("in.npz"), {}, tf.saved_model.load("model")
for name, image in arrays.items():
    image = tf.constant(image)
    features = model.encode(image)
    results[f"{name} features"] = features.numpy()
    results[f"{name} decoded"] = model.decode(features, tf.shape(image)[:2]).numpy()
    results[name] = model.reconstruct(image).numpy()
    signature = model.signatures["serving_default"](image=image)["output_0"]
    np.testing.assert_array_equal(signature.numpy(), results[name])
    png = model.signatures["reconstruct_bytes"](image_bytes=tf.io.encode_png(image))
    results[f"{name} bytes"] = tf.io.decode_png(png["image_bytes"]).numpy()
for size in ((13, 21), (0, 0)):
    try:
        model.decode(features, tf.constant(size))
    except tf.errors.InvalidArgumentError as error:
        print(error.message)
assert not any(sys.modules[name] for name in ("rrstyle", "keras"))
np.savez("out.npz", **results)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run and its SavedModel, written by the command."""
    folder = tmp_path_factory.mktemp("trained")
    train_tiny(folder / "run")
    assert cli.main(["export", str(folder / "model"), "--decoder", str(folder / "run")]) == 0
    return folder


def picture(name):
    height, width = SIZES[name]
    return pictures(1, 48, seed=len(name))[0, :height, :width]


@pytest.fixture(scope="module")
def served(folder):
    """What a process without the package computes, and what it prints."""
    np.savez(folder / "in.npz", **{name: picture(name) for name in SIZES})
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        timeout=300,
        capture_output=True,
        text=True,
    )
    with np.load(folder / "out.npz") as results:
        return dict(results), done.stdout


@pytest.mark.parametrize("name", SIZES)
def test_same_pixels_as_the_library(folder, served, name):
    pair, image = load_run(folder / "run", best=True), picture(name)
    ours, theirs = to_uint8(reconstruct_trained(image, pair)), served[0][name]
    assert theirs.dtype == np.uint8
    assert theirs.shape == image.shape
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert np.mean(difference > 0) <= 1e-3
    np.testing.assert_array_equal(served[0][f"{name} decoded"], theirs)
    np.testing.assert_array_equal(served[0][f"{name} bytes"], theirs)
    features = pair.encode(image / np.float32(255))
    np.testing.assert_allclose(served[0][f"{name} features"], features, atol=1e-5)


def test_broken_rules_are_named(served):
    assert "features must have the rows and columns of a picture of that size" in served[1]
    assert "size must be at least 1 pixels a side; received" in served[1]


def test_the_record(folder):
    record = json.loads((folder / "model" / RECORD).read_text())
    assert record["step"] in (9, 12)
    assert record["training"]["crop"] == 12
    assert str(folder) not in json.dumps(record)


def test_what_is_there_is_kept(folder, capsys):
    words = ["export", str(folder / "model"), "--decoder", str(folder / "run")]
    assert cli.main(words) == 1
    assert "must not exist, unless overwriting is allowed" in capsys.readouterr().err
    assert cli.main([*words, "--overwrite"]) == 0
    for more in (["--seed", "1"], ["--channels", "8"], ["--optimise.learning-rate", "1"]):
        assert cli.main([*words, *more]) == 1
        assert (
            "must be left out with a run as decoder, which has its own" in capsys.readouterr().err
        )
    assert cli.main(["export", str(folder / "new"), "--decoder", str(folder)]) == 1
    assert "folder must be one of a training run" in capsys.readouterr().err
    assert not (folder / "new").exists()


def test_a_model_that_differs_is_not_published(folder, monkeypatch):
    grey = np.zeros((16, 17, 3), np.float32)
    monkeypatch.setattr(export, "reconstruct_trained", lambda *_: grey)
    with pytest.raises(RuntimeError, match="differ from the library's"):
        export_trained(folder / "other", load_run(folder / "run"))
    assert not (folder / "other").exists()
    assert tf.saved_model.contains_saved_model(folder / "model")


def test_reconstruct_by_a_run(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    words = ["reconstruct", "chelsea", "-o", "r.png", "--side", "48", "--decoder", "run"]
    assert cli.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "chelsea, 48 x 32, by vgg16 up to conv2_1 (pre_pool), random weights"
    )
    assert lines[1].split() == ["DCN", "SSIM", "Pearson"]
    assert lines[2].startswith("trained ")
    assert read_image("r.png").pixels.shape[1] >= 2 * 48
    for more in (["--seed", "1"], ["--law", "he"]):
        assert cli.main([*words, "--overwrite", *more]) == 1
        assert "must be left out with a run as decoder" in capsys.readouterr().err
    assert cli.main([*words[:-1], "none", "--overwrite"]) == 1
    assert "folder must be one of a training run; 'none' has no run.json" in capsys.readouterr().err
