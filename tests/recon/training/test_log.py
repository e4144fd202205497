"""The log of a training: read by others, and cut back to a step."""

import csv

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from recon.training import log as training_log
from recon.training.log import TrainingLog

VALUES = {"loss": 1 / 3, "mse": 0.25, "learning_rate": 1e-4, "images_per_s": 12.345678}


COLUMNS = ("step", "loss", "mse", "learning_rate", "validation_loss", "images_per_s")


def opened(folder, step=0):
    return TrainingLog(folder, step=step, columns=COLUMNS)


def written(folder, steps, *, start=0):
    with opened(folder, start) as log:
        for step in steps:
            log.add(step, VALUES)
        log.sync()


def events(folder):
    """As TensorFlow reads them, without the first one of each file, which names its format."""
    files = sorted(str(path) for path in (folder / "tensorboard").iterdir())
    records = tf.data.TFRecordDataset(files).as_numpy_iterator()
    found = [tf.compat.v1.Event.FromString(record) for record in records]
    return [event for event in found if not event.file_version]


def test_rows_come_back(tmp_path):
    with opened(tmp_path) as log:
        log.add(20, VALUES)
        log.add(40, VALUES | {"validation_loss": 0.5})
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["loss"]) for row in rows] == [1 / 3, 1 / 3]  # to the bit
    assert [row["step"] for row in rows] == ["20", "40"]
    assert [row["validation_loss"] for row in rows] == ["", "0.5"]


def test_events_are_for_tensorboard(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (4, 7, 3), np.uint8)
    with opened(tmp_path) as log:
        log.add(20, VALUES)
        log.add_picture(300, "samples", picture)
    *row, shown = events(tmp_path)
    assert {event.step for event in row} == {20}
    found = {v.tag: tf.make_ndarray(v.tensor).item() for event in row for v in event.summary.value}
    assert found == pytest.approx(VALUES)
    assert shown.step == 300
    (value,) = shown.summary.value
    width, height, png = tf.make_ndarray(value.tensor)
    assert (value.tag, width, height) == ("samples", b"7", b"4")
    np.testing.assert_array_equal(tf.io.decode_png(png), picture)


def test_without_tensorboard_there_is_a_csv_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(training_log.importlib.util, "find_spec", lambda name: None)
    with opened(tmp_path) as log:
        log.add(20, VALUES)
        log.add_picture(20, "samples", np.zeros((4, 7, 3), np.uint8))
        log.sync()
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.parametrize(("step", "kept"), [(0, []), (19, []), (200, [20, 200]), (999, None)])
def test_rows_after_a_step_are_cut_off(tmp_path, step, kept):
    steps = [20, 200, 400, 70_000]
    written(tmp_path, steps)
    kept = [s for s in (steps if kept is None else kept) if s <= max(step, 0)]
    written(tmp_path, [80_000], start=step)
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [*kept, 80_000]


@pytest.mark.parametrize("lost", [1, 5, 30])
def test_what_a_kill_tore_is_cut_off(tmp_path, lost):
    written(tmp_path, [20, 40])
    path = tmp_path / training_log.CSV_NAME
    path.write_bytes(path.read_bytes()[:-lost])
    written(tmp_path, [60], start=50)
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [20, 60]


@pytest.mark.parametrize("text", ["", "step,lo"])
def test_a_torn_header_is_written_anew(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    written(tmp_path, [20])
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [20]


def test_another_file_is_left_as_it_is(tmp_path):
    (tmp_path / "log.csv").write_text("name,age\n")
    with pytest.raises(ValueError, match=r"log.csv must have the columns step, loss"):
        opened(tmp_path)
    assert (tmp_path / "log.csv").read_text() == "name,age\n"
