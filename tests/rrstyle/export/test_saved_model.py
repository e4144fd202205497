"""The SavedModel: the library's pixels in a process without it, and written whole or not at all.

Same pixels means: uint8 values differ by at most 1, and at most 1 in 1,000 of them, where sums
taken in another order meet a rounding boundary. Measured here: 1 value in 200,000.
"""

import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from rrstyle import NetworkConfig, StyleConfig, backend, example, stylize
from rrstyle.config import from_dict
from rrstyle.export import graph
from rrstyle.export.saved_model import RECORD, export_saved_model
from rrstyle.networks.build import cnn_network
from rrstyle.networks.plan import VGG16
from rrstyle.networks.readout import LATTICE_PIXELS, build_decoder
from rrstyle.pictures.images import as_image, resize, to_uint8

SEED = 3
PLAIN = StyleConfig(
    method="adain",
    strength=0.5,
    encoder=NetworkConfig(channels=16, decoder_activation="leaky_relu"),
)
CONFIGS = {
    "plain": PLAIN,
    "mixed": StyleConfig(
        method="transport",
        wildness=0.5,
        encoder=NetworkConfig(
            channels=8, kernel=4, tap="post_pool", padding="zero", pooling="average"
        ),
    ),
    "random": StyleConfig(
        method="whitening",
        decoder="random",
        encoder=NetworkConfig(layer="conv2_1", channels=8, pooling="l2", upsampling="nearest"),
    ),
}
# (content, style) sizes. The longer sides are equal, so the library at that side resizes nothing.
SIZES = {
    "even": ((40, 56), (56, 48)),
    "odd": ((33, 47), (47, 40)),
    "lattice": ((90, 97), (97, 96)),  # more pixels than LATTICE_PIXELS
}

# Runs the jobs of a JSON file on the arrays of an .npz file, without the packages.
CHILD = """
import json, sys
sys.modules |= dict.fromkeys(("rrstyle", "recon", "apps", "keras"))  # None: not to be imported
import numpy as np, tensorflow as tf
arrays, jobs, results, errors = np.load("in.npz"), json.load(open("jobs.json")), {}, {}
models = {}
for key, directory, endpoint, names, strength in jobs:
    if directory not in models:
        models[directory] = tf.saved_model.load(directory)
    model = models[directory]
    inputs = {k: results[v[1:]] if v[0] == "=" else arrays[v] for k, v in names.items()}
    inputs = {k: tf.constant(v) for k, v in inputs.items()}
    if strength is not None:
        inputs["strength"] = tf.constant(strength, tf.float32)
    try:
        if endpoint in model.signatures and key.startswith("signature"):
            results[key] = model.signatures[endpoint](**inputs)["output_0"].numpy()
        else:
            results[key] = getattr(model, endpoint)(**inputs).numpy()
    except tf.errors.InvalidArgumentError as error:
        errors[key] = error.message
assert not any(sys.modules[name] for name in ("rrstyle", "keras"))
np.savez("out.npz", **results)
json.dump(errors, open("errors.json", "w"))
"""


