"""`rrstyle info`: a line for each thing, and a status that says whether a GPU lies idle."""

import pytest

from apps import cli
from rrstyle import machine


@pytest.mark.parametrize(("advice", "status"), [("", 0), ("a GPU is there, but", 1)])
def test_lines_and_status(advice, status, capsys, monkeypatch):
    found = {"backend": "tensorflow", "float32": "convolution 3 GFLOP/s", "advice": advice}
    monkeypatch.setattr(machine, "describe", lambda: found)
    assert cli.main(["info"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["backend     tensorflow", "float32     convolution 3 GFLOP/s"]
    assert lines[2:] == ([f"advice      {advice}"] if advice else [])
