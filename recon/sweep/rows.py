"""Rows of an experiment as CSV: added cell by cell, and continued after a kill at any moment."""

import csv
import io
import math
import numbers
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pandas as pd

from recon.experiments.experiment import Cell, Row

try:
    import fcntl
except ImportError:  # Windows: two runs into one folder are not kept apart there
    fcntl = None  # type: ignore[assignment]

csv.field_size_limit(2**24)  # characters: a value can be a picture
UNDEFINED = "undefined"  # in place of a number, such as the correlation with a constant picture


def read_rows(path: Path) -> pd.DataFrame:
    """All rows of a file that `RowFile` wrote; what is undefined becomes NaN."""
    return pd.read_csv(path, na_values=[UNDEFINED], keep_default_na=False)


class RowFile(AbstractContextManager):
    """The CSV file of a run, to be used in a `with`; no other run can open it meanwhile.

    It is made if it is not there; OSError if it is in use, or cannot be read and written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done = 0  # cells that are in the file, after `resume`
        self._columns: tuple[str, ...] = ()
        self._cells: Sequence[Cell] = ()
        self._counts: Sequence[int] = ()
        # Unbuffered: a buffer would write again, later, what failed.
        self._file = path.open("a+b", buffering=0)
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return self._file.seek(0, io.SEEK_END) == 0

    @property
    def rows(self) -> int:
        """Rows that are in the file."""
        return sum(self._counts[: self.done])

    def resume(self, columns: Sequence[str], cells: Sequence[Cell], counts: Sequence[int]) -> None:
        """Keeps the whole cells that a stopped run left; cuts off the rest, to be computed again.

        Columns and cells are in order, the columns of cells first; each cell has its count of rows.

        Raises:
            ValueError: If the file holds other rows; it is left as it is.
        """
        self._columns, self._cells, self._counts = tuple(columns), cells, counts
        self._file.seek(0)
        data = self._file.read()
        header = _line(columns).encode()
        if not data.startswith(header):
            if not header.startswith(data):
                raise ValueError(
                    f"{self.path.name} must have the columns {', '.join(columns)};"
                    " it is of something else; choose another folder"
                )
            self._file.truncate(0)
            self._write(header.decode())
            return
        lines = data[len(header) :].splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            lines.pop()
        done, start = 0, 0
        for cell, count in zip(cells, counts, strict=True):
            chunk = lines[start : start + count]
            if len(chunk) < count:
                break
            self._check(cell, chunk)
            done, start = done + 1, start + count
        size = len(header) + sum(map(len, lines[:start]))
        if done == len(cells) and size < len(data):
            raise ValueError(
                f"{self.path.name} must have {sum(counts)} rows; it has more; choose another folder"
            )
        self._file.truncate(size)
        self.done = done

    def append(self, rows: Sequence[Row]) -> None:
        """Adds the rows of the next cell.

        Raises:
            ValueError: If they are not that cell's.
        """
        cell, count = self._cells[self.done], self._counts[self.done]
        if len(rows) != count:
            raise ValueError(f"{cell} must have {count} rows; received {len(rows)}")
        for row in rows:
            if set(row) != set(self._columns):
                raise ValueError(f"rows must have the columns {self._columns}; received {row}")
            if any(row[key] != value for key, value in cell.items()):
                raise ValueError(f"rows must be those of {cell}; received {row}")
        self._write("".join(_line([row[name] for name in self._columns]) for row in rows))
        self.done += 1

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a kill lets go of it
        except BlockingIOError as error:
            raise BlockingIOError(
                f"{self.path.name}: another run is writing it; wait for its end, or choose another"
                " folder"
            ) from error
        except OSError:
            pass  # a file system without locks

    def _check(self, cell: Cell, lines: Sequence[bytes]) -> None:
        expected = [_text(value) for value in cell.values()]
        for row in csv.reader(line.decode(errors="replace") for line in lines):
            if row[: len(expected)] != expected or len(row) != len(self._columns):
                raise ValueError(
                    f"{self.path.name} must have rows of {cell} where it has {','.join(row)!r};"
                    " choose another folder"
                )

    def _write(self, text: str) -> None:
        data = memoryview(text.encode())
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise type(error)(
                error.errno, f"{self.path.name}: rows cannot be written ({error.strerror})"
            ) from error


def _line(values: Sequence[Any]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([_text(value) for value in values])
    return stream.getvalue()


def _text(value: Any) -> str:
    """A value as it stands in the file: seven digits of a float, which float32 has."""
    if isinstance(value, numbers.Integral):  # bools too: pandas reads True and False
        return str(value)
    if isinstance(value, numbers.Real):
        return UNDEFINED if math.isnan(value) else f"{float(value):.7g}"
    text = str(value)
    if "\n" in text or "\r" in text:
        raise ValueError(f"a value must be on one line; received {text!r}")
    return text
