"""The experiments that train DCNs: their squares, their losses, and what training must gain."""

import json
import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from recon.data.pictures import load_pictures
from recon.experiments import find_experiment
from recon.experiments.experiment import Pictures
from recon.experiments.trained import readout_training
from recon.experiments.trained.trainings import (
    Training,
    TrainingSettings,
    half_of,
    plan,
    random_squares,
    row_steps,
)
from recon.sweep.rows import read_rows
from recon.sweep.run import evaluate
from recon.training.config import SMALL, TrainingConfig
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network, convolutions
from rrstyle.networks.weight_files import load_weights, write_weights

SETTINGS = TrainingSettings(
    networks=1, images=4, side=24, crop=16, batch=2, steps=3, measured=1, channels=4
)


@pytest.fixture(scope="module")
def photographs():
    return load_pictures(None, SETTINGS.images, SETTINGS.side, seed=0)[0]


def training(photographs, settings=SETTINGS, *, seed=0, number=0, block=1):
    network = plan(settings, "vgg16", block, law="he")
    return Training(settings, network, photographs, number=number, seed=seed)


def test_halves_by_hand():
    assert half_of(5, 0) == half_of(5, 2) == (slice(0, 3), slice(3, 5))
    assert half_of(5, 1) == (slice(3, 5), slice(0, 3))


def test_networks_of_even_number_hold_out_the_cat(photographs):
    even, odd = (training(photographs, number=n) for n in (0, 1))
    cat = np.rint(255 * photographs.pixels[0])
    np.testing.assert_array_equal(even.held_out[0], cat)
    np.testing.assert_array_equal(odd.training[0], cat)
    np.testing.assert_array_equal(even.held_out, odd.training)
    np.testing.assert_array_equal(even.training, odd.held_out)
    assert odd.config.seed == 1


def test_squares_are_cut_anywhere_and_mirrored():
    # Each pixel knows its picture, its row and its column.
    told = np.stack(np.meshgrid(range(3), range(7), range(7), indexing="ij"), axis=-1)
    config = replace(TrainingConfig(), crop=5, batch=400)
    squares = random_squares(told.astype(np.uint8), config, 0).astype(int)
    kinds = set()
    for square in squares:
        mirrored = square[0, 0, 2] > square[0, 1, 2]
        upright = square[:, ::-1] if mirrored else square
        number, top, left = upright[0, 0]
        np.testing.assert_array_equal(upright, told[number, top : top + 5, left : left + 5])
        kinds.add((number, top, left, mirrored))
    assert len(kinds) == 3 * 3 * 3 * 2
    assert abs(np.mean(squares[:, 0, 0, 2] > squares[:, 0, 1, 2]) - 0.5) < 4 * 0.5 / 20


def test_a_batch_is_a_function_of_seed_and_number(photographs):
    found = training(photographs)
    first = random_squares(found.training, found.config, 1)
    np.testing.assert_array_equal(first, random_squares(found.training, found.config, 1))
    for other in (
        random_squares(found.training, found.config, 2),
        random_squares(found.training, replace(found.config, seed=1), 1),
    ):
        assert np.any(first != other)


def test_rows_from_the_first_step_to_the_last_denser_at_first():
    steps = row_steps(replace(SETTINGS, steps=400))
    assert (steps[0], steps[-1]) == (1, 400)
    assert 15 <= len(steps) <= 20
    assert np.all(np.diff(steps, 2) >= -1)
    assert row_steps(replace(SETTINGS, steps=1)) == [1]


def test_losses_of_a_course_by_hand(photographs):
    found = training(photographs)
    batch = random_squares(found.training, found.config, 0)
    before = np.square(found.trained.reconstruct(batch / 255) - batch / 255).mean()
    first, last = found.run(rows=[1, 3])
    assert first["training_mse"] == pytest.approx(before, rel=1e-5)
    middle = found.held_out[:1, 4:20, 4:20]
    after = np.square(found.trained.reconstruct(middle / 255) - middle / 255).mean()
    assert last["validation_mse"] == pytest.approx(after, rel=1e-5)
    np.testing.assert_allclose(found.errors(middle), after, rtol=1e-5)
    assert last["validation_mse"] != first["validation_mse"]


def test_a_course_is_the_same_again(photographs):
    one, again = (training(photographs, seed=3).run(rows=[3]) for _ in range(2))
    assert one == again
    assert one != training(photographs, seed=4).run(rows=[3])


