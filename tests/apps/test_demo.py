"""`python -m apps.demo`, on tiny pictures."""

import re
from typing import get_args, get_type_hints

import numpy as np
import pytest

from apps import demo
from rrstyle.config import StyleConfig
from rrstyle.examples import PHOTOGRAPHS, STYLES, example
from rrstyle.pictures.images import fit_within, read_image, resize
from rrstyle.recipes import read_recipe

METHODS = get_args(get_type_hints(StyleConfig)["method"])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder that the demonstration wrote to, its status and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        # The least side: the VGG statistics need 32 pixels of a photograph 1.5 times as wide.
        for name, value in (("SIDE", 48), ("PHOTOGRAPHS", ("chelsea",)), ("STYLES", ("waves",))):
            patch.setattr(demo, name, value)
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(words)))
        status = demo.main([str(folder)])
    return folder, status, "\n".join(printed)


def test_the_real_settings_are_two_photographs_and_two_styles():
    assert len(set(demo.PHOTOGRAPHS)) == len(set(demo.STYLES)) == 2
    assert set(demo.PHOTOGRAPHS) <= set(PHOTOGRAPHS)
    assert set(demo.STYLES) <= set(STYLES)
    assert demo.SIDE >= 256


def test_there_is_a_picture_by_every_method_and_a_sheet(run):
    folder, status, _ = run
    assert status == 0
    names = {f"chelsea-waves-{m}.png" for m in (*METHODS, "optimise-vgg-random")}
    assert {p.name for p in folder.iterdir()} == {*names, "contact-sheet.png"}


def test_pictures_are_different_and_carry_their_recipes(run):
    folder, _, _ = run
    seen = []
    for path in sorted(folder.glob("chelsea-*.png")):
        image = read_image(path).pixels
        assert image.shape == (32, 48, 3)
        assert not any(np.array_equal(image, other) for other in seen)
        seen.append(image)
        recipe = read_recipe(path)
        assert (recipe.content.name, recipe.style.name) == ("chelsea", "waves")
        assert (recipe.seed, recipe.config.side) == (demo.SEED, 48)
        assert path.stem.startswith(f"chelsea-waves-{recipe.config.method}")
    special = read_recipe(folder / "chelsea-waves-optimise-vgg-random.png").config
    assert (special.method, special.network, special.decoder) == ("optimise", "vgg", "random")


def find(sheet, image):
    """Whether `image` lies in `sheet`, unscaled."""
    shape = (*image.shape[:2], 3)
    windows = np.lib.stride_tricks.sliding_window_view(sheet[..., 0], shape[:2])
    close = np.abs(windows[..., 0, 0] - image[0, 0, 0]) < 1e-6
    corners = np.argwhere(close)
    return any(
        np.allclose(sheet[r : r + shape[0], c : c + shape[1]], image, atol=1e-6) for r, c in corners
    )


def test_the_sheet_shows_inputs_and_pictures(run):
    folder, _, _ = run
    sheet = read_image(folder / "contact-sheet.png").pixels
    shown = [read_image(path).pixels for path in folder.glob("chelsea-*.png")]
    for name in ("chelsea", "waves"):
        image = example(name)
        small = resize(image, fit_within(image.shape[:2], 48))
        shown.append(np.rint(small * 255) / 255)
    for image in shown:
        assert find(sheet, image)
    assert not find(sheet, shown[0][::-1])


def test_it_says_where_the_pictures_are_and_how_to_open_the_app(run):
    folder, _, printed = run
    for path in folder.glob("chelsea-*.png"):
        assert re.search(rf"^ *\d+ s  {re.escape(str(path))}$", printed, re.MULTILINE)
    assert f"All pictures side by side: {folder / 'contact-sheet.png'}" in printed
    assert "make app" in printed
    assert "http://127.0.0.1:7860" in printed


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_usage(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert demo.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m apps.demo FOLDER\n"
    assert list(tmp_path.iterdir()) == []
