"""Commands that are killed, ended, run twice at once, or find the disk full."""

import random
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from rrstyle.pictures.images import encode_png
from tests.support.command import started

STYLIZE = (
    *("stylize", "a.png", "--style", "waves", "--side", "64", "--method", "transport"),
    *("--variants", "4", "-o"),
)
EVALUATE = ("evaluate", "tests.recon.support.tiny_experiment:TINY", "--scale", "smoke")
TRAIN = (
    *("train", "--images", "in", "--out", "run", "--validation", "0", "--tap", "conv1"),
    *("--channels", "4", "--crop", "12", "--batch", "4", "--checkpoint-every", "1", "--steps"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a photograph and 16 more in a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rrstyle.backend.one_thread", lambda: False)
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for name in ("a.png", *(f"in/{number}.png" for number in range(16))):
        (tmp_path / name).write_bytes(encode_png(rng.random((48, 64, 3), np.float32)))
    return tmp_path


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_killed_at_random_and_continued_it_makes_the_same_pictures():
    assert cli.main([*STYLIZE, "whole"]) == 0
    whole, moments = contents("whole"), random.Random(5)
    for made in (1, 2):
        with started(*STYLIZE, "out") as process:
            while not process.stdout.readline().startswith(f"{made}/4"):
                assert process.poll() is None
            time.sleep(moments.uniform(0, 0.05))
        there = contents("out")
        # A picture is whole; what a kill leaves of one is hidden.
        assert {name for name in there if not name.startswith(".")} <= whole.keys()
        assert all(there[name] == whole[name] for name in there.keys() & whole.keys())
        assert there.keys() & whole.keys()
    cli.main([*STYLIZE, "out"])
    assert {name: data for name, data in contents("out").items() if name[0] != "."} == whole


def test_two_that_write_one_folder_make_whole_pictures():
    assert cli.main([*STYLIZE, "whole"]) == 0
    with started(*STYLIZE, "out") as one, started(*STYLIZE, "out") as other:
        said = [process.communicate() for process in (one, other)]
    assert contents("out") == contents("whole")
    # A picture that the other made meanwhile is told; without one there is nothing to tell.
    for process, text in zip((one, other), said, strict=True):
        assert process.returncode == ("the file exists" in text), text
        assert "Traceback" not in text


@pytest.mark.parametrize("words", [(*TRAIN, "100000"), (*EVALUATE[:1], f"{EVALUATE[1][:-4]}SLOW")])
def test_sigterm_ends_it_in_a_line_or_none(words, folder):
    evaluates = words[0] == "evaluate"
    more = ("--scale", "smoke", "--workers", "2", "--out", "run") if evaluates else ()
    with started(*words, *more) as process:
        deadline = time.monotonic() + 90
        made = Path("run/tiny.csv" if evaluates else "run/checkpoints")
        while not made.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)  # the end of all who hold the pipe
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "Traceback" not in said


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ((*STYLIZE, "run"), set()),
        ((*TRAIN, "2"), {"pictures.json", "run.json", "log.csv", "events"}),
        ((*EVALUATE, "--workers", "1", "--out", "run"), {"tiny.csv", "tiny.json"}),
        (("reconstruct", "a.png", "-o", "run/out.png", "--side", "48"), set()),
        (("examples", "-o", "run", "--side", "64"), set()),
        (("export", "run/model", "--channels", "4"), set()),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_full_disk_is_a_line_and_leaves_no_half_file(words, whole, capsys):
    if words[0] != "train":
        Path("run").mkdir()
    with full_disk(2500):
        assert cli.main(words) == 1
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("rrstyle: ")]
    assert "File too large" in line
    left = {path.name for path in Path("run").rglob("*") if path.is_file()} - {".lock"}
    assert {name if name in whole else name.split(".")[0] for name in left} <= whole
    if words[0] in ("train", "evaluate"):  # it goes on where it was, with room
        more = ("--resume",) if words[0] == "train" else ()
        assert cli.main([*words, *more]) == 0
