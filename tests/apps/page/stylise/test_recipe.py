"""Recipes in the app: to read, and back into the controls."""

from dataclasses import replace

import numpy as np
import pytest

from apps.page.settings import CONTROLS, DEFAULTS, check_settings
from apps.page.stylise import recipe as web_recipe
from apps.page.uploads import read_mask, read_upload
from apps.service.limits import Limits
from rrstyle import examples, recipes
from rrstyle.pictures import images

PHOTO = images.Picture(examples.example("chelsea"), "chelsea", ())
WAVES = images.Picture(examples.example("waves"), "waves", ())
OTHER = images.Picture(np.full((20, 20, 3), 0.5, np.float32), "my <b>.png", ())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def write(folder, config, styles, **others):
    recipe = recipes.make_recipe(config, 9, PHOTO, styles, **others)
    path = folder / "001.png"
    path.write_bytes(recipes.encode_picture(PHOTO.pixels[::8, ::8], recipe))
    return {"path": str(path), "orig_name": "mine.png"}


def test_a_recipe_is_told_in_words(cache):
    config = replace(DEFAULTS, strength=0.75, keep_colours=True)
    config = replace(config, paint=replace(config.paint, diversity=0.25))
    value = write(cache, config, [WAVES, OTHER], weights=[3, 1])
    page = web_recipe.recipe_html(web_recipe.Path(value["path"]))
    assert "waves (75%) + my &lt;b&gt;.png (25%)" in page
    facts = dict(web_recipe.recipe_facts(recipes.read_recipe(value["path"]), "001.png"))
    assert facts["Strength"] == "0.75"
    assert facts["Photograph's colours kept"] == "yes"
    assert facts["Seed"] == "9"
    assert facts["Other settings"] == "paint.diversity 0.25"
    assert facts["Mask"] == ""
    assert "Mask" not in page


def test_a_dropped_picture_sets_the_controls_as_they_were(cache):
    config = replace(DEFAULTS, method="adain", strength=0.4, style_scale=2.0, side=256)
    mask = np.zeros((6, 8), np.float32)
    mask[2:4, 3:5] = 1
    value = write(cache, config, [WAVES], mask=mask)
    note, look, content, *rest = web_recipe.load_recipe(value)
    styles, shares, (painted, *controls) = rest[:4], rest[4:8], rest[8:]
    assert "mine.png" in note
    assert note.count("<dt>Note") == 1
    assert "It has a mask" in note
    for path, picture in ((content, PHOTO), (styles[0], WAVES)):
        read = read_upload({"path": path, "orig_name": f"{picture.name}.png"}, "style")
        assert images.digest(read.pixels) == images.digest(picture.pixels)
    assert styles[1:] == [None] * 3
    assert shares == [1.0] * 4
    np.testing.assert_array_equal(read_mask(painted), mask)
    assert look is None
    settings = check_settings(dict(zip(CONTROLS, controls, strict=True)), limits=Limits())
    assert (settings.config, settings.n, settings.seed) == (config, 1, 9)


def test_what_the_app_does_not_have_is_said(cache):
    config = replace(DEFAULTS, paint=replace(DEFAULTS.paint, diversity=0.25))
    note, _, _, *rest = web_recipe.load_recipe(write(cache, config, [OTHER, WAVES], weights=[1, 4]))
    assert rest[0] is None  # the person has to choose it
    assert rest[1].endswith("waves.png")
    assert rest[4:6] == [0.25, 1.0]
    assert "Choose the style my &lt;b&gt;.png above" in note
    assert "There is no control for paint.diversity 0.25" in note


def test_a_look_is_recognised(cache):
    _, look, *_ = web_recipe.load_recipe(
        write(cache, replace(DEFAULTS, keep_colours=True), [WAVES])
    )
    assert look == "own-colours"


def test_files_without_a_recipe_are_refused(cache):
    path = cache / "plain.png"
    path.write_bytes(images.encode_png(OTHER.pixels))
    with pytest.raises(ValueError, match=r"plain.png: no recipe inside"):
        web_recipe.load_recipe({"path": str(path), "orig_name": "plain.png"})
    with pytest.raises(ValueError, match="recipe: not an uploaded file"):
        web_recipe.load_recipe({"path": "/etc/passwd"})
