"""Nothing is left behind in the temporary folder: not by the command, nor by the app."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from apps.scratch import scratch_folder
from rrstyle.durable import locked
from tests.support.app_client import app_process
from tests.support.command import COMMAND

SMALL = ("stylize", "chelsea", "--style", "waves", "--side", "64", "-o")


def started(folder: Path, *words: str) -> tuple[subprocess.Popen, Path]:
    """The command with an empty temporary folder of its own."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(temporary)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*COMMAND, *words], env=environment, **pipes), temporary


def begun(process: subprocess.Popen, pictures: int) -> None:
    """Waits until a command has made so many pictures."""
    assert process.stdout is not None
    while not process.stdout.readline().startswith(f"{pictures}/"):
        assert process.poll() is None


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
    begun(process, 2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "Traceback" not in said
    assert list(temporary.iterdir()) == []
    assert all(path.suffix == ".png" for path in (tmp_path / "out").iterdir())


def test_what_a_killed_command_leaves_goes_at_the_next_start_and_nothing_of_others(tmp_path):
    process, temporary = started(tmp_path, *SMALL, str(tmp_path / "out"), "--variants", "1000")
    begun(process, 1)
    process.kill()
    process.communicate()
    (killed,) = temporary.iterdir()
    # As TensorFlow writes what it traces.
    (killed / "__autograph_generated_file0.py").touch()
    # Of others: TensorFlow's of another program, a folder of results, one of a command that runs.
    others = {temporary / "__autograph_generated_file1.py", temporary / "rrstyle-scratch-results"}
    living = temporary / "rrstyle-scratch-abcd1234"
    for folder in (living, temporary / "rrstyle-scratch-results"):
        folder.mkdir()
        (folder / ".lock").touch()
    (temporary / "__autograph_generated_file1.py").touch()
    with locked(living):
        again, _ = started(tmp_path, "examples", "-o", str(tmp_path / "drawn"), "--side", "16")
        said, _ = again.communicate()
    assert again.returncode == 0, said
    assert set(temporary.iterdir()) == others | {living}


def test_temporary_files_lie_in_the_folder_and_go_with_it():
    before = tempfile.gettempdir()
    with scratch_folder() as folder, tempfile.NamedTemporaryFile(delete=False) as file:
        assert Path(file.name).parent == folder
    assert tempfile.gettempdir() == before
    assert not folder.exists()


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