def test_rates_fall_at_the_presets_shares():
    photographs = Pictures(("a", "b"), np.zeros((2, 24, 24, 3), np.float32))
    small = training(photographs, replace(SETTINGS, steps=200)).config
    assert small.milestones == (120, 170)
    assert (small.learning_rate, small.precision) == (SMALL.learning_rate, "float32")
    paper = find_experiment("convergence").settings["paper"]
    network = plan(replace(paper, channels=1), "vgg16", 1)
    config = Training(replace(paper, crop=16), network, photographs, number=0, seed=0).config
    defaults = TrainingConfig()
    wanted = replace(defaults, network=network, crop=16, precision="float32")
    assert config == wanted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve pictures, each of one grey that is 20 times its number."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        Image.new("RGB", (30, 26), (20 * number,) * 3).save(folder / f"{number:02d}.png")
    return folder


@pytest.mark.parametrize("number", [0, 1])
def test_a_streamed_training_takes_all_but_what_it_holds_out(folder, number):
    pictures, notes = load_pictures(folder, 4, SETTINGS.side, seed=0, streamed=True)
    assert notes == []
    found = training(pictures, number=number)
    batches = np.stack([found[i] for i in range(10)])  # each of the ten twice
    assert batches.shape == (10, SETTINGS.batch, 16, 16, 3)
    values, counts = np.unique(batches[:, :, 0, 0, 0], return_counts=True)
    held_out = found.held_out[:, 0, 0, 0]
    assert set(values) == {20 * n for n in range(12)} - set(held_out)
    assert (counts == 2).all()
    assert set(found.training[:, 0, 0, 0]) <= set(values)
    assert len(set(held_out)) == 2


def test_the_papers_scale_streams_and_its_record_says_what(folder, tmp_path, monkeypatch):
    names = "convergence", "init-std", "init-law", "generalisation", "pictures", "iht"
    assert all(find_experiment(name).settings["paper"].streamed for name in names)
    experiment = find_experiment("init-std")
    settings = replace(experiment.settings["smoke"], streamed=True, steps=2, stds=(0.015,))
    monkeypatch.setitem(experiment.settings, "smoke", settings)
    evaluate("init-std", scale="smoke", images=folder, out=tmp_path)
    told = json.loads((tmp_path / "init-std.json").read_text())["pictures"]
    assert told["folder"].startswith("12 pictures, SHA-256 of names ")
    assert len(told["names"]) == 4
    assert "chelsea" not in told["names"]


def test_too_few_or_too_small_pictures_are_refused(photographs):
    one = Pictures(photographs.names[:1], photographs.pixels[:1])
    with pytest.raises(ValueError, match="must be at least 2, of at least 16 px; received 1 of 24"):
        training(one)
    with pytest.raises(ValueError, match="at least 32 px; received 4 of 24 px"):
        training(photographs, replace(SETTINGS, crop=32))


def test_flops_by_hand():
    cost = readout_training.count_flops(NetworkConfig(layer="conv1", channels=4), 6)
    first, second = 2 * 9 * 3 * 4 * 36, 2 * 9 * 4 * 4 * 36
    assert (cost.cnn, cost.hidden, cost.last) == (first + second, second, first)
    assert cost.unknowns == 4 * 9 + 1
    assert cost.forward == 2 * (first + second)


@pytest.mark.parametrize("layer", ["conv2", "conv5"])
@pytest.mark.parametrize("architecture", ["vgg16", "alexnet"])
def test_flops_are_those_of_the_models_maps(architecture, layer):
    network = NetworkConfig(architecture=architecture, layer=layer, channels=4, padding="zero")
    model = cnn_network(network, seed=0).model
    layers = convolutions(model)
    maps = keras.Model(model.input, [one.output for one in layers])(np.zeros((1, 37, 37, 3)))
    # Every output value takes a filter's products and as many sums.
    wanted = sum(
        2 * np.prod(one.kernel.shape) * np.prod(found.shape[1:3])
        for one, found in zip(layers, maps, strict=True)
    )
    assert readout_training.count_flops(network, 37).cnn == wanted


def test_the_best_affine_map_is_the_least_squares_one():
    rng = np.random.default_rng(0)
    image, output = rng.random((2, 6, 5, 3))
    errors = []
    for x, y in zip(image.reshape(-1, 3).T, output.reshape(-1, 3).T, strict=True):
        design = np.stack([y, np.ones_like(y)], axis=1)
        solution = np.linalg.lstsq(design, x, rcond=None)[0]
        errors.append(np.square(design @ solution - x).mean())
    found = readout_training._affine_error(output, image)
    assert found == pytest.approx(np.mean(errors))
    assert readout_training._affine_error(0.5 - 3 * image, image) == pytest.approx(0, abs=1e-12)


