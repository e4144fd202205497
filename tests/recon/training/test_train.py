"""Whole trainings of a tiny pair: what they learn, write and refuse."""

import csv
import gc
import json
import threading
import tracemalloc

import numpy as np
import pytest

from recon.training.callbacks import AfterStep, NotFinite
from recon.training.config import TrainingConfig
from recon.training.log import CSV_NAME
from recon.training.model import build_networks
from recon.training.record import read_config
from recon.training.run import checkpoints_of, load_run
from recon.training.train import train
from rrstyle.durable import locked
from rrstyle.pictures.images import read_image
from tests.recon.support.training import (
    Pictures,
    Stop,
    pictures,
    state_arrays,
    stop_at,
    tiny_config,
    train_tiny,
)


def rows(out):
    with (out / CSV_NAME).open() as file:
        return list(csv.DictReader(file))


def check_same(ours, theirs):
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of 12 steps, and what it reported."""
    out, reports = tmp_path_factory.mktemp("whole") / "run", []
    outcome = train_tiny(out, on_step=reports.append)
    return out, outcome, reports


def test_a_run_writes_what_it_promises(whole):
    out, outcome, _ = whole
    assert (outcome.started_at, outcome.step, outcome.notes) == (0, 12, ())
    assert checkpoints_of(out).steps()[-2:] == [9, 12]
    assert sorted(p.name for p in (out / "samples").iterdir()) == [
        "step-00000006.png",
        "step-00000012.png",
    ]
    sheet = read_image(out / "samples" / "step-00000012.png").pixels
    assert sheet.shape[0] > 2 * 12
    assert read_config(TrainingConfig, out) == tiny_config()
    (events,) = (out / "tensorboard").iterdir()
    assert events.stat().st_size > 500


def test_the_log_has_a_row_at_each_turn_and_each_checkpoint(whole):
    out, outcome, _ = whole
    found = rows(out)
    assert [int(row["step"]) for row in found] == [2, 3, 4, 6, 8, 9, 10, 12]
    assert [float(row["learning_rate"]) for row in found] == pytest.approx([1e-3] * 5 + [1e-4] * 3)
    with_validation = [int(row["step"]) for row in found if row["validation_loss"]]
    assert with_validation == [3, 6, 9, 12]
    assert float(found[-1]["validation_loss"]) == outcome.score
    for row in found:
        assert float(row["mse"]) == pytest.approx(2 * float(row["loss"]) / (3 * 12**2))


def test_reports_lead_to_the_end(whole):
    _, _, reports = whole
    assert [r.step for r in reports] == sorted({r.step for r in reports})
    last = reports[-1]
    assert (last.step, last.steps, last.fraction, last.seconds_left) == (12, 12, 1, 0)
    assert all(r.images_per_s > 0 and r.loss > 0 for r in reports)


def test_the_validation_loss_is_that_of_the_loaded_pair(whole):
    out, outcome, _ = whole
    pair = load_run(out)
    assert pair.about["step"] == 12
    images = pictures(6, 12, seed=1001) / 255
    back = pair.reconstruct(images)
    loss = np.square(back - images).sum(axis=(1, 2, 3)).mean() / 2
    assert loss == pytest.approx(outcome.score, rel=1e-5)
    assert pair.reconstruct(np.zeros((1, 9, 17, 3))).shape == (1, 9, 17, 3)
    weights = load_run(out, best=True).dcn.get_weights()
    for i, weight in enumerate(weights):
        found = checkpoints_of(out).best().arrays[f"weight_{i:02d}"]
        np.testing.assert_allclose(255 * weight if i % 2 else weight, found, rtol=1e-6)


def test_the_loss_falls_and_the_cnn_stays(tmp_path):
    changes = {"steps": 150, "learning_rate": 1e-2, "milestones": [100], "log_every": 10}
    config = tiny_config(**changes, checkpoint_every=150, sample_every=150)
    train(config, Pictures(config), tmp_path / "run")
    losses = [float(row["loss"]) for row in rows(tmp_path / "run")]
    assert losses[-1] < losses[0] / 2
    pair = load_run(tmp_path / "run")
    start = build_networks(config).cnn.get_weights()
    check_same(dict(enumerate(pair.encoder.weights)), dict(enumerate(start)))


@pytest.mark.parametrize("step", [2, 6, 7])
def test_a_stopped_run_goes_on_to_the_same_bits(whole, tmp_path, step):
    out = tmp_path / "run"
    with pytest.raises(Stop):
        train_tiny(out, on_step=stop_at(step))
    assert checkpoints_of(out).steps()[-1] >= step  # a stop saves what there is
    outcome = train_tiny(out, resume=True)
    assert outcome.started_at >= step
    check_same(state_arrays(out), state_arrays(whole[0]))


def test_a_finished_run_is_left_as_it_is_and_can_be_made_longer(whole, tmp_path):
    out = tmp_path / "run"
    train_tiny(out, changes={"steps": 7})
    before = (out / CSV_NAME).read_bytes()
    assert train_tiny(out, resume=True, changes={"steps": 7}).started_at == 7
    assert (out / CSV_NAME).read_bytes() == before
    train_tiny(out, resume=True)
    check_same(state_arrays(out), state_arrays(whole[0]))
    assert read_config(TrainingConfig, out).steps == 12
    with pytest.raises(ValueError, match="steps must be at least the 12 that the run has done"):
        train_tiny(out, resume=True, changes={"steps": 11})


class Hoarding(Pictures):
    """A source that lets go of nothing."""

    def __init__(self, config):
        super().__init__(config)
        self.kept = []

    def __getitem__(self, number):
        self.kept.append(super().__getitem__(number))
        return self.kept[-1]


@pytest.mark.parametrize(("kind", "flat"), [(Pictures, True), (Hoarding, False)])
def test_memory_stays_flat(tmp_path, kind, flat):
    steps = {"steps": 160, "checkpoint_every": 40, "sample_every": 40, "log_every": 10}
    config = tiny_config(**steps)
    held = {}

    def look(report):
        if report.step in (40, 160):
            gc.collect()
            held[report.step] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        train(config, kind(config), tmp_path / "run", on_step=look)
    finally:
        tracemalloc.stop()
    # NumPy's arrays and Python's objects: Python's free lists grow by up to 300 bytes a step, where
    # a batch has 1728.
    grown = held[160] - held[40]
    assert (grown < 120 * 500) == flat, grown


def test_only_the_missing_batches_are_asked_for(tmp_path):
    config = tiny_config(steps=4)
    source = Pictures(config)
    train(config, source, tmp_path / "run")
    assert set(source.asked) == {0, 1, 2, 3}
    source.asked.clear()
    train(tiny_config(steps=6), source, tmp_path / "run", resume=True)
    assert set(source.asked) == {4, 5}


def test_a_damaged_checkpoint_is_told_and_replaced(whole, tmp_path):
    out = tmp_path / "run"
    train_tiny(out)
    (out / "checkpoints" / "step-00000012" / "arrays.npz").write_bytes(b"")
    outcome = train_tiny(out, resume=True)
    assert outcome.started_at == 9
    (note,) = outcome.notes
    assert note.startswith("step-00000012: checkpoint is damaged")
    check_same(state_arrays(out), state_arrays(whole[0]))
    assert [int(row["step"]) for row in rows(out)] == [2, 3, 4, 6, 8, 9, 10, 12]


def at_step(monkeypatch, step, change):
    """Changes the weights after a step, before anything looks at them."""
    own = AfterStep.check

    def after(self, number, loss):
        own(self, number, loss)
        if number == step:
            for variable in self.model.trainable_variables:
                variable.assign(change(variable))

    monkeypatch.setattr(AfterStep, "check", after)


def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_checkpoint(tmp_path, monkeypatch):
    out = tmp_path / "run"
    words = (
        "loss is (inf|nan) at step 9; the last good checkpoint is that of step 6;"
        " start a new run with a lower learning_rate"
    )
    with monkeypatch.context() as patch:
        at_step(patch, 8, lambda weight: weight * 1e30)
        with pytest.raises(NotFinite, match=words):
            train_tiny(out)
    assert checkpoints_of(out).steps()[-1] == 6
    assert load_run(out).about["step"] == 6
    at_step(monkeypatch, 9, lambda weight: weight * np.nan)
    with pytest.raises(NotFinite, match="weight_00 is not finite after step 9; the last good"):
        train_tiny(out, resume=True)
    assert checkpoints_of(out).steps()[-1] == 6


def test_a_loss_that_rose_is_told(tmp_path, monkeypatch):
    at_step(monkeypatch, 11, lambda weight: weight + 1)
    outcome = train_tiny(tmp_path / "run")
    (note,) = outcome.notes
    best = checkpoints_of(tmp_path / "run").best()
    assert best.step == 9
    assert note.startswith(f"the loss at the end is {outcome.score / best.score:.3g} times that of")
    assert note.endswith("step 9; a new run with a lower learning_rate should be steadier")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 2e-3}, "learning_rate must be that of the run to continue, 0.001; rec"),
        ({"network": {"layer": "conv1"}}, "network.layer must be that of the run .* 'conv2_1'; re"),
        ({"seed": 1}, "seed must be that of the run to continue, 0; received 1"),
    ],
)
def test_another_run_is_not_continued(whole, changes, words):
    with pytest.raises(ValueError, match=words):
        train_tiny(whole[0], resume=True, changes=changes)


def test_a_run_of_version_0_1_0_is_read_and_continued(whole, tmp_path):
    out = tmp_path / "run"
    train_tiny(out, changes={"steps": 9})
    path = out / "run.json"
    record = json.loads(path.read_text())
    record["config"]["encoder"] = record["config"].pop("weights")  # its name in 0.1.0
    path.write_text(json.dumps(record))
    # Its checkpoints had biases from 0 to 1, the gradients that belong to them, and no counter.
    checkpoints = checkpoints_of(out)
    old, arrays = {}, checkpoints.latest()[0].arrays
    for i in range(6):
        scale = 255 if i % 2 else 255**2
        old[f"decoder_{i:02d}"] = arrays[f"weight_{i:02d}"] / np.float32(255 if i % 2 else 1)
        old[f"adam_mean_{i:02d}"] = arrays[f"optimizer_{2 * i + 1:02d}"] / np.float32(scale)
        old[f"adam_square_{i:02d}"] = arrays[f"optimizer_{2 * i + 2:02d}"] / np.float32(scale) ** 2
    ours = load_run(out).dcn.get_weights()
    state = checkpoints.latest()[0].state
    checkpoints.save(9, old, state, score=1.0)
    assert read_config(TrainingConfig, out).weights == "random"
    for one, other in zip(ours, load_run(out).dcn.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert train_tiny(out, resume=True).step == 12
    ours, theirs = state_arrays(out), state_arrays(whole[0])
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-3, atol=1e-6)


def test_a_run_on_other_data_is_not_continued(tmp_path):
    config = tiny_config(steps=1)
    source, out = Pictures(config), tmp_path / "run"
    train(config, source, out, data={"sha256": "abc"})
    with pytest.raises(ValueError, match=r"data.sha256 must be that of the run .* 'abc'; received"):
        train(config, source, out, data={"sha256": "def"}, resume=True)
    record = json.loads((out / "run.json").read_text())
    record["computing"]["numpy"] = "1.0"
    (out / "run.json").write_text(json.dumps(record))
    outcome = train(config, source, out, data={"sha256": "abc"}, resume=True)
    (note,) = outcome.notes
    assert note.startswith("numpy was 1.0 and is ")


def test_a_folder_in_use_is_refused(whole, tmp_path):
    with pytest.raises(ValueError, match="'run' holds a run: continue it with resume, or choose"):
        train_tiny(whole[0])
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(ValueError, match="out must be a new or an empty folder; 'letters' holds"):
        train_tiny(tmp_path / "letters")
    with pytest.raises(NotADirectoryError, match=r"out must be a folder; received file 'a\.txt'"):
        train_tiny(tmp_path / "letters" / "a.txt")
    with locked(whole[0]), pytest.raises(BlockingIOError, match="another run is writing it"):
        train_tiny(whole[0], resume=True)


def test_trained_weights_are_kept_in_the_run(tmp_path):
    config, out = tiny_config(weights="file.h5", steps=2), tmp_path / "run"
    weights = [w + np.float32(0.01) for w in build_networks(tiny_config()).cnn.get_weights()]
    train(config, Pictures(config), out, encoder_weights=weights)
    check_same(dict(enumerate(load_run(out).encoder.weights)), dict(enumerate(weights)))
    other = [w + np.float32(0.01) for w in weights]
    with pytest.raises(ValueError, match="encoder_sha256 must be that of the run to continue"):
        train(config, Pictures(config), out, encoder_weights=other, resume=True)


class Few(Pictures):
    def __getitem__(self, number):
        if number == 3:
            raise OSError("there are no more pictures")
        return super().__getitem__(number)


class Wrong(Pictures):
    def __getitem__(self, number):
        return pictures(4, 13, seed=0)


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (Few, OSError, "^there are no more pictures$"),
        (
            Wrong,
            ValueError,
            r"^source must give uint8 images \(4, 12, 12, 3\); received",
        ),
    ],
)
def test_a_source_that_fails_ends_the_run_with_its_own_error(tmp_path, kind, error, words):
    before = set(threading.enumerate())
    with pytest.raises(error, match=words):
        train(tiny_config(), kind(tiny_config()), tmp_path / "run")
    assert not [t for t in set(threading.enumerate()) - before if t.name.startswith("Thread")]


def test_samples_of_another_size_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"samples must give uint8 images \(2, 12, 12, 3\)"):
        train(
            tiny_config(),
            Pictures(tiny_config()),
            tmp_path / "run",
            samples=pictures(2, 11, seed=0),
        )
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"folder must be one of a training run; .* no run.json"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ValueError, match="is damaged"):
        load_run(tmp_path)
