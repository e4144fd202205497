"""The recipe inside a picture: what it holds, its way through a PNG, and what is refused."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rrstyle import backend
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.pictures import images, masks
from rrstyle.recipes import (
    TEXT_KEY,
    Input,
    Recipe,
    encode_picture,
    make_recipe,
    parse_recipe,
    read_recipe,
)
from tests.support.configs import STYLES

DIGEST = hashlib.sha256(b"").hexdigest()
INPUTS = st.builds(
    Input, st.text(min_size=1, max_size=200), st.text("0123456789abcdef", min_size=64, max_size=64)
)
MASK = masks.mask_text(np.float32([[0, 1], [0.2, 1]]))
BLENDS = st.integers(2, 4).flatmap(
    lambda n: st.tuples(
        st.tuples(*[INPUTS] * (n - 1)),
        st.tuples(st.floats(1, 9), *[st.floats(0, 1)] * (n - 1)),
    )
)
RECIPES = st.builds(
    lambda blend, **fields: Recipe(**fields, more_styles=blend[0], style_weights=blend[1]),
    blend=BLENDS | st.just(((), (1.0,))),
    mask=st.sampled_from([None, MASK]),
    config=STYLES,
    seed=st.integers(0, 2**128),
    content=INPUTS,
    style=INPUTS,
    weights=st.none() | INPUTS,
    versions=st.dictionaries(st.text(), st.text(), max_size=4),
)
RECIPE = Recipe(
    StyleConfig(), 7, Input("cat.png", DIGEST), Input("waves", DIGEST), None, {"numpy": "2"}
)


def pixels(height=5, width=7, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return drawn.astype(np.float32) / 255


def made(config=None, *, content=None, style=None, seed=3):
    default = images.Picture(pixels(), "cat.png", ())
    return make_recipe(config or StyleConfig(), seed, content or default, style or default)


# There and back


@given(RECIPES)
def test_text_comes_back_as_the_same_recipe(recipe):
    assert parse_recipe(recipe.to_json()) == recipe


@given(RECIPES)
def test_a_png_carries_it(recipe):
    image = pixels(4, 6)
    data = encode_picture(image, recipe)
    assert read_recipe(data) == recipe
    np.testing.assert_array_equal(images.read_image(data).pixels, image)


def test_it_is_read_from_a_path_and_from_a_stream(tmp_path):
    data = encode_picture(pixels(), RECIPE)
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    assert read_recipe(path) == read_recipe(str(path)) == read_recipe(io.BytesIO(data)) == RECIPE


def test_other_programs_find_it_too():
    with Image.open(io.BytesIO(encode_picture(pixels(), RECIPE))) as image:
        assert json.loads(image.text[TEXT_KEY])["seed"] == 7  # type: ignore[attr-defined]


# What it holds


def test_it_holds_all_styles_their_weights_and_the_mask():
    styles = [images.Picture(pixels(seed=i), f"{i}.png", ()) for i in range(3)]
    content = images.Picture(pixels(), "cat.png", ())
    mask = np.linspace(0, 1, 12).reshape(3, 4)
    found = make_recipe(StyleConfig(), 3, content, styles, [2, 0, 0.1], mask)
    assert [style.name for style in found.styles] == ["0.png", "1.png", "2.png"]
    assert found.style_weights == (2.0, 0.0, 0.1)
    again = parse_recipe(found.to_json())
    assert again == found
    np.testing.assert_array_equal(again.mask_array(), masks.as_mask(mask))
    assert make_recipe(StyleConfig(), 3, content, styles).style_weights == (1.0, 1.0, 1.0)


def test_it_holds_the_style_mask():
    content, style = (images.Picture(pixels(seed=i), "x.png", ()) for i in range(2))
    maps = [np.eye(5), np.float32([[0, 1]])]
    found = make_recipe(StyleConfig(), 3, content, style, style_mask=maps)
    again = parse_recipe(found.to_json())
    assert again == found
    np.testing.assert_array_equal(again.regions().content, 1 - np.eye(5))
    assert again.regions().styles[0].tolist() == [[1, 0]]


def test_a_recipe_of_one_style_reads_as_it_always_did():
    assert (
        not {"more_styles", "style_weights", "mask", "style_mask"}
        & json.loads(RECIPE.to_json()).keys()
    )
    assert made().mask_array() is None
    assert made().regions() is None
    assert made().styles == (made().style,)


def test_a_mask_that_no_recipe_can_hold():
    picture = images.Picture(pixels(), "cat.png", ())
    noise = np.random.default_rng(0).random((1024, 1024))
    line = refused(lambda: make_recipe(StyleConfig(), 0, picture, picture, mask=noise))
    assert line.startswith("mask is too intricate to be kept in a recipe")


def test_it_holds_config_seed_inputs_and_versions():
    content = images.Picture(pixels(seed=1), "cat.png", ())
    style = images.Picture(pixels(seed=2), "waves", ())
    config = StyleConfig(method="knothe", side=64, precision="float32")
    found = made(config, content=content, style=style, seed=2**70)
    assert found.config == config
    assert found.seed == 2**70
    assert (found.content.name, found.style.name) == ("cat.png", "waves")
    assert found.content.digest == images.digest(content.pixels) != found.style.digest
    assert found.weights is None
    assert found.versions == {"device": backend.device()} | backend.versions()
    assert parse_recipe(found.to_json()) == found


@pytest.mark.parametrize("gains", [True, False])
def test_the_precision_used_stands_in_place_of_auto(gains, monkeypatch):
    monkeypatch.setattr(backend, "gains_from_bfloat16", lambda: gains)
    assert made().config.precision == ("bfloat16" if gains else "float32")
    for precision in ("float32", "bfloat16"):
        assert made(StyleConfig(precision=precision)).config.precision == precision


def test_no_path_gets_into_it(tmp_path):
    folder = tmp_path / "secret-folder"
    folder.mkdir()
    path = folder / "holiday.png"
    path.write_bytes(images.encode_png(pixels()))
    weights = folder / "vgg16.h5"
    weights.write_bytes(b"weights")
    for source in (path, str(path), path.read_bytes()):
        picture = images.read_image(source)
        found = made(StyleConfig(weights=str(weights)), content=picture, style=picture)
        text = found.to_json()
        assert "secret-folder" not in text
        assert str(tmp_path) not in text
        assert "/" not in found.content.name + found.style.name
    assert made(content=images.read_image(path)).content.name == "holiday.png"


def test_weights_are_named_and_digested(tmp_path):
    path = tmp_path / "vgg16.h5"
    path.write_bytes(b"weights")
    found = made(StyleConfig(weights=str(path)))
    assert found.weights == Input("vgg16.h5", hashlib.sha256(b"weights").hexdigest())
    assert found.config.weights == "vgg16.h5"
    imagenet = made(StyleConfig(weights="imagenet"))
    assert imagenet.weights is None
    assert imagenet.config.weights == "imagenet"


def test_digests_are_of_pixels_and_not_of_files(tmp_path):
    picture = Image.fromarray(images.to_uint8(pixels()))
    for name in ("a.png", "b.bmp", "c.tiff"):
        picture.save(tmp_path / name)
    found = [made(content=images.read_image(tmp_path / n)).content for n in ("a.png", "b.bmp")]
    assert [f.name for f in found] == ["a.png", "b.bmp"]
    assert found[0].digest == found[1].digest
    assert made(content=images.read_image(tmp_path / "c.tiff")).content.digest == found[0].digest
    changed = pixels()
    changed[0, 0, 0] = (changed[0, 0, 0] + 0.5) % 1
    assert made(content=images.Picture(changed, "a.png", ())).content.digest != found[0].digest
    # The same numbers in another shape are another picture.
    turned = images.Picture(pixels().reshape(7, 5, 3), "a.png", ())
    assert made(content=turned).content.digest != found[0].digest


# Refusals


def refused(call) -> str:
    """The one line of the ValueError that `call` raises."""
    with pytest.raises(ValueError, match=r".") as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    return line


def changed(**fields) -> str:
    return json.dumps(json.loads(RECIPE.to_json()) | fields)


@pytest.mark.parametrize(
    "text",
    ["", "recipe", "{", "[1, 2", 100_000 * "[", '{"a":' * 100_000, '{"seed": 1' + 5000 * "0" + "}"],
    ids=["empty", "word", "open", "list", "deep lists", "deep objects", "5000 digits"],
)
def test_what_is_no_json(text):
    assert refused(lambda: parse_recipe(text)) == "recipe: not valid JSON"


@pytest.mark.parametrize("text", ["null", "1", "[]", '"x"', "{}", changed(format=3)])
def test_what_is_no_recipe_or_of_another_format(text):
    assert refused(lambda: parse_recipe(text)) == "recipe: must be an object of format 1 or 2"


@pytest.mark.parametrize("field", ["seed", "content", "style", "weights", "config", "versions"])
def test_missing_fields(field):
    record = json.loads(RECIPE.to_json())
    del record[field]
    line = refused(lambda: parse_recipe(json.dumps(record)))
    assert line == f"recipe: the field '{field}' is missing"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"seed": -1}, "seed must be an integer from 0 to 2^128; received -1"),
        ({"seed": True}, "seed must be an integer from 0 to 2^128; received True"),
        ({"seed": 1.5}, "seed must be an integer from 0 to 2^128; received 1.5"),
        ({"seed": "7"}, "seed must be an integer from 0 to 2^128; received '7'"),
        ({"versions": []}, "versions must be an object"),
        ({"content": "cat.png"}, "content must be an object of a name and a digest"),
        ({"content": {"name": "x"}}, "content must be an object of a name and a digest"),
        ({"style": {"name": "x", "digest": DIGEST, "path": "/x"}}, "style must be an object"),
        ({"style": {"name": "", "digest": DIGEST}}, "name must be a string of 1 to 200"),
        ({"style": {"name": 201 * "x", "digest": DIGEST}}, "name must be a string of 1 to 200"),
        ({"style": {"name": "x", "digest": DIGEST[1:]}}, "64 hexadecimal digits"),
        ({"style": {"name": "x", "digest": DIGEST + "\n"}}, "64 hexadecimal digits"),
        ({"more_styles": {}}, "more_styles must be a list of at most 3"),
        ({"more_styles": 4 * [1]}, "more_styles must be a list of at most 3"),
        ({"more_styles": ["x"], "style_weights": [1, 1]}, "more_styles must be an object"),
        ({"style_weights": [0.5, 0.5]}, "style_weights must be one a style; received 2 for 1"),
        ({"style_weights": [-1]}, "style_weights must be finite non-negative numbers"),
        ({"style_weights": "1"}, "style_weights must be finite non-negative numbers"),
        ({"mask": 1}, "mask must be a PNG in base64"),
        ({"mask": "%"}, "mask must be a PNG in base64"),
        ({"mask": "aGVsbG8="}, "recipe: mask"),
        ({"style_mask": "%"}, "style_mask must be a list of PNG in base64"),
        ({"style_mask": ["%", "%"]}, "style_mask must be a PNG in base64"),
        ({"style_mask": [MASK]}, "recipe: style_mask must be a map of the photograph and one of"),
        ({"weights": "vgg16.h5"}, "weights must be an object"),
        ({"weights": {"name": 1, "digest": DIGEST}}, "name must be a string"),
        ({"config": []}, "StyleConfig must be an object"),
        ({"config": {"sides": 64}}, "StyleConfig has no field 'sides'"),
        ({"config": {"side": 1e9}}, "side must be an integer from 16 to 8192"),
        ({"config": {"strength": float("nan")}}, "strength must be from 0 to 1"),
        ({"config": {"encoder": {"layer": "conv9"}}}, "conv9"),
        ({"config": {"paint": {"x\ny": 1}}}, "PaintConfig has no field"),
    ],
)
def test_broken_fields(fields, words):
    assert words in refused(lambda: parse_recipe(changed(**fields)))


def test_a_recipe_of_version_0_1_0_is_read():
    settings = json.loads(RECIPE.to_json())["config"] | {"weights": None}
    found = parse_recipe(changed(config=settings))
    assert found.config == replace(RECIPE.config, weights="random")


@pytest.mark.parametrize("method", ["paint", "patches"])
def test_a_picture_of_0_1_0_that_cannot_be_made_again_is_refused(method):
    settings = {"method": method, "side": 64, "patches": {"size": 7, "refine_steps": 20}}
    found = refused(lambda: parse_recipe(changed(config=settings)))
    assert f"made by {method} of version 0.1.0, which later versions do not have" in found


def test_settings_of_0_1_0_that_did_not_matter_are_left_out():
    settings = {"method": "transport", "side": 64, "patches": {"size": 7, "refine_steps": 20}}
    found = parse_recipe(changed(config=settings))
    assert found.config == StyleConfig(method="transport", side=64)


VGG = {"method": "optimise", "network": "vgg", "side": 64}


def test_an_earlier_picture_of_network_vgg_is_read_or_refused():
    settings = VGG | {"encoder": {"layer": "conv1_2", "tap": "post_pool"}, "weights": None}
    found = parse_recipe(changed(config=settings)).config
    assert found == StyleConfig(
        method="optimise", network="vgg", side=64, encoder=NetworkConfig(tap="post_pool")
    )
    for change in ({"encoder": {"layer": "conv2_2"}}, {"weights": "vgg16.h5"}):
        line = refused(lambda change=change: parse_recipe(changed(config=settings | change)))
        assert "made by an earlier version, which ran network vgg on other layers or biases" in line
        # Of today, they are as they are.
        today = settings | {"weights": "random", "weights_for": "both"} | change
        assert parse_recipe(changed(config=today)).config.network == "vgg"


def test_fields_left_out_of_the_config_keep_their_defaults():
    found = parse_recipe(changed(config={"side": 64}))
    assert found.config == replace(StyleConfig(), side=64)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(json.loads(RECIPE.to_json()))), JSON)
def test_any_json_value_is_taken_or_refused_in_one_line(field, value):
    text = changed(**{field: value})
    try:
        recipe = parse_recipe(text)
    except ValueError:
        refused(lambda: parse_recipe(text))
    else:
        assert parse_recipe(recipe.to_json()) == recipe


def test_a_picture_without_a_recipe(tmp_path):
    path = tmp_path / "plain.png"
    path.write_bytes(images.encode_png(pixels()))
    expected = "plain.png: no recipe inside; only pictures made by rrstyle have one"
    assert refused(lambda: read_recipe(path)) == expected
    data = path.read_bytes()
    assert refused(lambda: read_recipe(data, name="mine.png")).startswith("mine.png: no recipe")
    assert refused(lambda: read_recipe(data)).startswith("the picture: no recipe")


def test_a_picture_of_another_kind_has_none(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(images.to_uint8(pixels())).save(path)
    assert "photo.jpg" in refused(lambda: read_recipe(path))


def test_a_picture_with_a_broken_recipe():
    data = images.encode_png(pixels(), text={TEXT_KEY: "{"})
    assert refused(lambda: read_recipe(data)) == "recipe: not valid JSON"


def test_a_missing_file():
    with pytest.raises(OSError, match=r"none\.png"):
        read_recipe(Path("/nonexistent/none.png"))
