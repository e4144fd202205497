"""The log of a training: read by others, and cut back to a step."""

import csv

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from recon.training import log as training_log
from recon.training.log import COLUMNS, TrainingLog
from rrstyle.pictures.images import encode_png

VALUES = {"loss": 1 / 3, "mse": 0.25, "learning_rate": 1e-4, "images_per_s": 12.345678}


def written(folder, steps, *, start=0):
    with TrainingLog(folder, step=start) as log:
        for step in steps:
            log.add(step, VALUES)
        log.sync()


def events(folder):
    """As TensorFlow, which checks their sums, reads them."""
    files = [str(path) for path in folder.glob("*tfevents*")]
    records = tf.data.TFRecordDataset(files).as_numpy_iterator()
    return [tf.compat.v1.Event.FromString(record) for record in records]


def test_rows_come_back(tmp_path):
    with TrainingLog(tmp_path, step=0) as log:
        log.add(20, VALUES)
        log.add(40, VALUES | {"validation_loss": 0.5})
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["loss"]) for row in rows] == [1 / 3, 1 / 3]  # to the bit
    assert [row["step"] for row in rows] == ["20", "40"]
    assert [row["validation_loss"] for row in rows] == ["", "0.5"]


def test_events_are_read_by_tensorflow(tmp_path):
    with TrainingLog(tmp_path, step=0) as log:
        log.add(20, VALUES)
        log.add_picture(300, "samples", encode_png(np.zeros((4, 7, 3), np.float32)))
    first, row, picture = events(tmp_path)
    assert first.file_version == "brain.Event:2"
    assert row.step == 20
    assert row.wall_time > 1.7e9
    found = {value.tag: value.simple_value for value in row.summary.value}
    assert found == pytest.approx(VALUES)
    assert picture.step == 300
    (value,) = picture.summary.value
    assert (value.tag, value.image.height, value.image.width) == ("samples", 4, 7)
    assert tf.io.decode_png(value.image.encoded_image_string).shape == (4, 7, 3)


@pytest.mark.parametrize(("step", "kept"), [(0, []), (19, []), (200, [20, 200]), (999, None)])
def test_rows_after_a_step_are_cut_off(tmp_path, step, kept):
    steps = [20, 200, 400, 70_000]
    written(tmp_path, steps)
    kept = [s for s in (steps if kept is None else kept) if s <= max(step, 0)]
    written(tmp_path, [80_000], start=step)
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [*kept, 80_000]
    assert [event.step for event in events(tmp_path)] == [0, *kept, 80_000]


@pytest.mark.parametrize("lost", [1, 5, 30])
def test_what_a_kill_tore_is_cut_off(tmp_path, lost):
    written(tmp_path, [20, 40])
    for name in (training_log.CSV_NAME, training_log.EVENTS_NAME):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-lost])
    written(tmp_path, [60], start=50)
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [20, 60]
    assert [event.step for event in events(tmp_path)] == [0, 20, 60]


@pytest.mark.parametrize("text", ["", "step,lo"])
def test_a_torn_header_is_written_anew(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    written(tmp_path, [20])
    assert pd.read_csv(tmp_path / "log.csv")["step"].tolist() == [20]


def test_another_file_is_left_as_it_is(tmp_path):
    (tmp_path / "log.csv").write_text("name,age\n")
    with pytest.raises(ValueError, match=r"log.csv must have the columns step, loss"):
        TrainingLog(tmp_path, step=0)
    assert (tmp_path / "log.csv").read_text() == "name,age\n"
