"""Keras models of random networks: they predict, save and reload in a fresh process."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn, build_dcn
from rrstyle.networks.layers import ZeroInsertedConv2D

ROOT = Path(__file__).parents[3]

SAVED = """
import sys
import keras, numpy as np
import rrstyle.networks.layers  # registers the layers: all that a fresh process needs
given = np.load(sys.argv[1] + "/given.npz")
found = {}
for name, inputs in (("cnn", given["x"]), ("dcn", [given["features"], given["x"]])):
    model = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    found[name] = model.predict(inputs, verbose=0)
np.savez(sys.argv[1] + "/found.npz", **found)
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_models_work_as_they_are_and_in_a_fresh_process(backend, tmp_path):
    config = NetworkConfig(layer="conv2", tap="post_pool", channels=4, padding="zero", law="he")
    cnn, dcn = build_cnn(config, seed=7), build_dcn(config, seed=7)
    x = np.random.default_rng(0).random((3, 9, 11, 3), np.float32)
    features = cnn.predict(x, verbose=0)
    picture = dcn.predict([features, x], verbose=0)
    assert picture.shape == x.shape
    assert any(isinstance(layer, ZeroInsertedConv2D) for layer in dcn.layers)
    cnn.summary(print_fn=lambda text: None)
    for model in (cnn, dcn):
        model.save(tmp_path / f"{model.name}.keras")
    np.savez(tmp_path / "given.npz", x=x, features=features)
    done = subprocess.run(
        [sys.executable, "-c", SAVED, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as found:
        if backend == keras.backend.backend():
            np.testing.assert_array_equal(found["cnn"], features)
            np.testing.assert_array_equal(found["dcn"], picture)
        np.testing.assert_allclose(found["cnn"], features, rtol=1e-4, atol=1e-6)
        atol = 1e-4 * np.abs(picture).max()
        np.testing.assert_allclose(found["dcn"], picture, rtol=0, atol=atol)
