"""`rrstyle evaluate`, in this process, and stopped by Ctrl-C in one of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from apps import cli
from apps.options.commands import Evaluate
from recon.experiments import EXPERIMENTS
from recon.experiments.experiment import Scale
from rrstyle.pictures.images import encode_png
from tests.support.command import started

ROOT = Path(__file__).parents[3]
TINY = "tests.recon.support.tiny_experiment:TINY"
HEAVY = {"keras", "tensorflow", "jax", "pandas", "matplotlib", "ray", "scipy"}
SMOKE = ("--scale", "smoke", "--workers", "1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # It would hold for the tests that come after.
    monkeypatch.setattr("rrstyle.backend.one_thread", lambda: False)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(["evaluate", *words])


def only_error(capsys) -> str:
    """The one line on stderr."""
    err = capsys.readouterr().err
    assert err.startswith("rrstyle: ")
    assert err.count("\n") == 1
    return err


def test_a_run_and_the_same_again(folder, capsys):
    assert run(TINY, *SMOKE) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "30 rows",
        "measured in 0:00",
        "written to runs/smoke: tiny.csv, tiny.json, tiny.png, tiny.svg, tiny-pictures.png",
    ]
    lines = err.splitlines()  # no terminal: a line for each tenth
    assert lines[0].startswith(f"1/10 {TINY}, 1 of 8, number 0, kind even")
    assert lines[-1].startswith(f"10/10 {TINY}, 8 of 8")
    rows = (folder / "runs/smoke/tiny.csv").read_bytes()
    assert run(TINY, *SMOKE) == 0
    assert capsys.readouterr().out.startswith("30 rows were there; figures drawn anew\n")
    assert (folder / "runs/smoke/tiny.csv").read_bytes() == rows
    # What a kill leaves: a line that is torn.
    (folder / "runs/smoke/tiny.csv").write_bytes(rows[: len(rows) // 2])
    assert run(TINY, *SMOKE) == 0
    assert capsys.readouterr().out.startswith("30 rows, 4 of 8 cells of them from before\n")
    assert (folder / "runs/smoke/tiny.csv").read_bytes() == rows
    assert run(TINY, *SMOKE, "--seed", "1") == 1
    assert "tiny.json there has seed 0, not 1; choose another folder" in only_error(capsys)
    assert run(TINY, *SMOKE, "--seed", "1", "-o", "other") == 0
    assert (folder / "other/tiny.csv").read_bytes() != rows


def test_pictures_of_a_folder(folder, capsys):
    (folder / "in").mkdir()
    assert run(TINY, *SMOKE, "--images", "in") == 1
    assert "images must hold at least 1 pictures; received 0, in 'in'" in only_error(capsys)
    (folder / "in/bad.png").write_bytes(b"none")
    assert run(TINY, *SMOKE, "--images", "in") == 1
    assert "and 1 that cannot be read (bad.png: " in only_error(capsys)
    (folder / "in/good.png").write_bytes(encode_png(np.full((9, 9, 3), 0.5, np.float32)))
    for seed in range(9):  # until the bad one is drawn first
        assert run(TINY, *SMOKE, "--images", "in", "-o", f"o{seed}", "--seed", str(seed)) == 0
        if capsys.readouterr().out.startswith("not used, the next one drawn instead: bad.png: "):
            break
    else:
        pytest.fail("the bad file was never drawn")
    rows = (folder / "o0/tiny.csv").read_text()
    assert rows.count("chelsea") == rows.count("good.png") == 15
    assert run(TINY, *SMOKE, "--images", "missing") == 1
    assert "images must be a folder of pictures; received 'missing'" in only_error(capsys)


def test_words_that_do_not_do(folder, capsys):
    (folder / "file").write_text("")
    for words, rule in (
        ((), "name is missing; `rrstyle evaluate --list` lists the experiments"),
        (("chanels",), "did you mean 'channels'? received 'chanels'"),
        (("no.module:X",), "cannot be imported"),
        ((TINY, "--workers", "0"), "workers must be an integer of at least 1; received 0"),
        ((TINY, "--workers", "2", "--ray", "auto"), "workers must be left out with ray"),
        ((TINY, *SMOKE, "--encoder", "file"), "uses no trained CNN; received 'file'"),
        ((TINY, *SMOKE, "--out", "file"), "out must be a folder; received the file 'file'"),
        ((TINY, *SMOKE, "--out", "file/x"), ""),
        ((TINY, *SMOKE, "--seed", "-1"), "seed must be an integer of at least 0; received -1"),
        ((TINY, "--scale", "paper"), "scale must be one of smoke, laptop; received 'paper'"),
    ):
        assert run(*words) == 1, words
        assert rule in only_error(capsys)
    assert run("channels", "--scale", "smok") == 2
    assert "did you mean 'smoke'?" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_the_list(capsys):
    assert run("--list") == 0
    out = capsys.readouterr().out
    for name in EXPERIMENTS:
        assert f"\n{name}: " in f"\n{out}"
    assert out.count("  reproduces  ") == out.count("  the papers  ") == len(EXPERIMENTS)
    assert out.count("  took        ") == len(EXPERIMENTS)
    assert "  took        laptop: 2.9 processor minutes, cpu: " in out  # laws
    assert "  decides     C7a, C7b, C7c\n" in out  # factorial
    assert run("--list", TINY) == 0
    assert capsys.readouterr().out == (
        f"{TINY}: A tiny one\n  reproduces  Fig. 0\n  the papers  Nothing.\n"
        "  took        not measured\n"
    )


def test_scales_are_those_of_the_experiments():
    assert get_args(Evaluate.__annotations__["scale"]) == get_args(Scale)


@pytest.mark.parametrize(("option", "more"), [("--help", {"numpy"}), ("--list", set())])
def test_help_and_list_are_light(option, more):
    code = (
        f"import sys; from apps.cli import main; status = main(['evaluate', '{option}']);"
        f"heavy = {HEAVY | more};"
        "sys.exit(status or str(heavy & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in EXPERIMENTS:
        assert name in done.stdout


def test_ctrl_c_ends_the_workers_and_leaves_a_run_to_continue(folder):
    name = "tests.recon.support.tiny_experiment:SLOW"
    with started("evaluate", name, "--scale", "smoke", "--workers", "2") as process:
        path = folder / "runs/smoke/tiny.csv"
        deadline = time.monotonic() + 90
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        start = time.monotonic()
        said = process.communicate(timeout=60)  # its end, and that of all who hold the pipe
    assert time.monotonic() - start < 10
    assert process.returncode == 130, said
    assert said.splitlines() == [
        "stopped; the same command continues it, in runs/smoke",
        "rrstyle: interrupted",
    ]
    assert path.read_text() == "number,kind,image,score\n"
