"""Blends, masks and presets by the command, and their way through a recipe."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from apps.batch.inputs import Source, joined_stem
from apps.options.parse import parse
from rrstyle import pipeline
from rrstyle.config import StyleConfig
from rrstyle.pictures.images import encode_png, read_image
from rrstyle.pictures.masks import as_mask
from rrstyle.presets import PRESETS
from rrstyle.recipes import read_recipe

CHEAP = ("--method", "transport", "--side", "48", "--channels", "8")
BLEND = ("stylize", "a.png", "--style", "b.png", "c.png", "--blend")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(encode_png(rng.random((30, 40, 3), np.float32)))
    mask = np.zeros((30, 40, 3), np.float32)
    mask[:, 20:] = 1
    (tmp_path / "mask.png").write_bytes(encode_png(mask))
    (tmp_path / "map.png").write_bytes(encode_png(1 - mask[::2]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(list(words))


def test_a_blend_is_what_the_library_makes_and_replays_to_the_same_bytes(capsys) -> None:
    words = ("--style-weights", "7", "3", "--mask", "mask.png", "-o", "out.png", *CHEAP)
    assert run(*BLEND, *words) == 0
    recipe = read_recipe("out.png")
    assert [style.name for style in recipe.styles] == ["b.png", "c.png"]
    assert recipe.style_weights == (7, 3)
    content, *styles = (read_image(f"{name}.png").pixels for name in "abc")
    mask = as_mask(read_image("mask.png").pixels)
    wanted = pipeline.stylize(content, styles, recipe.config, seed=0, weights=(0.7, 0.3), mask=mask)
    made = read_image("out.png").pixels
    np.testing.assert_allclose(made, wanted, atol=0.51 / 255)
    assert (
        run("stylize", "a.png", "--style", "b.png", "c.png", "--recipe", "out.png", "-o", "n") == 0
    )
    assert Path("n/a-b-c-s0.png").read_bytes() == Path("out.png").read_bytes()
    assert "warning" not in capsys.readouterr().err


def test_regions_are_what_the_library_makes_and_replay_to_the_same_bytes(capsys) -> None:
    words = ("--style-mask", "map.png", "mask.png", "--side", "64", "--channels", "8")
    assert run("stylize", "a.png", "--style", "b.png", *words, "-o", "out.png") == 0
    recipe = read_recipe("out.png")
    content, style, *maps = (read_image(f"{n}.png").pixels for n in ("a", "b", "map", "mask"))
    wanted = pipeline.stylize(content, style, recipe.config, seed=0, style_mask=maps)
    np.testing.assert_allclose(read_image("out.png").pixels, wanted, atol=0.51 / 255)
    again = ("stylize", "a.png", "--style", "b.png", "--recipe", "out.png", "-o", "n.png")
    assert run(*again) == 0
    assert Path("n.png").read_bytes() == Path("out.png").read_bytes()
    assert "warning" not in capsys.readouterr().err


def test_each_style_of_a_recipe_is_compared(capsys) -> None:
    assert run(*BLEND, "-o", "out.png", *CHEAP) == 0
    words = ("stylize", "a.png", "--style", "b.png", "a.png", "--recipe", "out.png", "-o", "n.png")
    assert run(*words) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warnings) == 1
    assert "a.png differs from the recipe's style, 'c.png'" in warnings[0]


def test_without_blend_every_style_makes_a_picture_of_its_own() -> None:
    assert run(*BLEND[:-1], "-o", "out", *CHEAP) == 0
    assert sorted(p.name for p in Path("out").iterdir()) == ["a-b-s0.png", "a-c-s0.png"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((*BLEND[:-1], "--style-weights", "1"), "style_weights must be left out without blend"),
        ((*BLEND, "--style-weights", "1"), "style_weights must be one a style; received 1 for 2"),
        ((*BLEND, "--style-weights", "0", "0"), "style_weights must not all be 0"),
        ((*BLEND, "--mask", "none.png"), "none.png: cannot be read, there is no such file"),
        ((*BLEND, "--style-mask", "mask.png"), "one of each style, 3 in all; received 1"),
        (
            (*BLEND[:-1], "--style-mask", "a.png", "b.png"),
            "style_mask goes with one style, or with",
        ),
        ((*BLEND, "--style-mask", *3 * ["mask.png"]), "unless method is paint; received transport"),
        ((*BLEND, "--preset", "palet-only"), "did you mean 'palette-only'?"),
        ((*BLEND, "--preset", "palette-only", "--recipe", "a.png"), "preset must be left out"),
        ((*BLEND, "--style-scale", "5"), "style_scale must be from 0.25 to 4; received 5.0"),
    ],
)
def test_what_is_refused_in_one_line(words, line, capsys) -> None:
    assert run(*words, "-o", "out.png", *CHEAP) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert line in err
    assert not Path("out.png").exists()


def test_a_black_mask_is_refused(capsys) -> None:
    Path("black.png").write_bytes(encode_png(np.zeros((4, 4, 3), np.float32)))
    assert run(*BLEND, "--mask", "black.png", "-o", "out.png", *CHEAP) == 1
    assert "black.png must mark a part of the photograph" in capsys.readouterr().err


def test_a_preset_gives_defaults_that_options_override() -> None:
    words = ("stylize", "a.png", "--style", "b.png", "-o", "out.png", "--side", "48")
    assert run(*words, "--preset", "palette-only", "--strength", "0.3", "--keep-colours") == 0
    config = read_recipe("out.png").config
    assert (config.method, config.strength, config.keep_colours) == ("transport", 0.3, True)


def test_presets_have_names_hints_and_looks_of_their_own() -> None:
    assert len(PRESETS) == 8
    assert len({preset.name for preset in PRESETS.values()}) == 8
    assert len({preset.config for preset in PRESETS.values()}) == 8
    for key, preset in PRESETS.items():
        assert key == preset.name.lower().replace(" ", "-")
        assert 0 < len(preset.hint) < 90


def test_the_stem_of_a_blend_is_short() -> None:
    assert joined_stem([Source("waves", None), Source("x", Path("f/x.png"))]) == "waves-x"
    assert len(joined_stem(4 * [Source("é" * 90, None)]).encode()) <= 80


@pytest.mark.parametrize(
    ("words", "kept"), [((), True), (("--keep-colours",), True), (("--no-keep-colours",), False)]
)
def test_a_flag_that_a_preset_sets_can_be_given_and_taken_back(words, kept) -> None:
    command = parse(
        ["stylize", "a.png", "--style", "b.png", "-o", "o", "--preset", "own-colours", *words],
        version="0",
    )
    assert command.config == replace(StyleConfig(), keep_colours=kept)
