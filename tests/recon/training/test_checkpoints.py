"""Checkpoints: what is kept, what is found damaged, and kills at every moment of a save."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recon.training.checkpoints import Checkpoints, Damaged
from rrstyle.durable import locked

ROOT = Path(__file__).parents[3]


def saved(folder, scores):
    checkpoints = Checkpoints(folder)
    checkpoints.prepare()
    for step, score in scores.items():
        checkpoints.save(step, {"a": np.full(5, step)}, {"position": step}, score=score)
    return checkpoints


def spoil(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    checkpoints = Checkpoints(tmp_path / "deep" / "checkpoints")
    checkpoints.prepare()
    rng = np.random.default_rng(0)
    arrays = {"w": rng.normal(size=(3, 3, 2, 4)).astype(np.float32), "n": np.int64(7)}
    checkpoints.save(12, arrays, {"seconds": 1 / 3, "list": [1]}, score=0.1)
    found, notes = checkpoints.latest()
    assert (found.step, found.state, found.score) == (12, {"seconds": 1 / 3, "list": [1]}, 0.1)
    assert notes == []
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


@pytest.mark.parametrize(
    ("scores", "kept", "best"),
    [
        ({1: 3, 2: 2, 3: 1}, [2, 3], 3),
        ({1: 1, 2: 2, 3: 3, 4: 4}, [1, 3, 4], 1),
        ({1: 5, 2: 1, 3: 3, 4: 4, 5: 0.5, 6: 9, 7: 9, 8: 9}, [5, 7, 8], 5),
        ({1: 1, 2: 1, 3: 1, 4: 2, 5: 2}, [3, 4, 5], 3),
    ],
)
def test_the_last_two_and_the_best_are_kept(tmp_path, scores, kept, best):
    checkpoints = saved(tmp_path, scores)
    assert checkpoints.steps() == kept
    assert checkpoints.best().step == best
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"step-{s:08d}" for s in kept]


def test_none_where_there_is_nothing(tmp_path):
    checkpoints = Checkpoints(tmp_path / "nothing")
    assert checkpoints.latest() == (None, [])
    assert checkpoints.best() is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: spoil(path / "arrays.npz"), "its arrays are not those saved"),
        (lambda path: os.truncate(path / "arrays.npz", 100), "its arrays are not those saved"),
        (lambda path: (path / "arrays.npz").unlink(), "it has no arrays"),
        (lambda path: (path / "state.json").unlink(), "its state cannot be read"),
        (lambda path: os.truncate(path / "state.json", 30), "its state cannot be read"),
        (lambda path: (path / "state.json").write_text("[]"), "its state cannot be read"),
    ],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, damage, words):
    checkpoints = saved(tmp_path, {1: 2, 2: 1})
    damage(tmp_path / "step-00000002")
    found, notes = checkpoints.latest()
    assert found.step == 1
    (note,) = notes
    assert note.startswith("step-00000002: checkpoint is damaged, ")
    assert words in note
    assert note.endswith("; the one before is used")
    assert checkpoints.best().step == 1
    checkpoints.save(2, {"a": np.zeros(1)}, {}, score=1)  # taken anew
    assert checkpoints.latest()[0].step == 2


def test_a_changed_number_in_the_state_is_found(tmp_path):
    checkpoints = saved(tmp_path, {1: 2})
    path = tmp_path / "step-00000001" / "state.json"
    content = json.loads(path.read_text())
    content["state"]["position"] = 4
    path.write_text(json.dumps(content))
    with pytest.raises(Damaged, match="its state is not the one saved"):
        checkpoints.read(1)


@pytest.mark.parametrize(
    ("array", "score", "words"),
    [([1, np.nan], 1, "a is not"), ([1, np.inf], 1, "a is not"), ([1], np.nan, "score is not")],
)
def test_nothing_that_is_not_finite_is_saved(tmp_path, array, score, words):
    checkpoints = saved(tmp_path, {1: 1})
    with pytest.raises(ValueError, match=f"arrays and score must be finite; {words}"):
        checkpoints.save(2, {"a": np.array(array)}, {}, score=score)
    assert checkpoints.steps() == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_the_others_and_no_trace(tmp_path, monkeypatch):
    checkpoints = saved(tmp_path, {1: 1})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    words = r"step-00000002: checkpoint cannot be saved \(No space left on device\)"
    with pytest.raises(OSError, match=words) as caught:
        checkpoints.save(2, {"a": np.ones(3)}, {}, score=1)
    assert caught.value.errno == 28
    assert checkpoints.latest()[0].step == 1
    assert len(list(tmp_path.iterdir())) == 1


# Forks a process for each call of the file system that a save makes, and ends it just before.
ALL_KILLS = """
import os, signal, sys
from pathlib import Path
import numpy as np
from recon.training.checkpoints import Checkpoints

folder, names = Path(sys.argv[1]), ("fsync", "rename", "mkdir", "rmdir", "unlink")
killed, number = 0, 1
while True:
    child = os.fork()
    if child == 0:
        calls = 0
        for name in names:
            def counted(*args, original=getattr(os, name), **kwargs):
                global calls
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*args, **kwargs)
            setattr(os, name, counted)
        Checkpoints(folder).save(9, {"a": np.full(5, 9)}, {}, score=9)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    checkpoints = Checkpoints(folder)
    checkpoints.prepare()
    found, notes = checkpoints.latest()
    assert notes == [], notes
    assert (found.arrays["a"] == found.step).all()
    assert checkpoints.best().step == 1
    print(found.step, *checkpoints.steps())
    if not os.WIFSIGNALED(status):
        assert os.WEXITSTATUS(status) == 0
        break
    if found.step == 9:  # as it was before the save
        import shutil
        shutil.rmtree(folder / "step-00000009")
        checkpoints.save(7, {"a": np.full(5, 7)}, {}, score=7)
        checkpoints.save(8, {"a": np.full(5, 8)}, {}, score=8)
    number += 1
"""


def test_a_kill_at_any_call_of_a_save_leaves_whole_checkpoints(tmp_path):
    saved(tmp_path, {1: 1, 7: 7, 8: 8})
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALL_KILLS, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [list(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(lines) > 8
    latest = [line[0] for line in lines]
    assert latest == sorted(latest)  # the old one, and from one moment on the new one
    assert (latest[0], latest[-1]) == (8, 9)
    assert lines[-1] == [9, 1, 8, 9]


def test_what_kills_left_is_removed(tmp_path):
    for name in (".12.tmp", ".34.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "arrays.npz").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("mine")
    Checkpoints(tmp_path).prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_two_cannot_write_one_folder(tmp_path):
    words = "another run is writing it; wait for its end"
    with locked(tmp_path), pytest.raises(BlockingIOError, match=words), locked(tmp_path):
        pass
    with locked(tmp_path):  # it is free again
        pass
