"""The README is true: its snippets run, its commands parse, its links lead somewhere.

And the files that the pages for engineers name are there.
"""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from apps.options.parse import parse
from rrstyle.config import StyleConfig
from rrstyle.pictures.images import Picture
from rrstyle.recipes import encode_picture, make_recipe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def lines(command: str) -> list[str]:
    """The lines of ```sh blocks that start with this command, without their comments."""
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.startswith(f"{command} ")]


PYTHON = blocks("python")
COMMANDS = lines("rrstyle")


def test_there_are_snippets_and_commands():
    assert PYTHON
    assert any("stylize" in command for command in COMMANDS)
    assert len(re.findall(r"^```", README, re.MULTILINE)) % 2 == 0


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_snippets_run(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A later snippet may use the names of those before it.
    names: dict = {"__name__": "__readme__"}
    for snippet in PYTHON[: number + 1]:
        exec(compile(snippet, f"README.md, snippet {number}", "exec"), names)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line, comments=True)[1:]
    if "--recipe" in words:  # the picture that a line before made: its recipe is read
        picture = Path(words[words.index("--recipe") + 1])
        picture.parent.mkdir()
        one = Picture(np.zeros((16, 16, 3), np.float32), "one", ())
        picture.write_bytes(encode_picture(one.pixels, make_recipe(StyleConfig(), 0, one, one)))
    parse(words, version="0")  # checks the rules of the configs too


def test_a_command_that_is_wrong_would_not_parse():
    with pytest.raises(SystemExit):
        parse(shlex.split("stylize a --style b -o c --strenght 1"), version="0")


def test_options_in_the_text_exist():
    known = set()
    commands = "stylize reconstruct export examples app evaluate report train classify learn"
    for command in commands.split():
        known |= options_of(command)
    of_others = {"--help", "--version", "--rm", "--data"}  # the last two of docker and curl
    mentioned = set(re.findall(r"--[a-z][a-z-]+", README)) - of_others
    assert mentioned
    assert mentioned <= known


def options_of(command: str) -> set[str]:
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text), pytest.raises(SystemExit):
        parse([command, "--help"], version="0")
    return set(re.findall(r"--[a-z][a-z.-]*[a-z]", text.getvalue()))


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {line.split()[1] for line in lines("make")}
    named |= set(re.findall(r"`make ([a-z]+)`", README))
    assert {"demo", "app"} <= named
    assert named <= targets


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_files_that_are_named_are_there(page):
    named = set(re.findall(r"`([\w/]+\.(?:py|json))`", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 5
    folders = ("rrstyle", "recon", "apps", "tests", "benchmarks", "docs")
    there = [f"/{path}" for folder in folders for path in (ROOT / folder).rglob("*.*")]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", README)
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / link).exists()] == []
