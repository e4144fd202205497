"""Tables 1 and 5: the networks, what of them is trained, and what is measured."""

import keras
import numpy as np
import pandas as pd
import pytest

from recon.data.pictures import load_classes
from recon.experiments import find_experiment
from recon.experiments.experiment import Pictures
from recon.experiments.invertibility import cifar_random
from recon.sweep import run

EXPERIMENT = find_experiment("cifar-random")
CELL = {"filters": "random", "layers": 1, "network": 0}


def settings(**changes):
    tiny = {"networks": 1, "images": 60, "tested": 20, "side": 32}
    tiny |= {"channels": 4, "batch": 8, "epochs": 2}
    return cifar_random.Classifiers(**tiny | changes)


def coloured(count=60):
    """Two classes that differ in colour by more than their noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int32) % 2
    pixels = 0.4 + 0.1 * rng.random((count, 32, 32, 3), np.float32)
    pixels[labels == 1, ..., 0] += 0.3
    return Pictures(("",) * count, pixels, classes=("grey", "red"), labels=labels)


def test_the_papers_scale_is_that_of_table_5():
    paper = EXPERIMENT.settings["paper"]
    assert (paper.images - paper.tested, paper.tested) == (50_000, 10_000)
    widths = {
        (cell["filters"], cell["layers"]): cifar_random._channels(paper, cell)
        for cell in EXPERIMENT.cells(paper)
    }
    assert widths == {
        ("random", 1): (2048,),
        ("random", 2): (2048, 2048),
        ("random", 3): (2048, 2048, 1024),
        ("learned", 1): (1024,),
        ("learned", 2): (1024, 1024),
        ("learned", 3): (1024, 1024, 1024),
    }
    laptop = EXPERIMENT.settings["laptop"]
    assert laptop.images - laptop.tested == 10_000
    assert max(cifar_random._channels(laptop, CELL)) <= 256


@pytest.mark.parametrize(
    ("channels", "kernel", "weights"),
    # Filters, scale and bias of each layer, then 4 x 4 maps to two scores.
    [
        ((8,), 5, 5 * 5 * 3 * 8 + 16 + 16 * 8 * 2 + 2),
        ((8, 6), 3, 3 * 3 * 3 * 8 + 16 + 3 * 3 * 8 * 6 + 12 + 16 * 6 * 2 + 2),
        ((4, 4, 4), 3, 3 * 3 * 3 * 4 + 2 * 3 * 3 * 4 * 4 + 24 + 16 * 4 * 2 + 2),
    ],
)
def test_networks_by_hand(channels, kernel, weights):
    how = {"side": 32, "classes": 2, "dropout": 0.5, "seed": 0}
    learned = cifar_random.build_model(channels, filters="learned", **how)
    sizes = [int(np.prod(v.shape)) for v in learned.trainable_variables]
    assert sum(sizes) == weights
    random = cifar_random.build_model(channels, filters="random", **how)
    frozen = [v for v in random.non_trainable_variables if len(v.shape) == 4]
    assert [v.shape[:2] for v in frozen] == [(kernel, kernel)] * len(channels)
    assert len(random.trainable_variables) == len(learned.trainable_variables) - len(channels)
    flat = next(layer for layer in random.layers if isinstance(layer, keras.layers.Flatten))
    assert flat.input.shape[1:] == (4, 4, channels[-1])
    # Batch normalisation comes before the ReLU.
    kinds = [type(layer).__name__ for layer in random.layers][1:5]
    assert kinds == ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"]


def test_a_side_that_cannot_become_four_is_refused():
    with pytest.raises(ValueError, match="side must be a multiple of 32; received 40"):
        cifar_random.build_model((4,), side=40, classes=2, filters="random", dropout=0, seed=0)


def test_random_filters_are_standard_normal():
    model = cifar_random.build_model(
        (64, 64), side=32, classes=2, filters="random", dropout=0.5, seed=0
    )
    values = np.concatenate([v.numpy().ravel() for v in model.variables if len(v.shape) == 4])
    assert abs(values.mean()) < 4 / np.sqrt(values.size)
    assert abs(values.var() - 1) < 4 * np.sqrt(2 / values.size)


@pytest.mark.parametrize("filters", ["random", "learned"])
def test_training_moves_learned_filters_only(filters):
    how, pictures = settings(), coloured()
    model = cifar_random.build_model((4,), side=32, classes=2, filters=filters, dropout=0, seed=0)
    kernel, before = model.layers[1].kernel, model.layers[1].kernel.numpy()
    scale = model.layers[2].gamma.numpy()
    cifar_random._train(model, how, pictures.pixels, pictures.labels, 0)
    assert np.array_equal(kernel.numpy(), before) == (filters == "random")
    assert not np.array_equal(model.layers[2].gamma.numpy(), scale)


@pytest.mark.parametrize("filters", ["random", "learned"])
def test_colours_are_told_apart(filters):
    found = EXPERIMENT.measure(
        settings(epochs=6, learning_rate=0.01), {**CELL, "filters": filters}, coloured(), 0
    )
    assert [row["set"] for row in found] == ["training", "test"]
    assert all(row["accuracy"] > 95 for row in found)
    assert found[1]["printed"] == {"random": 66.5, "learned": 68.1}[filters]


def test_a_cell_depends_on_its_arguments_alone():
    how, pictures = settings(), coloured()
    rng = np.random.default_rng(1)
    pictures.pixels[...] = rng.random(pictures.pixels.shape)  # nothing to learn but by heart
    one, again, other = (
        EXPERIMENT.measure(how, CELL, pictures, seed)[0]["accuracy"] for seed in (0, 0, 1)
    )
    assert one == again
    assert 0 <= other <= 100


def test_accuracy_by_hand():
    scores = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    rows = np.array([[1, 0, 0], [0, 2, 1], [0, 2, 3], [5, 0, 0], [0, 0, 1]], np.float32)
    assert cifar_random._accuracy(scores, rows, np.array([0, 1, 1, 0, 0]), batch=2) == 60


def test_smoke_rows_and_figure():
    smoke = EXPERIMENT.settings["smoke"]
    pictures, notes = load_classes(None, smoke.images - smoke.tested, smoke.tested, 32, seed=0)
    assert "no folder of images was named" in notes[0]
    rows = EXPERIMENT.measure(smoke, EXPERIMENT.cells(smoke)[0], pictures, 0)
    table = pd.DataFrame(rows, columns=EXPERIMENT.columns)
    assert table["accuracy"].between(0, 100).all()
    both = pd.concat([table, table.assign(filters="learned", widths="4")])
    figure = EXPERIMENT.draw(both)
    assert "learned filters, 4 channels" in figure.axes[0].get_legend_handles_labels()[1]


def test_the_record_has_classes_and_no_names():
    pictures = coloured(4)
    record = run._identity(pictures)
    assert set(record) == {"classes", "labels_sha256", "sha256"}
    turned = Pictures(
        pictures.names, pictures.pixels, classes=pictures.classes, labels=1 - pictures.labels
    )
    assert run._identity(turned)["labels_sha256"] != record["labels_sha256"]
    assert set(run._identity(Pictures(("a",), pictures.pixels[:1]))) == {"names", "sha256"}
