"""Recipes by the command: the same picture again, overrides, warnings, and strangers' recipes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from apps.batch import replay
from rrstyle import examples, pipeline
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.networks import weight_files
from rrstyle.pictures.images import digest, encode_png
from rrstyle.recipes import Input, Recipe, encode_picture, read_recipe

CHEAP = ("--method", "transport", "--side", "48", "--channels", "8")
FAST = StyleConfig(method="transport", side=48, encoder=NetworkConfig(channels=8))
NOISE = np.random.default_rng(0).random((30, 40, 3), np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.png").write_bytes(encode_png(NOISE))
    (tmp_path / "b.png").write_bytes(encode_png(NOISE[::-1]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built-in pictures that are quick to make."""
    monkeypatch.setattr(
        examples, "example", lambda name: NOISE if name == "chelsea" else NOISE[::-1].copy()
    )


def run(*words: str) -> int:
    return cli.main(list(words))


def write_recipe(name: str, **changes) -> None:
    known = Input("chelsea", digest(NOISE)), Input("waves", digest(NOISE[::-1]))
    recipe = Recipe(FAST, 0, *known, None, {})
    Path(name).write_bytes(encode_picture(NOISE, replace(recipe, **changes)))


def test_the_same_picture_again_by_paint() -> None:
    words = ("--side", "48", "--precision", "float32", "--seed", "3", "--channels", "8")
    assert run("stylize", "chelsea", "--style", "waves", "-o", "out.png", *words) == 0
    assert read_recipe("out.png").config.method == "paint"
    assert run("stylize", "--recipe", "out.png", "-o", "again.png") == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_no_warning_where_nothing_changed_and_names_may_be_given(small_waves, capsys) -> None:
    assert run("stylize", "a.png", "--style", "waves", "-o", "out.png", *CHEAP) == 0
    capsys.readouterr()
    assert run("stylize", "a.png", "--recipe", "out.png", "-o", "again.png") == 0
    assert "warning" not in capsys.readouterr().err
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_options_beside_a_recipe_override_it(small_waves) -> None:
    words = ("--law", "uniform", "--std", "0.02", "--paint.rounds", "1", "2", "--seed", "4")
    assert run("stylize", "chelsea", "--style", "waves", "-o", "out.png", *CHEAP, *words) == 0
    first = read_recipe("out.png")
    words = ("--strength", "0.5", "--law", "gaussian", "--variants", "2")
    assert run("stylize", "--recipe", "out.png", "-o", "more", *words) == 0
    found = [read_recipe(f"more/chelsea-waves-s{seed}.png") for seed in (4, 5)]
    assert [recipe.seed for recipe in found] == [4, 5]
    encoder = replace(first.config.encoder, law="gaussian")
    assert encoder.std == 0.02
    assert found[0].config == replace(first.config, strength=0.5, encoder=encoder)
    assert found[0].config.paint.rounds == (1, 2)
    assert run("stylize", "--recipe", "out.png", "-o", "zero.png", "--seed", "0") == 0
    assert read_recipe("zero.png").seed == 0


def test_another_input_is_warned_of(small_waves, capsys) -> None:
    assert run("stylize", "a.png", "--style", "waves", "-o", "out.png", *CHEAP) == 0
    capsys.readouterr()
    words = ("stylize", "b.png", "a.png", "--recipe", "out.png", "-o", "out")
    assert run(*words) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert lines == [
        "rrstyle: warning: b.png differs from the recipe's content, 'a.png':"
        " another picture will come out"
    ]


