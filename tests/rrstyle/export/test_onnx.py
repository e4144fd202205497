"""The ONNX model: the library's pixels in ONNX Runtime, in a process without the package.

Same pixels means what it means for the SavedModel: values differ by at most 1, at most 1 in 1,000
of them. Measured: 1 value in 9,000 at most, none of most pictures.
"""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tf2onnx")
import onnx

from apps import cli
from rrstyle import NetworkConfig, StyleConfig
from rrstyle.config import from_dict
from rrstyle.export import graph
from rrstyle.export import onnx as export_onnx
from rrstyle.export.saved_model import RECORD
from tests.rrstyle.export.test_saved_model import SEED, SIZES, assert_same, library, pictures

SMALL = NetworkConfig(channels=4, kernel=3, decoder_activation="leaky_relu")
CONFIG = StyleConfig(method="transport", strength=0.7, keep_colours=True, encoder=SMALL)
STRENGTHS = 0, 0.7, 1

# Runs jobs on an .npz file without the packages: -I keeps the folder out of sys.path.
CHILD = """
import sys
names = "rrstyle", "recon", "apps", "keras", "tensorflow"
sys.modules |= dict.fromkeys(names)  # None: not to be imported
import json, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
session = onnxruntime.InferenceSession("m.onnx", options, providers=["CPUExecutionProvider"])
print([(x.name, x.type, x.shape[2:]) for x in session.get_inputs() + session.get_outputs()])
arrays, results = np.load("in.npz"), {}
for key, content, style, strength, dtype in json.load(open("jobs.json")):
    inputs = {
        "content": arrays[content].astype(dtype),
        "style": arrays[style],
        "strength": np.array(strength, np.float32),
    }
    try:
        (results[key],) = session.run(["picture"], inputs)
    except Exception as error:
        print(key, "error:", error)
assert not any(sys.modules[name] for name in names)
np.savez("out.npz", **results)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    export_onnx.export_onnx(folder / "m.onnx", CONFIG, seed=SEED)
    return folder


@pytest.fixture(scope="module")
def served(folder):
    """What a process without the package computes, and what it prints."""
    arrays, jobs = {"tiny": np.zeros((15, 40, 3), np.uint8)}, []
    for name, sizes in SIZES.items():
        arrays[f"{name} content"], arrays[f"{name} style"] = pictures(sizes)
        pair = f"{name} content", f"{name} style"
        jobs += [(f"{name} {strength}", *pair, strength, "uint8") for strength in STRENGTHS]
    jobs += [
        ("small content", "tiny", "odd style", 1, "uint8"),
        ("small style", "odd content", "tiny", 1, "uint8"),
        ("strong", "odd content", "odd style", 1.5, "uint8"),
        ("nan", "odd content", "odd style", float("nan"), "uint8"),
        ("float", "odd content", "odd style", 1, "float32"),
    ]
    np.savez(folder / "in.npz", **arrays)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHILD],
        cwd=folder,
        check=True,
        timeout=300,
        capture_output=True,
        text=True,
    )
    with np.load(folder / "out.npz") as results:
        return dict(results), done.stdout


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("size", SIZES)
def test_same_pixels_as_the_library(served, size, strength):
    ours = library(CONFIG, *pictures(SIZES[size]), strength=strength)
    assert_same(ours, served[0][f"{size} {strength}"])


def test_the_snippet_of_the_readme(folder, tmp_path, monkeypatch):
    readme = Path(__file__).parents[3].joinpath("README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```py\n([^`]*InferenceSession[^`]*)```", readme)
    shutil.copy(folder / "m.onnx", tmp_path / "model.onnx")
    for name, pixels in zip(("photo.jpg", "painting.jpg"), pictures(SIZES["odd"]), strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {})
    read = (np.asarray(Image.open(name)) for name in ("photo.jpg", "painting.jpg"))
    assert_same(library(CONFIG, *read, strength=1), np.asarray(Image.open("picture.png")))


def test_strength_matters(served):
    none, full = (served[0][f"even {s}"].astype(int) for s in (0, 1))
    assert np.abs(full - none).mean() > 5


def test_names_and_types(served):
    image = "'tensor(uint8)', [3])"
    inputs = f"('content', {image}, ('style', {image}, ('strength', 'tensor(float)', [])"
    assert served[1].startswith(f"[{inputs}, ('picture', {image}]")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("small content", "content_is_too_small_at_least_16_pixels_a_side"),
        ("small style", "style_is_too_small_at_least_16_pixels_a_side"),
        ("strong", "strength_must_be_from_0_to_1"),
        ("nan", "strength_must_be_from_0_to_1"),
        ("float", "Actual: (tensor(float)) , expected: (tensor(uint8))"),
    ],
)
def test_broken_rules_are_named(served, key, words):
    assert any(line.startswith(f"{key} error:") and words in line for line in served[1].split("\n"))
    assert key not in served[0]


def test_the_file(folder):
    model = onnx.load(folder / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    record = json.loads({p.key: p.value for p in model.metadata_props}[RECORD])
    assert from_dict(StyleConfig, record["config"]) == CONFIG
    assert record["seed"] == SEED
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        replace(CONFIG, method="adain", keep_colours=False),
        replace(CONFIG, method="knothe", wildness=0.5),
        StyleConfig(
            method="whitening",
            decoder="random",
            encoder=NetworkConfig(layer="conv2_1", channels=8, pooling="l2", tap="post_pool"),
        ),
        StyleConfig(
            method="transport",
            encoder=NetworkConfig(
                layer="conv2_1", kernel=4, channels=6, padding="zero", upsampling="nearest"
            ),
        ),
        StyleConfig(method="transport"),  # the command's default
    ],
    ids=lambda config: f"{config.method}-{config.encoder.layer}",
)
def test_every_method_and_network(config):
    session = export_onnx.open_session(export_onnx.onnx_model(config, seed=SEED))
    for sizes in SIZES.values():
        content, style = pictures(sizes)
        strength = np.array(config.strength, np.float32)
        inputs = {"content": content, "style": style, "strength": strength}
        assert_same(library(config, content, style), session.run(None, inputs)[0])


def test_what_is_there_is_kept(folder, capsys):
    path, before = folder / "m.onnx", (folder / "m.onnx").read_bytes()
    with pytest.raises(FileExistsError, match=r"must not exist, unless .*; received 'm.onnx'$"):
        export_onnx.export_onnx(path, CONFIG, seed=SEED)
    assert cli.main(["export", str(path)]) == 1  # the name says which format
    assert "path must not exist" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_trained_pair_has_no_onnx(tmp_path, capsys):
    words = ["export", str(tmp_path / "m"), "--format", "onnx", "--decoder", str(tmp_path)]
    assert cli.main(words) == 1
    assert (
        "format must be savedmodel with a run as decoder; received onnx" in capsys.readouterr().err
    )


def test_methods_without_a_graph_are_refused(tmp_path):
    for method in ("paint", "optimise"):
        with pytest.raises(ValueError, match=f"have no graph; received '{method}'"):
            export_onnx.export_onnx(tmp_path / "m.onnx", StyleConfig(method=method), seed=0)
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    absent = lambda name: None if name == "tf2onnx" else found(name)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    with pytest.raises(ValueError, match=r"extra onnx: .*; tf2onnx is not installed"):
        export_onnx.export_onnx(tmp_path / "m.onnx", CONFIG, seed=0)


def test_a_model_that_differs_is_not_published(folder, monkeypatch, tmp_path):
    data = (folder / "m.onnx").read_bytes()
    grey = np.full((16, 17, 3), 0.5, np.float32)
    monkeypatch.setattr(export_onnx, "converted", lambda *_: data)
    monkeypatch.setattr(graph.pipeline, "stylize", lambda *_, **__: grey)
    with pytest.raises(RuntimeError, match="differ from the library's"):
        export_onnx.export_onnx(tmp_path / "m.onnx", CONFIG, seed=SEED)
    assert not list(tmp_path.iterdir())
