"""`make audit`: what it says where pip-audit finds something, nothing, or no advisories at all."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("said", "ended", "status", "words"),
    [
        ("No known vulnerabilities found", 0, 0, "No known vulnerabilities found"),
        ("Found 2 known vulnerabilities in 1 package", 1, 2, "Found 2 known vulnerabilities"),
        ("ERROR: keras: could not be audited", 1, 2, "cannot be had here; nothing was checked"),
    ],
)
def test_audit(tmp_path, said, ended, status, words):
    shutil.copy(ROOT / "Makefile", tmp_path)
    tool = tmp_path / ".venv/audit/bin/pip-audit"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {ended}\n")
    tool.chmod(0o755)
    done = subprocess.run(["make", "audit"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status
    assert words in done.stderr
    assert ("nothing was checked" in done.stderr) == ("ERROR" in said)
