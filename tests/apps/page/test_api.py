"""The API's named endpoints, as `gradio_client` sees them."""

import io
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from apps.service.jobs import turns
from apps.service.limits import Limits, ServerConfig
from apps.service.server import serving
from rrstyle import examples, presets, recipes, stylize
from rrstyle.config import StyleConfig
from rrstyle.pictures import images
from tests.support.app_client import (
    GRADIO_WARNINGS,
    SIDE,
    connect,
    free_port,
    offline,
    request,
    write_pair,
)

pytestmark = [*GRADIO_WARNINGS, pytest.mark.usefixtures("offline")]
__all__ = ["offline"]


@pytest.fixture(scope="module")
def url():
    limits = Limits(max_side=256, max_variants=3, max_memory=2)
    with serving(ServerConfig(port=free_port(), limits=limits)) as address:
        yield address


@pytest.fixture(scope="module")
def client(url, offline):
    return connect(url)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"))


def read(path) -> np.ndarray:
    return images.read_image(Path(path)).pixels


def test_stylise_gives_the_library_s_pictures_one_by_one(client, pair):
    job = client.submit(**request(pair, variants=2, seed=3, strength=0.8, keep_colours=True))
    made = job.result(timeout=120)
    lengths = [len(update) for update in job.outputs()]
    assert lengths == sorted(lengths)
    assert {1, 2} <= set(lengths)
    assert [Path(path).name for path in made] == ["stylised-seed-3.png", "stylised-seed-4.png"]
    config = StyleConfig(method="transport", side=SIDE, strength=0.8, keep_colours=True)
    for seed, path in zip((3, 4), made, strict=True):
        expected = stylize(read(pair[0]), read(pair[1]), config, seed=seed)
        np.testing.assert_array_equal(images.to_uint8(read(path)), images.to_uint8(expected))
        recipe = recipes.read_recipe(Path(path))
        assert (recipe.seed, recipe.content.name) == (seed, "photo.png")


