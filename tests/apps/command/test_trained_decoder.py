"""Style transfer between the CNN and the DCN of a training run: the library's way, the command."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from recon.training.run import load_run
from rrstyle.config import PaintConfig, StyleConfig
from rrstyle.export.saved_model import export_saved_model
from rrstyle.networks.pair import CnnDcn
from rrstyle.pictures.images import encode_png, read_image, to_uint8
from rrstyle.pipeline import stylize, variants
from rrstyle.recipes import read_recipe
from tests.recon.support.training import pictures, train_tiny

CONTENT, STYLE = (pictures(1, 40, seed=seed)[0] / np.float32(255) for seed in (1, 2))
QUICK = PaintConfig(rounds=(2, 1))
WORDS = ("a.png", "--style", "b.png", "--side", "40", "--precision", "float32")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "cd2"
    train_tiny(out)
    return out


@pytest.fixture(scope="module")
def networks(run_folder: Path) -> CnnDcn:
    return load_run(run_folder, best=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_folder: Path) -> Path:
    """The current folder: two pictures, and the run."""
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(encode_png(CONTENT))
    Path("b.png").write_bytes(encode_png(STYLE))
    shutil.copytree(run_folder, "cd2")
    return tmp_path


def config(networks: CnnDcn, **changes) -> StyleConfig:
    values = {"method": "transport", "side": 40, "precision": "float32", **changes}
    return StyleConfig(decoder=networks.name, **values)


def only_error(capsys) -> str:
    """The one line on stderr that is an error."""
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("rrstyle: ")]
    assert errors == lines[-1:]
    return errors[0].removeprefix("rrstyle: ")


def test_a_picture_in_its_own_manner_is_what_the_pair_gives_back(run_folder, networks):
    # Transport between equal Gaussians changes nothing.
    image = stylize(CONTENT, CONTENT, config(networks), seed=0, networks=networks)
    back = load_run(run_folder, best=True).reconstruct(CONTENT[None])[0]
    np.testing.assert_allclose(image, np.clip(back, 0, 1), atol=2e-3)
    assert np.abs(image - CONTENT).max() > 0.05  # twelve steps of training invert little


def test_strength_0_is_the_photograph_and_1_is_not(networks):
    for method in ("transport", "paint"):
        settings = config(networks, method=method, paint=QUICK)
        none, full = (
            stylize(CONTENT, STYLE, replace(settings, strength=x), seed=0, networks=networks)
            for x in (0.0, 1.0)
        )
        np.testing.assert_allclose(none, CONTENT, atol=1e-5)
        assert np.abs(full - CONTENT).mean() > 0.03


def test_the_seed_names_what_else_is_random(networks):
    same, other = (
        [v.image for v in variants(CONTENT, STYLE, settings, n=2, seed=3, networks=networks)]
        for settings in (config(networks), config(networks, method="paint", paint=QUICK))
    )
    np.testing.assert_array_equal(*same)
    assert np.abs(other[0] - other[1]).max() > 0.01


def test_the_plan_of_the_settings_plays_no_part(networks):
    found = [
        stylize(CONTENT, STYLE, settings, seed=0, networks=networks)
        for settings in (config(networks), config(networks, encoder=networks.config))
    ]
    np.testing.assert_array_equal(*found)


def test_networks_must_be_those_that_are_named(networks):
    named, ridge = config(networks), StyleConfig(side=40)
    for settings, given, rule in (
        (named, None, "or the name of trained networks, and none were given; received 'cd2'"),
        (ridge, networks, "decoder must be 'cd2' with networks of that name; received 'ridge'"),
        (replace(named, decoder="cd3"), networks, "and 'cd2' was given; received 'cd3'"),
    ):
        with pytest.raises(ValueError, match=rule):
            stylize(CONTENT, STYLE, settings, seed=0, networks=given)
    for changes in ({"wildness": 0.5}, {"weights": "vgg16.h5"}, {"decoder": ""}):
        with pytest.raises(ValueError, match=f"{next(iter(changes))} must be "):
            replace(named, **changes)
    for name in ("ridge", "random", "", "x" * 201):
        with pytest.raises(ValueError, match="name of trained networks must have 1 to 200"):
            stylize(CONTENT, STYLE, ridge, seed=0, networks=replace(networks, name=name))


def test_no_graph_is_made_of_settings_that_name_networks(networks, tmp_path):
    with pytest.raises(ValueError, match="decoder must be one of ridge, random to export a style"):
        export_saved_model(tmp_path / "model", config(networks), seed=0)


def test_the_command_does_what_the_library_does(folder, networks, capsys):
    words = ("stylize", *WORDS, "--method", "transport")
    assert cli.main([*words, "--decoder", "cd2", "-o", "out.png"]) == 0
    expected = stylize(CONTENT, STYLE, config(networks), seed=0, networks=networks)
    np.testing.assert_array_equal(to_uint8(read_image("out.png").pixels), to_uint8(expected))
    recipe = read_recipe("out.png")
    assert recipe.config.encoder == networks.config
    assert recipe.config.decoder == "cd2"
    assert recipe.weights is not None
    assert (recipe.weights.name, recipe.weights.digest) == ("cd2", networks.digest)
    assert str(folder) not in recipe.to_json()
    assert cli.main([*words, "-o", "ridge.png"]) == 0
    assert read_recipe("ridge.png").weights is None


def test_a_run_is_exported_into_itself(folder, capsys):
    assert cli.main(["export", "cd2"]) == 0
    assert capsys.readouterr().out.endswith("written to cd2/saved_model\n")
    assert Path("cd2/saved_model/saved_model.pb").is_file()
    assert cli.main(["export", "cd2"]) == 1
    assert "saved_model" in only_error(capsys)
    assert cli.main(["export", "cd2", "--channels", "8"]) == 1
    assert (
        only_error(capsys) == "channels must be left out with a run as decoder, which has its own"
    )


def test_a_recipe_wants_its_run_back(folder, capsys):
    words = ("stylize", *WORDS, "--method", "transport")
    assert cli.main([*words, "--decoder", "cd2", "-o", "out.png"]) == 0
    again = ("stylize", "a.png", "--style", "b.png", "--recipe", "out.png", "-o", "again.png")
    capsys.readouterr()
    assert cli.main([*again]) == 1
    rule = "recipe: it used a trained DCN; name its run with --decoder; received 'cd2'"
    assert only_error(capsys) == rule
    assert not Path("again.png").exists()
    Path("cd2").rename("moved")  # its weights count, not where they are
    assert cli.main([*again, "--decoder", "moved"]) == 0
    assert "differs" not in capsys.readouterr().err
    np.testing.assert_array_equal(*(read_image(x).pixels for x in ("again.png", "out.png")))
    train_tiny(Path("other"), changes={"seed": 1})
    assert cli.main([*again, "--decoder", "other", "--overwrite"]) == 0
    assert (
        "warning: the run differs from the recipe's, 'cd2': another picture will come out"
        in capsys.readouterr().err
    )


def test_what_is_no_run_is_one_line(folder, capsys):
    Path("empty").mkdir()
    shutil.copytree("cd2", "none-saved")
    shutil.rmtree("none-saved/checkpoints")
    shutil.copytree("cd2", "classifier")
    record = json.loads(Path("classifier/run.json").read_text())
    Path("classifier/run.json").write_text(json.dumps(record | {"task": "classification"}))
    shutil.copytree("cd2", "damaged")
    Path("damaged/run.json").write_text("{")
    for words, rule in (
        (("rigde",), "decoder must be ridge, random or the folder of a run of rrstyle train; rec"),
        (("a.png",), "decoder must be ridge, random or the folder of a run of rrstyle train; rec"),
        (("empty",), "folder must be one of a training run; 'empty' has no run.json"),
        (("none-saved",), "folder must have a whole checkpoint; 'none-saved' has none"),
        (("classifier",), "folder must be a run of inversion; 'classifier' is one of classificat"),
        (("damaged",), "run.json in 'damaged' is damaged"),
        (("cd2", "--channels", "8"), "channels must be left out with a run as decoder, which has"),
        (("cd2", "--wildness", "0.2"), "wildness must be 0 where decoder is cd2: it mixes into"),
        (("cd2", "--encoder", "x.h5"), "encoder must be left out with trained networks; received"),
    ):
        assert cli.main(["stylize", *WORDS, "-o", "out.png", "--decoder", *words]) == 1, words
        assert rule in only_error(capsys)
        assert not Path("out.png").exists()
