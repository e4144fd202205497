"""The log of a training: a CSV file, and event files for TensorBoard.

The CSV file is cut back to a checkpoint's step when a run is continued from it, so that no step is
in it twice. Event files are written by `tf.summary` where TensorBoard is installed, one a start of
the run: after a kill, they have the steps since the last checkpoint twice, with the same values.
"""

import csv
import importlib.util
import io
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import takewhile
from pathlib import Path
from typing import Any

import keras
import numpy as np

CSV_NAME, EVENTS_NAME = "log.csv", "tensorboard"


class TrainingLog(AbstractContextManager):
    """The log in a run's folder, to be used in a `with`.

    Rows after `step` are those of a run that was killed, and are dropped. The CSV file's columns
    begin with "step"; ValueError if it has others.
    """

    def __init__(self, folder: Path, *, step: int, columns: tuple[str, ...]) -> None:
        self._columns = columns
        path = folder / CSV_NAME
        if path.exists():
            os.truncate(path, _size_until(path, step, columns))
        # Unbuffered: a buffer would write again, later, what failed.
        self._csv = path.open("ab", buffering=0)
        if self._csv.seek(0, io.SEEK_END) == 0:
            self._csv.write(_line(columns))
        self._events = _event_writer(folder / EVENTS_NAME)

    def __exit__(self, *_: object) -> None:
        self._csv.close()
        if self._events is not None:
            self._events.close()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """A row; columns without a value stay empty. Losses can be read back to the bit."""
        digits = {"learning_rate": 9, "images_per_s": 4}
        text = {
            name: f"{value:.{digits[name]}g}" if name in digits else repr(float(value))
            for name, value in values.items()
        }
        self._csv.write(_line([str(step), *(text.get(name, "") for name in self._columns[1:])]))
        if self._events is not None:
            import tensorflow as tf

            with self._events.as_default(step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)

    def add_picture(self, step: int, name: str, pixels: np.ndarray) -> None:
        """A picture, uint8 (height, width, 3), for TensorBoard only."""
        if self._events is not None:
            import tensorflow as tf

            with self._events.as_default(step):
                tf.summary.image(name, pixels[None])

    def sync(self) -> None:
        """Writes what was added to the disk itself: it then outlasts a loss of power."""
        os.fsync(self._csv.fileno())
        if self._events is not None:
            self._events.flush()


def _event_writer(folder: Path) -> Any:
    """A writer of event files, or None where TensorBoard is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("tensorboard", "tensorflow")):
        return None
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        tf.config.set_visible_devices([], "GPU")  # it would take the memory of those that compute
    return tf.summary.create_file_writer(str(folder))


def _line(values) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().encode()


def _size_until(path: Path, step: int, columns: tuple[str, ...]) -> int:
    """Bytes of the header and the whole rows up to a step."""
    header, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    if header != _line(columns):
        if not _line(columns).startswith(header):
            raise ValueError(f"{path.name} must have the columns {', '.join(columns)}")
        return 0

    def is_kept(line: bytes) -> bool:
        first = line.split(b",", 1)[0]
        return line.endswith(b"\n") and first.isdigit() and int(first) <= step

    return len(header) + sum(map(len, takewhile(is_kept, lines)))
