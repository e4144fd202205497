"""Runs of an experiment: what they leave, and that a stopped one is continued."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from recon.report import figures
from recon.sweep import run as sweeps
from recon.sweep import workers
from recon.sweep.rows import RowFile, read_rows
from recon.sweep.run import evaluate
from rrstyle.cores import usable_cores
from rrstyle.pictures.images import encode_png
from rrstyle.progress import Step
from tests.recon.support import tiny_experiment

HERE = "tests.recon.support.tiny_experiment"
ROOT = Path(__file__).parents[3]
ENDINGS = (".csv", ".json", ".png", ".svg", "-pictures.png")


class Stop(Exception):
    pass


def run(out: Path, name: str = "TINY", **options):
    return evaluate(
        f"{HERE}:{name}", out=out, **{"scale": "smoke", "workers": 1, "seed": 0} | options
    )


def stop_after(cells: int):
    def on_step(step: Step) -> None:
        if step.stage.startswith(f"{cells} of 8"):
            raise Stop

    return on_step


def record(out: Path) -> dict:
    return json.loads((out / "tiny.json").read_text())


def contents(out: Path, endings=ENDINGS) -> dict[str, bytes]:
    return {ending: (out / f"tiny{ending}").read_bytes() for ending in endings}


def test_what_a_run_leaves(tmp_path):
    steps = []
    found = run(tmp_path / "new/out", seed=3, on_step=steps.append)
    out = tmp_path / "new/out"
    assert {path.name for path in out.iterdir()} == {f"tiny{ending}" for ending in ENDINGS}
    assert set(found.files) == set(out.iterdir())
    assert (found.cells, found.kept, found.rows, found.notes) == (8, 0, 30, ())
    frame = read_rows(out / "tiny.csv")
    assert list(frame.columns) == ["number", "kind", "image", "score"]
    assert list(frame["number"].unique()) == list(range(8))
    assert frame["score"].isna().sum() == 6
    assert "undefined" in (out / "tiny.csv").read_text()
    written = record(out)
    assert written["experiment"] == "tiny"
    assert written["scale"] == "smoke"
    assert written["seed"] == 3
    assert written["settings"]["side"] == 8
    assert written["pictures"]["names"] == ["chelsea", "astronaut"]
    assert {"keras", "numpy", "scipy", "pandas", "matplotlib"} <= set(written["versions"])
    assert written["device"].startswith("cpu: ")
    assert written["threads"] in ("one", "all")
    assert written["workers"] == 1
    assert written["wall_s"] == pytest.approx(found.wall_s)
    assert (written["cells_done"], written["rows_done"], written["rows"]) == (8, 30, 30)
    assert written["finished"] is True
    assert str(tmp_path) not in (out / "tiny.json").read_text()
    assert [step.fraction for step in steps] == [n / 8 for n in range(9)]
    assert steps[-1].stage == "8 of 8, number 7, kind odd, or not"


def test_a_stopped_run_is_continued_to_the_same_bytes(tmp_path):
    run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "out", on_step=stop_after(3))
    stopped = record(tmp_path / "out")
    assert stopped["finished"] is False
    assert stopped["cells_done"] == 3
    steps = []
    found = run(tmp_path / "out", on_step=steps.append)
    assert found.kept == 3
    assert found.wall_s > stopped["wall_s"] > 0
    assert stopped["processor_s"] > 0
    assert steps[1].fraction == 1 / 5  # of what was missing
    drawn = [ending for ending in ENDINGS if ending != ".json"]
    assert contents(tmp_path / "out", drawn) == contents(tmp_path / "whole", drawn)


def test_a_finished_run_is_only_drawn_anew(tmp_path, monkeypatch):
    run(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "tiny.png").unlink()
    monkeypatch.setattr(workers.Job, "measure", None)  # nothing is measured
    # Nor does it matter where: rows of a larger machine are drawn on any.
    monkeypatch.setattr(workers, "computing", lambda: {"device": "cpu: other", "keras": "0"})
    found = run(tmp_path)
    assert found.kept == found.cells == 8
    assert contents(tmp_path) == before


def test_killed_at_random_and_continued_it_has_the_same_bytes(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.recon.support.killed_runs", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["same"] is True
    assert told["kills"] >= 10
    assert told["torn"] >= 1  # some while a line was written
    assert told["rows"] == 30


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "tiny.json there has seed 0, not 1; "),
        ({"scale": "laptop"}, "scale smoke, not laptop; images 2, not 4; cells 8, not 4; other"),
        ({"images": "folder"}, "has other pictures; choose another folder"),
    ],
)
@pytest.mark.parametrize("finished", [False, True])
def test_another_run_is_not_mixed_with_this(tmp_path, options, words, finished):
    if finished:
        run(tmp_path / "out")
    else:
        with pytest.raises(Stop):
            run(tmp_path / "out", on_step=stop_after(3))
    if "images" in options:
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/a.png").write_bytes(encode_png(np.full((9, 9, 3), 0.5, np.float32)))
        options = {"images": tmp_path / "folder"}
    before = contents(tmp_path / "out", (".csv", ".json"))
    with pytest.raises(ValueError, match=words):
        run(tmp_path / "out", **options)
    assert contents(tmp_path / "out", (".csv", ".json")) == before


def test_another_machine_does_not_continue_a_run(tmp_path, monkeypatch):
    with pytest.raises(Stop):
        run(tmp_path, on_step=stop_after(3))
    ours = dict(workers.computing())
    for key, words in (("device", "device cpu: .*, not cpu: other"), ("keras", "keras .*, not")):
        monkeypatch.setattr(workers, "computing", lambda key=key: ours | {key: "cpu: other"})
        with pytest.raises(ValueError, match=words):
            run(tmp_path)
    monkeypatch.setattr(workers, "computing", lambda: ours)
    monkeypatch.setattr("rrstyle.backend.threads", lambda: "some")
    with pytest.raises(ValueError, match=r"threads (one|all), not some"):
        run(tmp_path)


def test_rows_without_their_record_are_left_alone(tmp_path):
    run(tmp_path)
    (tmp_path / "tiny.json").unlink()
    before = (tmp_path / "tiny.csv").read_bytes()
    with pytest.raises(ValueError, match=r"tiny.json must lie beside the rows"):
        run(tmp_path)
    for broken in ("{", "[1]", ""):
        (tmp_path / "tiny.json").write_text(broken)
        with pytest.raises(ValueError, match=r"tiny.json must be the record of a run"):
            run(tmp_path)
    assert (tmp_path / "tiny.csv").read_bytes() == before


def test_a_record_without_rows_begins_anew(tmp_path):
    run(tmp_path / "a")
    rows = (tmp_path / "a/tiny.csv").read_bytes()
    (tmp_path / "a/tiny.csv").unlink()
    found = run(tmp_path / "a")
    assert found.kept == 0
    assert (tmp_path / "a/tiny.csv").read_bytes() == rows


def test_two_runs_at_once_are_refused(tmp_path):
    with pytest.raises(Stop):
        run(tmp_path, on_step=stop_after(3))
    with RowFile(tmp_path / "tiny.csv"), pytest.raises(BlockingIOError, match="another run"):
        run(tmp_path)
    assert run(tmp_path).kept == 3


def test_fewer_pictures_than_wished_for(tmp_path):
    found = run(tmp_path, scale="laptop")
    assert found.notes[0].startswith("4 built-in photographs instead of 9 pictures")
    assert record(tmp_path)["settings"]["images"] == 4
    assert record(tmp_path)["notes"] == list(found.notes)


def test_bad_arguments(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for options, kind, words in (
        ({"workers": 0}, ValueError, "workers must be an integer of at least 1; received 0"),
        ({"workers": 2, "ray_address": "auto"}, ValueError, "workers must be left out with ray"),
        ({"scale": "paper"}, ValueError, "scale must be one of smoke, laptop; received 'paper'"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0; received -1"),
        ({"images": tmp_path / "none"}, ValueError, "images must be a folder of pictures"),
        ({"name": "NONE"}, ValueError, "cannot be imported"),
    ):
        with pytest.raises(kind, match=words):
            run(tmp_path / "out", **options)
    with pytest.raises(NotADirectoryError, match="out must be a folder; received the file 'file'"):
        run(tmp_path / "file")
    ours = dict(workers.computing()) | {"device": "gpu: Any"}
    monkeypatch.setattr(workers, "computing", lambda: ours)
    for options in ({"workers": 2}, {"workers": None, "ray_address": "auto"}):
        with pytest.raises(ValueError, match=r"workers must be 1, without ray, .* gpu: Any"):
            run(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    assert sweeps._workers(None, None, "gpu: Any", "paper") == 1
    assert sweeps._workers(None, None, "cpu: Any", "laptop") == usable_cores()
    assert sweeps._workers(None, None, "cpu: Any", "smoke") == 1
    assert sweeps._workers(2, None, "cpu: Any", "smoke") == 2


def test_rows_that_an_experiment_gets_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_experiment.Tiny, "measure", lambda *_: [])
    with pytest.raises(ValueError, match="must have 2 rows; received 0"):
        run(tmp_path)


def test_figures_do_not_depend_on_the_users_settings(tmp_path):
    run(tmp_path / "a")
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "svg.hashsalt": None}):
        run(tmp_path / "b")
    drawn = (".png", ".svg", "-pictures.png")
    assert contents(tmp_path / "a", drawn) == contents(tmp_path / "b", drawn)
    assert b"<dc:date>" not in (tmp_path / "a/tiny.svg").read_bytes()


def test_a_figure_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"before")
    frame = run(tmp_path / "run") and read_rows(tmp_path / "run/tiny.csv")
    with figures.style():
        figure = tiny_experiment.TINY.draw(frame)
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match=r"a.png: not written"):
            figures.save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"before"
