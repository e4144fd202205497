"""The ZIP with a model and its README: what the README says is what is run here.

Its Python, and the request that its shell lines send to TensorFlow Serving, run in processes
without the package. Serving itself is played by a few lines that follow its convention: a string
input is {"b64": ...}, and so is a string output whose name ends in `_bytes`.
"""

import base64
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rrstyle import NetworkConfig, StyleConfig
from rrstyle.export.archive import Format, export_archive
from rrstyle.export.saved_model import RECORD
from rrstyle.pictures.images import read_image
from tests.rrstyle.export.test_saved_model import SEED, SIZES, assert_same, library, pictures

CONFIG = StyleConfig(
    method="adain", strength=0.8, style_scale=1.5, encoder=NetworkConfig(channels=4, kernel=3)
)
ALONE = """
import sys
names = "rrstyle", "recon", "apps", "keras"
sys.modules |= dict.fromkeys(names)  # None: not to be imported
"""
SERVING = (
    ALONE
    + """
import base64, json, tensorflow as tf
signatures = tf.saved_model.load("model").signatures
for line in open("requests.txt"):
    request = json.loads(line)
    inputs = {k: tf.constant(base64.b64decode(v["b64"])) for k, v in request["inputs"].items()}
    try:
        (name, value), = signatures[request["signature_name"]](**inputs).items()
        assert name.endswith("_bytes") and value.shape == () and value.dtype == tf.string
        print(json.dumps({"outputs": {"b64": base64.b64encode(value.numpy()).decode()}}))
    except tf.errors.InvalidArgumentError as error:
        print(json.dumps({"error": error.message}))
"""
)


def alone(code: str, folder) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=folder,
        check=True,
        timeout=300,
        capture_output=True,
        text=True,
    )
    return done.stdout


def encoded(array: np.ndarray, kind: str = "PNG", **settings) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **settings)
    return stream.getvalue()


def unpacked(folder, format: Format) -> str:
    """Unpacks an archive beside two pictures, and returns its README."""
    with zipfile.ZipFile(io.BytesIO(export_archive(CONFIG, seed=SEED, format=format))) as archive:
        archive.extractall(folder)
    for name, array in zip(("content", "style"), pictures(SIZES["odd"]), strict=True):
        (folder / f"{name}.png").write_bytes(encoded(array))
    return (folder / "README.md").read_text()


def block(readme: str, language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)[-1]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return folder, unpacked(folder, "savedmodel")


@pytest.fixture(scope="module")
def answers(saved):
    """What the REST form answers to requests, by their names."""
    folder, readme = saved
    content, style = pictures(SIZES["odd"])
    clear = np.dstack([content, np.full(content.shape[:2], 255, np.uint8)])
    clear[:9, :20, 3] = 100
    files = {
        "png": encoded(content),
        "alpha": encoded(clear),
        "jpeg": encoded(content, "JPEG", quality=80),
        "grey": encoded(content[..., 0]),
        "gif": encoded(content[..., 0], "GIF"),
        "cut": encoded(content)[:-200],
        "nothing": b"",
        "tiny": encoded(content[:15]),
    }
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    text = {name: base64.b64encode(data).decode() for name, data in files.items()}
    theirs = {"b64": base64.b64encode(encoded(style)).decode()}
    requests = [
        {
            "signature_name": "stylize_bytes",
            "inputs": {"content_bytes": {"b64": data}, "style_bytes": theirs},
        }
        for data in text.values()
    ]
    lines = block(readme, "sh").split("} |\n")[0] + "}"
    shell = subprocess.run(
        ["sh", "-c", lines], cwd=folder, check=True, capture_output=True, text=True
    )
    requests.append(json.loads(shell.stdout))
    (folder / "requests.txt").write_text("\n".join(map(json.dumps, requests)))
    answers = map(json.loads, alone(SERVING, folder).splitlines())
    return dict(zip([*files, "readme"], answers, strict=True))


@pytest.mark.parametrize("name", ["png", "alpha", "jpeg", "grey"])
def test_encoded_pictures_are_read_as_the_library_reads_them(saved, answers, name):
    content = read_image(saved[0] / f"{name}.bin").pixels
    ours = library(CONFIG, content, pictures(SIZES["odd"])[1], style_scale=1.0)
    png = base64.b64decode(answers[name]["outputs"]["b64"])
    assert png.startswith(b"\x89PNG")
    assert_same(ours, np.asarray(Image.open(io.BytesIO(png))))


def test_the_request_of_the_readme(saved, answers):
    assert answers["readme"] == answers["png"]
    project = Path(__file__).parents[3] / "README.md"
    assert f"```sh\n{block(saved[1], 'sh')}```" in project.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gif", "content must be a PNG or JPEG file; received, bytes:"),
        ("nothing", "content must be a PNG or JPEG file; received, bytes:"),
        ("tiny", "content is too small: at least 16 pixels a side; received"),
        ("cut", "PNG"),
    ],
)
def test_unusable_files_are_named(answers, name, words):
    assert words in answers[name]["error"]


def check_readme(folder, readme: str) -> None:
    alone(ALONE + block(readme, "python"), folder)
    content, style = pictures(SIZES["odd"])
    ours = library(CONFIG, content, style, style_scale=1.0)
    assert_same(ours, np.asarray(Image.open(folder / "picture.png")))
    settings = json.loads(block(readme, "json"))
    assert settings["seed"] == SEED
    assert settings["config"]["strength"] == 0.8
    assert "1.5 times" in readme


def test_the_python_of_the_readme(saved):
    check_readme(*saved)
    assert json.loads((saved[0] / "model" / RECORD).read_text()) == json.loads(
        block(saved[1], "json")
    )


def test_the_python_of_the_readme_for_onnx(tmp_path):
    pytest.importorskip("tf2onnx")
    check_readme(tmp_path, unpacked(tmp_path, "onnx"))
    assert {path.name for path in tmp_path.iterdir()} == {
        *("README.md", "model.onnx", "content.png", "style.png", "picture.png")
    }


def test_formats_and_methods_that_cannot_be():
    with pytest.raises(ValueError, match="format must be one of savedmodel, onnx; received 'zip'"):
        export_archive(CONFIG, seed=SEED, format="zip")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="have no graph; received 'paint'"):
        export_archive(StyleConfig(), seed=SEED, format="onnx")