def pictures(sizes: tuple[tuple[int, int], tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    names = ("chelsea", "waves")
    return tuple(
        to_uint8(resize(example(name), size)) for name, size in zip(names, sizes, strict=True)
    )


def library(config: StyleConfig, content: np.ndarray, style: np.ndarray, **settings) -> np.ndarray:
    config = replace(config, side=max(content.shape), **settings)
    return to_uint8(stylize(content, style, config, seed=SEED))


@dataclass(frozen=True)
class Served:
    """What a process without the package computed."""

    results: dict[str, np.ndarray]
    errors: dict[str, str]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """The configs' SavedModels."""
    folder = tmp_path_factory.mktemp("models")
    return {
        name: export_saved_model(folder / name, config, seed=SEED)
        for name, config in CONFIGS.items()
    }


@pytest.fixture(scope="module")
def served(models, tmp_path_factory) -> Served:
    folder = tmp_path_factory.mktemp("served")
    arrays, jobs = {"tiny": np.zeros((15, 40, 3), np.uint8)}, []
    for size, sizes in SIZES.items():
        arrays[f"content-{size}"], arrays[f"style-{size}"] = pictures(sizes)

    def job(key, model, endpoint, strength=None, **names):
        jobs.append([key, str(models[model]), endpoint, names, strength])

    for size in SIZES:
        pair = {"content": f"content-{size}", "style": f"style-{size}"}
        for method in ("transport", "adain"):
            for strength in (0, 0.5, 1):
                key = f"{method}-{size}-{strength}"
                job(key, "plain", f"stylize_{method}", strength, **pair)
        for model in CONFIGS:
            job(f"{model}-{size}", model, "stylize", **pair)
            job(f"encode-{model}-{size}", model, "encode", image=f"content-{size}")
            features, reference = f"=encode-{model}-{size}", f"content-{size}"
            job(f"decode-{model}-{size}", model, "decode", features=features, reference=reference)
    pair = {"content": "content-odd", "style": "style-odd"}
    job("signature-default", "plain", "serving_default", **pair)
    job("signature-transport", "plain", "stylize_transport", 0.5, **pair)
    job("tiny-content", "plain", "stylize", content="tiny", style="style-odd")
    job("tiny-style", "plain", "stylize", content="content-odd", style="tiny")
    job("tiny-image", "plain", "encode", image="tiny")
    job("strong", "plain", "stylize_adain", 1.5, **pair)
    job("nan", "plain", "stylize_adain", float("nan"), **pair)
    job("foreign", "plain", "decode", features="=encode-plain-even", reference="content-odd")

    np.savez(folder / "in.npz", **arrays)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    subprocess.run(
        [sys.executable, "-I", "-c", CHILD],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        timeout=300,
    )
    with np.load(folder / "out.npz") as results:
        return Served(dict(results), json.loads((folder / "errors.json").read_text()))


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert theirs.dtype == np.uint8
    assert theirs.shape == ours.shape
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert np.mean(difference > 0) <= 1e-3


@pytest.mark.parametrize("strength", [0, 0.5, 1])
@pytest.mark.parametrize("method", ["transport", "adain"])
@pytest.mark.parametrize("size", SIZES)
def test_same_pixels_as_the_library(served, size, method, strength):
    ours = library(PLAIN, *pictures(SIZES[size]), method=method, strength=strength)
    assert_same(ours, served.results[f"{method}-{size}-{strength}"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CONFIGS)
def test_same_pixels_for_every_network_and_readout(served, name, size):
    assert_same(library(CONFIGS[name], *pictures(SIZES[size])), served.results[f"{name}-{size}"])


def test_one_case_needs_a_lattice_of_more_than_every_pixel():
    assert all(h * w > LATTICE_PIXELS for h, w in SIZES["lattice"])
    assert all(h * w < LATTICE_PIXELS for h, w in SIZES["even"])


def test_strength_matters(served):
    weak, half, full = (served.results[f"transport-even-{s}"].astype(int) for s in (0, 0.5, 1))
    assert np.abs(half - weak).mean() > 5
    assert np.abs(full - weak).mean() > np.abs(half - weak).mean()


@pytest.mark.parametrize("name", CONFIGS)
def test_encode_and_decode_are_the_librarys(served, name):
    config, (content, _) = CONFIGS[name].encoder, pictures(SIZES["odd"])
    image = as_image(content)
    features = cnn_network(config, seed=SEED).single(image)
    theirs = served.results[f"encode-{name}-odd"]
    assert theirs.dtype == np.float32
    np.testing.assert_allclose(theirs, features, rtol=0, atol=1e-5 * np.abs(features).max())
    wildness = 1.0 if CONFIGS[name].decoder == "random" else CONFIGS[name].wildness
    decoder = build_decoder(config, [(features, image)], seed=SEED, wildness=wildness)
    ours = to_uint8(np.clip(decoder(features, image.shape[:2]), 0, 1))
    assert_same(ours, served.results[f"decode-{name}-odd"])


@pytest.mark.parametrize("size", SIZES)
def test_decode_undoes_encode(served, size):
    content = pictures(SIZES[size])[0].astype(float)
    error = served.results[f"decode-plain-{size}"] - content
    psnr = 20 * np.log10(255 / np.sqrt(np.mean(error**2)))
    assert psnr > 30


def test_signatures_are_the_endpoints(served):
    np.testing.assert_array_equal(served.results["signature-default"], served.results["plain-odd"])
    np.testing.assert_array_equal(
        served.results["signature-transport"], served.results["transport-odd-0.5"]
    )


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("tiny-content", "content is too small: at least 16 pixels a side; received"),
        ("tiny-style", "style is too small"),
        ("tiny-image", "image is too small"),
        ("strong", "strength must be from 0 to 1; received"),
        ("nan", "strength must be from 0 to 1; received"),
        ("foreign", "features must have the rows and columns of encode(reference); received"),
    ],
)
def test_broken_rules_are_named(served, key, words):
    assert words in served.errors[key]


def test_no_other_job_failed(served):
    assert len(served.errors) == 6


def test_record(models):
    record = json.loads((models["mixed"] / RECORD).read_text())
    assert from_dict(StyleConfig, record["config"]) == CONFIGS["mixed"]
    assert record["seed"] == SEED
    assert record["versions"]["backend"] == "tensorflow"
    assert record["versions"]["device"] == backend.device()


def test_trained_weights(tmp_path):
    path, inputs = tmp_path / "vgg16.h5", 3
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for c in VGG16.convolutions:
            shape = (c.kernel, c.kernel, inputs, c.channels)
            group, inputs = file.create_group(f"layers/{c.name}"), c.channels
            if c.name.startswith("conv1_"):
                group["kernel"] = rng.normal(0, 0.1, shape).astype(np.float32)
                group["bias"] = rng.normal(0, 0.1, c.channels).astype(np.float32)
            else:  # unused, and takes no place on disk
                group.create_dataset("kernel", shape, np.float32)
                group.create_dataset("bias", c.channels, np.float32)
    config = StyleConfig(method="transport", weights=str(path))
    directory = export_saved_model(tmp_path / "model", config, seed=SEED)
    content, style = pictures(SIZES["odd"])
    loaded = tf.saved_model.load(directory)
    assert_same(library(config, content, style), loaded.stylize(content, style).numpy())
    assert json.loads((directory / RECORD).read_text())["config"]["weights"] == "vgg16.h5"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_existing_directory_is_refused(models):
    before = contents(models["plain"])
    with pytest.raises(FileExistsError, match=r"must not exist, unless .*; received 'plain'$"):
        export_saved_model(models["plain"], PLAIN, seed=SEED)
    assert contents(models["plain"]) == before


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FileExistsError, match="must not be a file; received 'x'"):
        export_saved_model(tmp_path / "x", PLAIN, seed=SEED, overwrite=True)
    assert contents(tmp_path) == {"x": b"mine"}


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(FileExistsError, match=r"to be overwritten; .* with 'photo.jpg' in it"):
        export_saved_model(tmp_path, PLAIN, seed=SEED, overwrite=True)
    assert contents(tmp_path) == {"photo.jpg": b"mine"}