def test_inputs_that_are_not_built_in_must_be_named(small_waves, capsys) -> None:
    assert run("stylize", "a.png", "--style", "waves", "-o", "out.png", *CHEAP) == 0
    capsys.readouterr()
    # The file lies there, but a recipe's names are never opened.
    assert run("stylize", "--recipe", "out.png", "-o", "again.png") == 1
    err = capsys.readouterr().err
    assert err == (
        "rrstyle: recipe: its content is not built in; name it as CONTENT; received 'a.png'\n"
    )
    write_recipe("other.png", style=Input("mosaic", "0" * 64))
    assert run("stylize", "--recipe", "other.png", "-o", "again.png") == 1
    assert "not the built-in picture of that name; name it with --style" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../a.png", "/etc/passwd", "a\x1b[31m\n.png", "x" * 200])
def test_strange_names_in_a_recipe_are_only_shown(name: str, capsys) -> None:
    write_recipe("r.png", content=Input(name, "0" * 64))
    assert run("stylize", "--recipe", "r.png", "--style", "a.png", "-o", "out.png") == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert not Path("out.png").exists()


def test_other_versions_are_warned_of(small_waves, capsys) -> None:
    versions = {"backend": "torch\x1b[31m", "keras": "2.0", "python": "2.7"}
    write_recipe("r.png", versions=versions)
    assert run("stylize", "--recipe", "r.png", "-o", "out.png") == 0
    warning = capsys.readouterr().err.splitlines()[0]
    assert warning.startswith("rrstyle: warning: made with backend torch [31m (here tensorflow)")
    assert "keras 2.0 (here 3." in warning
    assert "python" not in warning
    assert "device" not in warning  # of which earlier recipes say nothing


def test_another_device_is_warned_of(small_waves, capsys) -> None:
    from rrstyle import backend

    write_recipe("r.png", versions=backend.computing() | {"device": "gpu: NVIDIA H200"})
    assert run("stylize", "--recipe", "r.png", "-o", "out.png") == 0
    warning = capsys.readouterr().err.splitlines()[0]
    assert "made with device gpu: NVIDIA H200 (here " in warning
    assert "keras" not in warning


def test_a_weights_file_must_be_given_again_and_is_compared(capsys, monkeypatch) -> None:
    Path("w.h5").write_bytes(b"weights")
    load = weight_files.load_weights

    def random_for_ours(source, network=None):
        return load("random" if source == "w.h5" else source, network)

    monkeypatch.setattr(weight_files, "load_weights", random_for_ours)
    monkeypatch.setattr(pipeline, "load_weights", random_for_ours)
    known = Input("w.h5", "0" * 64)
    write_recipe("r.png", config=replace(FAST, weights="w.h5"), weights=known)
    words = ("stylize", "a.png", "--style", "b.png", "--recipe", "r.png", "-o")
    assert run(*words, "x.png") == 1
    assert capsys.readouterr().err == (
        "rrstyle: recipe: it used a file of trained weights; name it with --encoder;"
        " received 'w.h5'\n"
    )
    assert run(*words, "x.png", "--encoder", "none.h5") == 1
    assert "encoder must be random, imagenet or an existing file" in capsys.readouterr().err
    assert run(*words, "x.png", "--encoder", "w.h5") == 0
    assert "warning: the weights differ from the recipe's, 'w.h5'" in capsys.readouterr().err
    again = read_recipe("x.png").weights
    assert again is not None
    write_recipe("r.png", config=replace(FAST, weights="w.h5"), weights=again)
    assert run(*words, "y.png", "--encoder", "w.h5") == 0
    assert "weights differ" not in capsys.readouterr().err


def test_a_recipe_never_names_a_file_to_open() -> None:
    recipe = Recipe(
        replace(FAST, weights="/etc/passwd"),
        0,
        Input("a", "0" * 64),
        Input("b", "0" * 64),
        None,
        {},
    )
    assert replay.replayed_config(recipe).weights == "random"
    imagenet = replace(recipe, config=replace(FAST, weights="imagenet"))
    assert replay.replayed_config(imagenet).weights == "imagenet"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.png", "a.png: no recipe inside; only pictures made by rrstyle have one"),
        ("text.png", "text.png: not a PNG"),
        ("none.png", "none.png: cannot be read, there is no such file"),
        ("broken.png", "recipe: not valid JSON"),
    ],
)
def test_what_is_no_recipe(name: str, words: str, capsys) -> None:
    Path("text.png").write_bytes(b"text")
    Path("broken.png").write_bytes(encode_png(NOISE, text={"rrstyle": "{"}))
    assert run("stylize", "--recipe", name, "-o", "out.png") == 1
    assert capsys.readouterr().err.startswith(f"rrstyle: {words}")


def test_a_recipe_of_an_impossible_setting(capsys) -> None:
    write_recipe("r.png")
    broken = read_recipe("r.png").to_json().replace('"side": 48', '"side": -1')
    Path("bad.png").write_bytes(encode_png(NOISE, text={"rrstyle": broken}))
    assert run("stylize", "--recipe", "bad.png", "-o", "out.png") == 1
    assert "side must be an integer from 16 to 8192" in capsys.readouterr().err
    assert not Path("out.png").exists()
