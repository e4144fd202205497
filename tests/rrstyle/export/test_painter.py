"""Painters exported: their pixels to one level, in processes without the package."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from rrstyle.export import painter as export
from rrstyle.export.saved_model import RECORD
from rrstyle.painters.painter import load_painter
from rrstyle.pictures.images import encode_png, resize, to_uint8
from tests.rrstyle.painters.tiny import PHOTOGRAPH, write_painter

# Sizes of photographs, and the strengths of them all.
SIZES = (40, 56), (33, 47), (8, 21)
STRENGTHS = 0, 0.7, 1
TENSORFLOW = """
import tensorflow as tf
model = tf.saved_model.load("model")
def run(image, strength):
    return model.paint(image, tf.constant(strength, tf.float32)).numpy()
"""
ONNX = """
import onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
session = onnxruntime.InferenceSession("m.onnx", options, providers=["CPUExecutionProvider"])
def run(image, strength):
    inputs = {"image": image, "strength": np.array(strength, np.float32)}
    return session.run(["picture"], inputs)[0]
"""
CHILD = """
import json, sys
names = "rrstyle", "recon", "apps", "keras"
sys.modules |= dict.fromkeys(names)  # None: not to be imported
import numpy as np
{run}
images, found, errors = np.load("in.npz"), dict(), []
for key in images:
    for strength in (0, 0.7, 1):
        found[f"{{key}} {{strength}}"] = run(images[key], strength)
for image, strength in ((images["0"][:7], 1), (images["0"], 1.5), (images["0"], float("nan"))):
    try:
        run(image, strength)
    except Exception as error:
        errors.append(str(error))
np.savez("out.npz", **found)
json.dump(errors, open("errors.json", "w"))
"""


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    return load_painter(write_painter(tmp_path_factory.mktemp("painters") / "waves"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    np.savez(folder / "in.npz", **{str(i): picture(size) for i, size in enumerate(SIZES)})
    return folder


def picture(size) -> np.ndarray:
    return to_uint8(resize(PHOTOGRAPH, size))


def assert_the_painters_pixels(folder, painter, code):
    """By a process of its own, in which `code` defines `run(image, strength)`."""
    script = CHILD.format(run=code)
    words = [sys.executable, "-I", "-c", script]
    subprocess.run(words, cwd=folder, check=True, timeout=300, capture_output=True)
    with np.load(folder / "out.npz") as found:
        for number, size in enumerate(SIZES):
            for strength in STRENGTHS:
                ours = to_uint8(painter.paint(picture(size), strength=strength)).astype(int)
                theirs = found[f"{number} {strength}"]
                assert theirs.dtype == np.uint8
                assert np.abs(ours - theirs).max() <= 1
                assert np.mean(ours != theirs) < 0.01
    errors = json.loads((folder / "errors.json").read_text())
    rules = ("image is too small: at least 8 pixels", *["strength must be from 0 to 1"] * 2)
    assert len(errors) == 3
    for error, rule in zip(errors, rules, strict=True):
        plain = rule if "m.onnx" not in code else rule.replace(": ", "_").replace(" ", "_")
        assert plain in error


def test_the_saved_model(folder, painter):
    export.export_painter(folder / "model", painter, format="savedmodel")
    assert_the_painters_pixels(folder, painter, TENSORFLOW)
    record = json.loads((folder / "model" / RECORD).read_text())
    assert record["digest"] == painter.digest
    assert record["style"]["name"] == "waves"
    import tensorflow as tf

    paint = tf.saved_model.load(folder / "model").signatures["paint_bytes"]
    image = picture((33, 47)) / np.float32(255)
    data = paint(image_bytes=tf.constant(encode_png(image)), strength=tf.constant(1.0))
    found = tf.io.decode_png(data["image_bytes"]).numpy().astype(int)
    assert np.abs(found - to_uint8(painter.paint(image))).max() <= 1


def test_the_onnx_model(folder, painter):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    path = export.export_painter(folder / "m.onnx", painter, format="onnx")
    model = onnx.load(path)
    assert [x.name for x in model.graph.input] == ["image", "strength"]
    assert [x.name for x in model.graph.output] == ["picture"]
    assert painter.digest in {json.loads(p.value)["digest"] for p in model.metadata_props}
    assert_the_painters_pixels(folder, painter, ONNX)


def test_other_pixels_are_never_put_in_place(tmp_path, painter, monkeypatch):
    other = replace(painter, palette=painter.palette._replace(mean=painter.palette.mean / 2))
    monkeypatch.setattr(export, "_in_graph", lambda _: lambda images: 0 * images)
    with pytest.raises(RuntimeError, match="the exported model's pixels differ"):
        export.export_painter(tmp_path / "model", other, format="savedmodel")
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path, painter, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(export, "export_painter", lambda *given, **options: made.append(given[0]))
    for seed in (0, 1):
        write_painter(tmp_path / "two" / str(seed), seed=seed)
    monkeypatch.chdir(tmp_path)
    for words, target in (
        (("two",), "two/saved_model"),
        (("two", "--format", "onnx", "--seed", "1"), "two/model.onnx"),
        (("two/1", "-o", "m"), "m"),
    ):
        assert cli.main(["export", *words]) == 0
        assert made[-1] == Path(target)
        assert capsys.readouterr().out == f"model written to {target}\n"
    for words, rule in (
        (("two", "--seed", "2"), "seed must be below 2, the number of painters in 'two'; receiv"),
        (("two", "--method", "adain"), "method must be left out with a painter, which has its"),
        (("new", "-o", "m"), "output must be left out, unless PATH is a run or a painter"),
    ):
        assert cli.main(["export", *words]) == 1
        assert capsys.readouterr().err.startswith(f"rrstyle: {rule}")