def test_the_random_dcn_is_the_one_that_training_begins_from(photographs):
    found = training(photographs, block=2)
    square = found.middle(found.held_out)
    random, _ = readout_training.untrained_errors(found, found.middle(found.training), square)
    start = readout_training._affine_error(
        found.trained.reconstruct(square / 255)[0], square[0] / 255
    )
    assert random == pytest.approx(start, rel=1e-4)


def test_a_trained_dcn_beats_the_solved_last_layer_on_the_same_features():
    settings = TrainingSettings(
        networks=1, images=4, side=64, crop=24, batch=4, steps=200, measured=2, channels=16
    )
    photographs, _ = load_pictures(None, settings.images, settings.side, seed=0)
    found = training(photographs, settings, seed=1, block=2)
    held_out = found.middle(found.held_out)
    known = np.concatenate([random_squares(found.training, found.config, n) for n in range(16)])
    _, ridge = readout_training.untrained_errors(found, known, held_out)
    (last,) = found.run(rows=[settings.steps])
    assert last["validation_mse"] < 0.75 * ridge
    assert ridge < np.square(held_out / 255 - 0.5).mean()  # not that it had learnt nothing


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    """Files of two tiny CNNs, and of another VGG16."""
    folder, paths = tmp_path_factory.mktemp("encoders"), {}
    for name, architecture, seed in (
        ("vgg16", "vgg16", 1),
        ("alexnet", "alexnet", 1),
        ("other", "vgg16", 2),
    ):
        network = NetworkConfig(architecture, "conv5", channels=4, padding="zero", law="he")
        paths[name] = folder / f"{name}-tiny.npz"
        write_weights(paths[name], network, cnn_network(network, seed=seed).weights)
    return paths


def test_trained_cnns_stand_beside_random_ones(encoders, tmp_path):
    def run(*names, **options):
        files = [encoders[name] for name in names]
        return evaluate("convergence", scale="smoke", out=tmp_path, encoders=files, **options)

    run("vgg16", "alexnet")
    frame = read_rows(tmp_path / "convergence.csv")
    kinds = frame.groupby(["architecture", "encoder"])["weights"].unique().map(list).to_dict()
    assert kinds == {
        (name, kind): ["gaussian 0.015" if kind == "random" else f"{name}-tiny.npz"]
        for name in ("vgg16", "alexnet")
        for kind in ("random", "trained")
    }
    record = json.loads((tmp_path / "convergence.json").read_text())
    assert record["settings"]["trained"] == ["alexnet", "vgg16"]
    assert record["encoders"]["vgg16"] == {
        "name": "vgg16-tiny.npz",
        "sha256": load_weights(encoders["vgg16"]).sha256,
    }
    assert str(tmp_path.parent) not in json.dumps(record)
    assert run("alexnet", "vgg16").kept == 4  # the order of the files plays no part
    with pytest.raises(ValueError, match=r"vgg16-tiny\.npz, not other-tiny\.npz; sha256 \w+, not"):
        run("other", "alexnet")
    with pytest.raises(ValueError, match=r"trained \['alexnet', 'vgg16'\], not \['vgg16'\]"):
        run("vgg16")
    with pytest.raises(ValueError, match=r"trained \['alexnet', 'vgg16'\], not \[\]"):
        run()


def test_encoders_that_do_not_do(encoders, tmp_path):
    for name, files, rule in (
        ("channels", ["vgg16"], "left out: channels uses no trained CNN; received 'vgg16-tiny.npz"),
        ("init-std", ["vgg16"], "left out: init-std uses no trained CNN"),
        ("convergence", ["vgg16", "other"], "at most one file of vgg16; received 'vgg16-tiny.npz'"),
    ):
        files = [encoders[file] for file in files]
        with pytest.raises(ValueError, match=rule):
            evaluate(name, scale="smoke", out=tmp_path / "out", encoders=files)
    with pytest.raises(
        ValueError,
        match=r"imagenet or an existing file; received 'no\.npz'",
    ):
        evaluate("convergence", scale="smoke", out=tmp_path, encoders=[tmp_path / "no.npz"])
    assert not (tmp_path / "out").exists()


def test_a_trained_cnn_travels_to_workers(encoders):
    file = load_weights(encoders["alexnet"])
    again = pickle.loads(pickle.dumps(file))
    assert (again.architecture, again.sha256) == ("alexnet", file.sha256)
    asked = NetworkConfig("alexnet", "conv3", padding="zero")
    ours, theirs = (one.up_to(asked) for one in (file, again))
    assert ours.network == theirs.network
    assert len(ours.weights) == 6
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(one, other)
