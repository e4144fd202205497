"""`rrstyle stylize --painter`: pictures by painters, their recipes, and what goes beside them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from rrstyle.config import StyleConfig
from rrstyle.painters.painter import load_painter
from rrstyle.pictures.images import encode_png, read_image, to_uint8
from rrstyle.recipes import encode_picture, make_recipe, read_recipe
from tests.rrstyle.painters.tiny import PHOTOGRAPH, write_painter


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a photograph and two painters."""
    folder = tmp_path_factory.mktemp("painters")
    for seed in (0, 1):
        write_painter(folder / "two" / str(seed), seed=seed)
    (folder / "a.png").write_bytes(encode_png(PHOTOGRAPH))
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """The current folder with copies of them."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def run(*words: str) -> int:
    return cli.main(["stylize", *words])


def error_of(capsys, *words: str) -> str:
    """The one line on stderr that is an error."""
    capsys.readouterr()
    assert run(*words) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "rrstyle: " in line]
    assert len(lines) == 1
    return lines[0].removeprefix("rrstyle: ")


def test_every_photograph_by_every_painter(folder, capsys):
    (folder / "b.png").write_bytes(encode_png(PHOTOGRAPH[::-1, :30]))
    words = ("--side", "48", "--strength", "0.8", "--keep-colours", "--variants", "2")
    assert run("a.png", "b.png", "--painter", "two", "-o", "out", *words) == 0
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == ["a-two-s0.png", "a-two-s1.png", "b-two-s0.png", "b-two-s1.png"]
    a = read_image("a.png")
    for seed in (0, 1):
        painter = load_painter(folder / "two" / str(seed))
        found = read_image(f"out/a-two-s{seed}.png").pixels
        ours = painter.paint(a.pixels, side=48, strength=0.8, own_colours=True)
        assert found.shape == (34, 48, 3)
        np.testing.assert_array_equal(to_uint8(found), to_uint8(ours))
        recipe = read_recipe(f"out/a-two-s{seed}.png")
        assert (recipe.painter.name, recipe.painter.digest) == ("two", painter.digest)
        assert (recipe.seed, recipe.style.name, recipe.content.name) == (seed, "waves", "a.png")
    assert "4 of 4 written to out" in capsys.readouterr().err


def test_the_same_picture_again_by_its_recipe(folder, capsys):
    words = ("--side", "40", "--seed", "1", "--strength", "0.5")
    assert run("a.png", "--painter", "two", "-o", "out.png", *words) == 0
    again = ("a.png", "--recipe", "out.png", "-o", "again.png")
    assert error_of(capsys, *again) == (
        "recipe: a painter made it; name its folder with --painter; received 'two'"
    )
    assert error_of(capsys, *again, "--style", "waves").startswith("recipe: a painter made it;")
    assert run(*again, "--painter", "two") == 0
    assert "warning" not in capsys.readouterr().err
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()
    words = ("--painter", "two", "--seed", "0", "--overwrite")
    assert run(*again, *words) == 0
    assert "warning: the painter differs from the recipe's, 'two'" in capsys.readouterr().err
    a = read_image("a.png")
    Path("t.png").write_bytes(encode_picture(a.pixels, make_recipe(StyleConfig(), 0, a, a)))
    words = ("a.png", "--recipe", "t.png", "-o", "x.png", "--painter", "two")
    assert error_of(capsys, *words) == "painter must be left out with recipe, which used none"


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--style", "waves"), "style must be left out with painter, which has its own manner"),
        (("--blend",), "blend must be left out with painter"),
        (("--mask", "a.png"), "mask must be left out with painter"),
        (("--preset", "own-colours"), "preset must be left out with painter"),
        (("--method", "adain"), "method must be left out with a painter, which has its own"),
        (("--channels", "8"), "channels must be left out with a painter"),
        (("--seed", "2"), "seed must be below 2, the number of painters in 'two'; received 2"),
        (("--variants", "3"), "seed must be below 2, the number of painters in 'two'; received 2"),
        (("--painter", "none"), "painter must be a folder that rrstyle learn has written"),
        (("--painter", "a.png"), "painter must be a folder that rrstyle learn has written"),
        (("--side", "9"), "side must be an integer from 16"),
    ],
)
def test_what_does_not_go_together(folder, capsys, words, rule):
    assert error_of(capsys, "a.png", "--painter", "two", "-o", "o.png", *words).startswith(rule)
    assert not (folder / "o.png").exists()


def test_painters_that_cannot_paint(folder, capsys):
    words = ("a.png", "--painter", "two", "-o", "o.png")
    (folder / "two/0/painter.keras").write_bytes(b"none")
    assert error_of(capsys, *words) == "painter '0' is damaged: learn it again with --resume"
    assert run(*words, "--seed", "1") == 0
    (folder / "run").mkdir()
    (folder / "run/run.json").write_text("{}")  # another kind of run
    assert "'run' has no painter" in error_of(capsys, *words, "--painter", "run")
    (folder / "narrow.png").write_bytes(encode_png(PHOTOGRAPH[:4]))
    narrow = ("narrow.png", "--painter", "two/1", "-o", "n.png", "--side", "56")
    assert error_of(capsys, *narrow).startswith("photograph is too small: at least 8 pixels a side")