def small(folder: Path, *, seed: int = SEED, **settings) -> Path:
    config = StyleConfig(method="adain", encoder=NetworkConfig(layer="conv1_1", channels=2))
    return export_saved_model(folder, config, seed=seed, **settings)


def test_overwriting(tmp_path, monkeypatch):
    old = contents(small(tmp_path / "x"))
    assert contents(small(tmp_path / "x", seed=4, overwrite=True)) != old
    assert json.loads((tmp_path / "x" / RECORD).read_text())["seed"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["x"]

    old, rename = contents(tmp_path), Path.rename

    def refused(path: Path, target: Path):
        if path.name.endswith(".tmp") and (path / RECORD).exists() and not target.exists():
            monkeypatch.setattr(Path, "rename", rename)
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(PermissionError, match=r"^x: not written, permission is denied; "):
        small(tmp_path / "x", overwrite=True)
    assert contents(tmp_path) == old


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    old = contents(small(tmp_path / "x"))

    def full(trackable, directory, **options):
        (Path(directory) / "saved_model.pb").write_bytes(b"half")
        # As TensorFlow 2.21 does on a full tmpfs.
        message = f"{directory}/variables/x.tempstate1; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match=r"^x: not written, the disk is full; ") as caught:
        small(tmp_path / "x", overwrite=True)
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path) not in str(caught.value)
    assert {f"x/{name}": data for name, data in old.items()} == contents(tmp_path)


def test_a_model_that_differs_is_not_published(tmp_path, monkeypatch):
    grey = np.full((16, 17, 3), 0.5, np.float32)
    monkeypatch.setattr(graph.pipeline, "stylize", lambda *_, **__: grey)
    with pytest.raises(RuntimeError, match="differ from the library's"):
        small(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_unusable_names(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^x: not written, there is no such folder; "):
        small(tmp_path / "none" / "x")
    with pytest.raises(ValueError, match="directory must be a valid name"):
        small("a\0b")


def test_other_backends_are_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"run with KERAS_BACKEND=tensorflow .*; received jax"):
        small(tmp_path / "x")


def test_methods_without_a_closed_form_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"method must be one of adain, .*; received 'paint'"):
        export_saved_model(tmp_path / "x", StyleConfig(), seed=SEED)


def test_a_seed_is_checked_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"seed must be an integer from 0 to 2\^128"):
        small(tmp_path / "x", seed=-1)
    assert list(tmp_path.iterdir()) == []
