"""Rows in a file: how values are written, and what is kept of a file that was cut anywhere."""

import errno
import math

import numpy as np
import pandas as pd
import pytest

from recon.sweep.rows import RowFile, read_rows

COLUMNS = ("network", "head", "score")
CELLS = [{"network": n, "head": "ridge, free" if n else "mean"} for n in range(4)]
COUNTS = [2, 1, 0, 3]


def rows_of(index: int) -> list[dict]:
    return [CELLS[index] | {"score": (index + 1) / (3 + i)} for i in range(COUNTS[index])]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.csv"


def write_rest(path) -> bytes:
    """Continues the file to its end; its bytes."""
    with RowFile(path) as file:
        file.resume(COLUMNS, CELLS, COUNTS)
        for index in range(file.done, len(CELLS)):
            file.append(rows_of(index))
        assert file.done == len(CELLS)
        assert file.rows == sum(COUNTS)
    return path.read_bytes()


def test_rows_are_read_as_written(path):
    data = write_rest(path)
    assert data.decode().splitlines()[:4] == [
        "network,head,score",
        "0,mean,0.3333333",
        "0,mean,0.25",
        '1,"ridge, free",0.6666667',
    ]
    frame = read_rows(path)
    assert list(frame["network"]) == [0, 0, 1, 3, 3, 3]
    np.testing.assert_allclose(
        frame["score"], [row["score"] for i in range(4) for row in rows_of(i)], rtol=5e-7
    )


def test_a_file_cut_anywhere_is_continued_to_the_same_bytes(path):
    whole = write_rest(path)
    ends = [len(whole)]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with RowFile(path) as file:
            file.resume(COLUMNS, CELLS, COUNTS)
            kept = path.read_bytes()
            assert whole.startswith(kept)
            # A file cut within its header has that whole again.
            assert len(kept) <= max(size, whole.index(b"\n") + 1)
            assert kept.count(b"\n") - 1 == file.rows == sum(COUNTS[: file.done])
            ends.append(len(kept))
        assert write_rest(path) == whole
    # Nothing but the header, one cell, two (and the third, which is empty), all.
    assert len(set(ends)) == 4


def test_values(path):
    values = [1, np.int64(-2), 0.1, np.float32(0.1), 1e-30, 123456789.0, math.inf, True, "NA", ""]
    values += [math.nan, np.float32("nan")]
    with RowFile(path) as file:
        file.resume(("n", "v"), [{"n": n} for n in range(len(values))], [1] * len(values))
        for n, value in enumerate(values):
            file.append([{"n": n, "v": value}])
    written = [line.split(",")[1] for line in path.read_text().splitlines()[1:]]
    assert written[:7] == ["1", "-2", "0.1", "0.1", "1e-30", "1.234568e+08", "inf"]
    assert written[7:] == ["True", "NA", "", "undefined", "undefined"]
    read = list(read_rows(path)["v"])
    assert read[8:10] == ["NA", ""]
    assert all(pd.isna(value) for value in read[10:])


def test_a_value_of_several_lines_is_refused(path):
    with RowFile(path) as file:
        file.resume(("n",), [{"n": "a\nb"}], [1])
        with pytest.raises(ValueError, match="must be on one line"):
            file.append([{"n": "a\nb"}])


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        (rows_of(0)[:1], "must have 2 rows; received 1"),
        (rows_of(3)[:2], "must be those of"),
        ([{"network": 0, "head": "mean"}] * 2, "must have the columns"),
    ],
)
def test_rows_that_are_not_the_cells_are_refused(path, rows, rule):
    with RowFile(path) as file:
        file.resume(COLUMNS, CELLS, COUNTS)
        with pytest.raises(ValueError, match=rule):
            file.append(rows)
    assert path.read_text() == "network,head,score\n"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"a,b\n1,2\n", "must have the columns network, head, score"),
        (b"something else", "must have the columns"),
        (b"network,head,score\n0,mean,1\n1,mean,2\n", "must have rows of"),
        (b"network,head,score\n0,mean,1\n0,mean,1,5\n", "must have rows of"),
        (b"network,head,score\n\xff\xfe\n\n", "must have rows of"),
        (None, "must have 6 rows; it has more"),
    ],
)
def test_rows_of_something_else_are_left_alone(path, content, rule):
    content = content or write_rest(path) + b"4,mean,1\n"
    path.write_bytes(content)
    with RowFile(path) as file, pytest.raises(ValueError, match=rule):
        file.resume(COLUMNS, CELLS, COUNTS)
    assert path.read_bytes() == content


def test_two_runs_do_not_write_one_file(path):
    with RowFile(path), pytest.raises(BlockingIOError, match=r"rows.csv: another run is writing"):
        RowFile(path)
    with RowFile(path) as file:  # free again
        assert file.empty


def test_a_full_disk_is_told_and_costs_one_cell(path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with RowFile(path) as file:
        file.resume(COLUMNS, CELLS, COUNTS)
        file.append(rows_of(0))
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", full)
            with pytest.raises(OSError, match=r"rows.csv: rows cannot be written .No space left"):
                file.append(rows_of(1))
        assert file.done == 1
    assert write_rest(path).count(b"\n") == 1 + sum(COUNTS)
