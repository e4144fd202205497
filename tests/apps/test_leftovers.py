"""Nothing is left behind in the temporary folder: not by the command, nor by the app."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.app_client import app_process
from tests.support.command import COMMAND

SMALL = ("stylize", "chelsea", "--style", "waves", "--side", "64", "-o")


def started(folder: Path, *words: str) -> tuple[subprocess.Popen, Path]:
    """The command with an empty temporary folder of its own."""
    temporary = folder / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*COMMAND, *words], env=environment, **pipes), temporary


@pytest.mark.parametrize(
    "words",
    [(*SMALL, "out.png"), ("export", "model", "--channels", "4"), ("export", "model.onnx")],
    ids=["stylize", "savedmodel", "onnx"],
)
def test_the_command_leaves_nothing(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    process, temporary = started(tmp_path, *words)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert list(temporary.iterdir()) == []


def test_a_terminated_command_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process, temporary = started(tmp_path, *SMALL, "out", "--variants", "1000")
    assert process.stdout is not None
    while not process.stdout.readline().startswith("2/1000 "):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "Traceback" not in said
    assert list(temporary.iterdir()) == []
    assert all(path.suffix == ".png" for path in (tmp_path / "out").iterdir())


def test_a_terminated_app_leaves_nothing_and_a_killed_ones_files_go_at_the_next_start(tmp_path):
    temporary = tmp_path / "temporary"
    with app_process(temporary) as (process, _):
        process.kill()
        process.wait()
        assert list(temporary.iterdir()) != []
    with app_process(temporary) as (process, _):
        time.sleep(1)  # it warms up
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert list(temporary.iterdir()) == []
