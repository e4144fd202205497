"""The command leaves nothing in the temporary folder; `service/test_server` has the app."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from apps.scratch import scratch_folder
from rrstyle.durable import locked
from tests.support.command import Forked, started

SMALL = ("stylize", "chelsea", "--style", "waves", "--side", "64", "-o")
TINY = ("--layer", "conv1_1", "--channels", "2")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An empty folder for temporary files, in the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def begun(process: Forked, pictures: int) -> None:
    """Waits until a command has made so many pictures."""
    while not process.stdout.readline().startswith(f"{pictures}/"):
        assert process.poll() is None


def test_the_command_leaves_nothing(temporary):
    commands = (
        (*SMALL, "out.png"),
        ("export", "model", *TINY),
        ("export", "model.onnx", *TINY),
    )
    code = (
        "import os, sys; from apps.cli import main\n"
        f"for words in {commands}:\n"
        "    print(main(words), os.listdir(os.environ['TMPDIR']), file=sys.stderr)\n"
    )
    environment = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line[:3] == "0 ["] == ["0 []"] * 3
    assert list(temporary.iterdir()) == []


def test_a_terminated_command_leaves_nothing(temporary, tmp_path):
    with started(*SMALL, "out", "--variants", "1000", TMPDIR=str(temporary)) as process:
        begun(process, 2)
        process.send_signal(signal.SIGTERM)
        said = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "Traceback" not in said
    assert list(temporary.iterdir()) == []
    assert all(path.suffix == ".png" for path in (tmp_path / "out").iterdir())


def test_what_a_killed_command_leaves_goes_at_the_next_start_and_nothing_of_others(temporary):
    with started(*SMALL, "out", "--variants", "1000", TMPDIR=str(temporary)) as process:
        begun(process, 1)
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
    again = ("examples", "-o", "drawn", "--side", "16")
    with locked(living), started(*again, TMPDIR=str(temporary)) as process:
        said = process.communicate()
    assert process.returncode == 0, said
    assert set(temporary.iterdir()) == others | {living}


def test_temporary_files_lie_in_the_folder_and_go_with_it():
    before = tempfile.gettempdir()
    with scratch_folder() as folder, tempfile.NamedTemporaryFile(delete=False) as file:
        assert Path(file.name).parent == folder
    assert tempfile.gettempdir() == before
    assert not folder.exists()
