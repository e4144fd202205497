"""`rrstyle report`: the table in the terminal, the exit status, and errors of one line."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from apps import cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"kernel": kernel, "network": network, "head": "linear", "image": "chelsea"}
        | {"ssim": 0.8 - 0.1 * place + 0.001 * network * place, "null": 0.1}
        for place, kernel in enumerate((1, 2, 4))
        for network in range(4)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "kernel-size.csv", index=False)
    meta = {"experiment": "kernel-size", "scale": "laptop", "finished": True}
    (tmp_path / "kernel-size.json").write_text(json.dumps(meta))
    return tmp_path


def test_claims_are_listed_and_the_page_is_named(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    assert cli.main(["report", str(folder)]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    (line,) = [line for line in lines if line.startswith("C9 ")]
    # Slopes -.1, -.099, -.098, -.097: mean -.0985, error .000645, t 3.182.
    assert line.split() == ["C9", "holds", "−0.098", "[−0.101,", "−0.096]", "linear", "head"]
    assert all(len(line) <= 90 for line in lines[:-1])
    assert sum("not tested" in line for line in lines) > 10
    assert lines[-1] == f"report written to {folder / 'report.html'}"
    assert (folder / "report.html").is_file()
    assert shown.err == ""


def test_a_broken_file_is_told_on_one_line_and_the_rest_is_reported(folder, capsys):
    (folder / "depth.csv").write_text("plan,ssim\nfull,\x1b[31mred\n")
    (folder / "depth.json").write_text('{"finished": true}')
    assert cli.main(["report", str(folder)]) == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        "rrstyle: depth.csv: ssim must be numbers; received '\\x1b[31mred'"
    ]
    assert "C9    holds" in shown.out
    assert (folder / "report.html").is_file()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "DIR must be a folder of results; received 'nothing'"),
        ("kernel-size.csv", "DIR must be a folder of results; received the file 'kernel-size.csv'"),
        ("empty", "DIR must hold results, each a .csv and a .json; received 'empty'"),
    ],
)
def test_a_wrong_folder_is_one_line(folder, capsys, name, words):
    (folder / "empty").mkdir()
    assert cli.main(["report", str(folder / name)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"rrstyle: {words}")


def test_the_page_cannot_be_written(folder, capsys):
    (folder / "report.html").mkdir()
    assert cli.main(["report", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rrstyle: report.html: not written")


def test_no_folder_is_a_usage_error(capsys):
    assert cli.main(["report"]) == 2
    assert "DIR" in capsys.readouterr().err


def loaded_by(words: list[str]) -> set[str]:
    code = f"from apps import cli\nimport sys\ncli.main({words!r})\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_waits_for_no_pandas_and_a_report_for_no_backend(folder):
    assert not loaded_by(["--help"]) & {"pandas", "scipy", "jinja2", "keras", "tensorflow"}
    assert not loaded_by(["report", str(folder)]) & {"keras", "tensorflow", "jax"}
