"""Cells in other processes: in order, to the bit, and ended with their parent."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from recon.data.pictures import load_pictures
from recon.experiments import EXPERIMENTS, find_experiment
from recon.sweep import workers as pools
from tests.recon.support.tiny_experiment import LATE_FIRST, TINY, LightJob

HERE = "tests.recon.support.tiny_experiment"
ROOT = Path(__file__).parents[3]


def light_job(name: str) -> tuple[LightJob, list]:
    found = find_experiment(f"{HERE}:{name}")
    settings = found.settings["smoke"]
    pictures, _ = load_pictures(None, settings.images, settings.side, seed=0)
    return LightJob(f"{HERE}:{name}", settings, pictures, 0, {}), found.cells(settings)


def serial(job, cells) -> list:
    return list(pools.in_this_process(job, cells))


def test_rows_come_in_the_order_of_the_cells():
    job, cells = light_job("LATE_FIRST")
    assert LATE_FIRST.settings["smoke"].pause > 0
    found = list(pools.in_processes(job, cells, 2))
    assert str(found) == str(serial(job, cells))  # as text: NaN is not equal to itself


def test_more_workers_than_cells():
    job, cells = light_job("TINY")
    assert str(list(pools.in_processes(job, cells[:1], 5))) == str(serial(job, cells[:1]))
    assert list(pools.in_processes(job, [], 2)) == []


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("REFUSING", ValueError, "^cells must not be the fourth$"),
        ("STUMBLING", RuntimeError, "KeyError: 'a bug'"),
        (
            "DYING",
            ChildProcessError,
            "worker . of 2 at number 3, kind odd, or not was ended by SIGKILL, as happens where"
            " memory is short; the run can be continued",
        ),
    ],
)
def test_what_goes_wrong_in_a_worker_is_told(name, kind, words):
    job, cells = light_job(name)
    found = []
    with pytest.raises(kind, match=words) as caught:
        found.extend(pools.in_processes(job, cells, 2))
    assert len(found) <= 3
    if name == "STUMBLING":
        assert "_stumble" in caught.value.__notes__[0]  # the line that is to blame


def test_closing_ends_the_workers_at_once():
    job, cells = light_job("SLOW")
    start = time.monotonic()
    with closing(pools.in_processes(job, [cells[1], *cells], 2)) as results:
        next(results)  # the next one takes a minute
    assert time.monotonic() - start < 30


def children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_workers_of_a_killed_process_end():
    code = (
        "from tests.recon.sweep.test_workers import light_job, pools\n"
        "if __name__ == '__main__':\n"
        "    job, cells = light_job('SLOW')\n"
        "    results = pools.in_processes(job, [cells[1], cells[0], cells[0]], 2)\n"
        "    next(results); print('ready', flush=True); next(results)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        workers = children(process.pid)
        assert len(workers) >= 2
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(Path(f"/proc/{n}").exists() for n in workers):
        time.sleep(0.05)
    assert not [n for n in workers if Path(f"/proc/{n}").exists()]


def spread(how: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.recon.support.spread_runs", how, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for name in ("tiny.csv", "tiny.png", "tiny.svg"):
        alone, found = ((folder / run / name).read_bytes() for run in ("alone", "spread"))
        assert alone == found
    assert (folder / "spread/tiny.csv").read_text().count("\n") == 31


def test_two_processes_compute_the_same_bytes_as_one(tmp_path):
    spread("processes", tmp_path)


def test_ray_computes_the_same_bytes_as_one_process(tmp_path):
    pytest.importorskip("ray")
    spread("ray", tmp_path)


def test_ray_that_is_missing_or_not_there(monkeypatch):
    job, cells = light_job("TINY")
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "ray", None)
        with pytest.raises(ValueError, match=r"ray needs an extra: pip install 'rrstyle\[ray\]'"):
            next(pools.on_ray(job, cells, "auto"))
    pytest.importorskip("ray")
    with pytest.raises(ValueError, match=r"ray must be .*; received '127.0.0.1:9'"):
        next(pools.on_ray(job, cells, "127.0.0.1:9"))


def test_a_worker_that_computes_otherwise_is_refused(monkeypatch):
    job, _ = light_job("TINY")
    ours = dict(pools.computing())
    monkeypatch.setattr("rrstyle.backend.threads", lambda: "one")
    pools.Job(job.experiment, job.settings, job.pictures, 0, ours).prepare()
    for key in ("device", "numpy", "keras"):
        other = pools.Job(job.experiment, job.settings, job.pictures, 0, ours | {key: "other"})
        with pytest.raises(ValueError, match=f"{key} must be the same for all workers.*other"):
            other.prepare()
    monkeypatch.setattr("rrstyle.backend.threads", lambda: "all")
    monkeypatch.setattr("rrstyle.backend.one_thread", lambda: False)
    with pytest.raises(ValueError, match="must compute on one thread"):
        pools.Job(job.experiment, job.settings, job.pictures, 0, ours).prepare()


def test_what_computes_is_named():
    found = pools.computing()
    assert found["device"].startswith("cpu: ")
    assert {"backend", "tensorflow", "keras", "numpy", "scipy"} <= set(found)
    assert "python" not in found


def test_experiments_by_name():
    for name in EXPERIMENTS:
        assert find_experiment(name).name == name
    assert find_experiment(f"{HERE}:TINY") is TINY
    for name, words in (
        ("chanels", "did you mean 'channels'"),
        ("", "experiment must be one of"),
        (":TINY", "experiment must be one of"),
        ("no.such.module:TINY", "cannot be imported"),
        (f"{HERE}:NONE", "cannot be imported"),
    ):
        with pytest.raises(ValueError, match=words):
            find_experiment(name)


def test_sigterm_waits_until_a_process_has_started():
    told = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        with pools._signals_held():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)  # ignored
            assert told == []
        assert told == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