def test_a_cancelled_job_ends_on_the_server_too(client, pair):
    slow = {"method": "optimise", "size": 256, "variants": 3}
    job = client.submit(**request(pair, **slow))
    deadline = time.monotonic() + 60
    while turns.load() != (1, 0) or not job.outputs():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert job.cancel()
    while turns.load() != (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not any(job.outputs())  # long before its first picture


def test_several_styles_with_weights_and_a_mask(client, pair, tmp_path):
    mask = np.zeros((20, 24, 3), np.float32)
    mask[:, 12:] = 1
    (tmp_path / "mask.png").write_bytes(images.encode_png(mask))
    values = {"styles": ["waves", handle_file(pair[1])], "weights": [1, 3]}
    (path,) = client.predict(**request(pair, mask=handle_file(tmp_path / "mask.png"), **values))
    styles = [examples.example("waves"), read(pair[1])]
    config = StyleConfig(method="transport", side=SIDE)
    options = {"seed": 0, "weights": [1, 3], "mask": mask[:, :, 0]}
    expected = stylize(read(pair[0]), styles, config, **options)
    np.testing.assert_array_equal(images.to_uint8(read(path)), images.to_uint8(expected))
    recipe = client.predict(handle_file(path), api_name="/recipe")
    assert [recipe["style"]["name"], recipe["more_styles"][0]["name"]] == ["waves", "style.png"]
    assert recipe["style_weights"] == [1, 3]


def test_reconstruct_shows_input_and_readouts(client):
    shown = client.predict("chelsea", size=48, channels=8, api_name="/reconstruct")
    assert len(shown) == 3
    assert all(read(path).shape == (32, 48, 3) for path in shown)
    with pytest.raises(AppError, match="readout must be among"):
        client.predict("chelsea", readouts=["magic"], api_name="/reconstruct")


def test_examples_and_presets_are_the_library_s(client):
    names = [entry["name"] for entry in client.predict(api_name="/examples")]
    assert names == [*examples.PHOTOGRAPHS, *examples.STYLES]
    png = Path(client.predict("chelsea", api_name="/example")).read_bytes()
    assert images.digest(images.read_image(png).pixels) == images.digest(
        examples.example("chelsea")
    )
    looks = client.predict(api_name="/presets")
    assert [look["preset"] for look in looks] == list(presets.PRESETS)
    assert {look["settings"]["method"] for look in looks} > {"paint", "transport"}


def test_recipe_of_a_picture_without_one_is_a_line(client, pair):
    with pytest.raises(AppError, match="no recipe inside"):
        client.predict(handle_file(pair[0]), api_name="/recipe")


def test_endpoints_are_named_typed_and_documented(url):
    info = httpx.get(f"{url}gradio_api/info", trust_env=False).json()["named_endpoints"]
    named = {"/stylise", "/reconstruct", "/examples", "/example", "/presets", "/recipe"}
    assert set(info) == named  # the app's own events are not for programs
    for name, endpoint in info.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["description"], (name, parameter["parameter_name"])
            assert parameter["python_type"]["type"] not in ("", "Any")
        assert all(value["python_type"]["description"] for value in endpoint["returns"]), name
    optional = {p["parameter_name"] for p in info["/stylise"]["parameters"]}
    required = {
        p["parameter_name"]
        for p in info["/stylise"]["parameters"]
        if not p["parameter_has_default"]
    }
    assert required == {"content", "styles"}
    assert {"weights", "mask", "style_scale", "seed"} < optional


# What programs rely on: names, order and defaults, those of version 0.1.0.
SIGNATURES = {
    "/stylise": "content styles weights=None method='paint' strength=1.0 wildness=0.0"
    " keep_colours=False style_scale=1.0 size=384 variants=1 seed=0 mask=None",
    "/reconstruct": "image architecture='vgg16' layer='conv2' tap='pre_pool' law='gaussian'"
    " std=0.01 channels=0 kernel=0 upsampling='zero' readouts=['random', 'ridge'] size=192"
    " seed=0 run=None",
    "/examples": "",
    "/example": "name",
    "/presets": "",
    "/recipe": "picture",
}


def test_signatures_stay(url):
    info = httpx.get(f"{url}gradio_api/info", trust_env=False).json()["named_endpoints"]
    found = {}
    for name, endpoint in info.items():
        words = []
        for parameter in endpoint["parameters"]:
            default = f"={parameter['parameter_default']!r}"
            has_default = parameter["parameter_has_default"]
            words.append(parameter["parameter_name"] + (default if has_default else ""))
        found[name] = " ".join(words)
    assert found == SIGNATURES


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"content": None}, "content: no picture"),
        ({"content": "no-such"}, "unknown example 'no-such'"),
        ({"content": 7}, "content: no picture"),
        ({"styles": []}, "styles must be a list of 1 to 4 pictures; received 0"),
        ({"styles": ["waves"] * 5}, "styles must be a list of 1 to 4 pictures; received 5"),
        ({"styles": "waves"}, "styles must be a list"),
        ({"weights": [1, 2]}, "weights must be 1 numbers"),
        ({"weights": [0]}, "not all 0"),
        ({"method": "magic"}, "method must be one of"),
        ({"method": ["paint"]}, "method must be one of"),
        ({"strength": 7}, "strength must be from 0 to 1"),
        ({"wildness": "much"}, "wildness must be"),
        ({"keep_colours": "yes"}, "keep_colours must be True or False"),
        ({"style_scale": 9}, "style_scale must be from 0.25 to 4"),
        ({"size": 100_000}, "size must be a whole number from 32 to 256"),
        ({"variants": 4}, "variants must be a whole number from 1 to 3"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"mask": {"path": "x"}}, "mask: not an uploaded file"),
    ],
)
def test_bad_values_are_one_line(client, pair, values, message):
    with pytest.raises(AppError) as caught:
        client.predict(**request(pair, **values))
    line = str(caught.value)
    assert message in line
    assert "\n" not in line
    assert "Traceback" not in line


def test_the_readme_s_example_runs(url, pair, tmp_path, monkeypatch, capsys):
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    snippets = re.findall(r"^```py\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (snippet,) = (text for text in snippets if '"http://127.0.0.1:7860"' in text)
    for path, name in zip(pair, ("photo.jpg", "painting.jpg"), strict=True):
        (tmp_path / name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet.replace("http://127.0.0.1:7860", url), "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "7"


def test_the_http_form_works_without_the_client(url):
    body = {"content": "chelsea", "styles": ["waves"], "method": "transport", "size": SIDE}
    call = f"{url}gradio_api/call/v2/stylise"
    with httpx.Client(trust_env=False, timeout=120) as http:
        event = http.post(call, json=body | {"seed": 5}).json()["event_id"]
        stream = http.get(f"{call}/{event}").text
        assert "event: complete" in stream, stream
        path = stream.rsplit('"path": "', 1)[1].split('"')[0]
        png = http.get(f"{url}gradio_api/file={path}").content
    assert recipes.read_recipe(io.BytesIO(png)).seed == 5


def test_a_link_to_the_page_is_shown_by_its_own_name(url):
    page = httpx.get(url, trust_env=False).text
    shown = [tag for tag in re.findall(r"<meta[^>]*>", page) if "og:" in tag or "twitter:" in tag]
    assert 'content="rrstyle"' in shown[0]
    assert "radio" not in "".join(shown)
