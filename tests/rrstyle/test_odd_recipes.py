"""Recipes of strangers: each odd one is refused in a line that names the setting, before any work.

What the bounds let through is refused by its memory, or can be made.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from rrstyle import StyleConfig, memory, stylize
from rrstyle.config import NetworkConfig, OptimiseConfig, PaintConfig
from rrstyle.recipes import Input, Recipe, parse_recipe

DIGEST = "0" * 64
HUGE = 10**400  # an integer in JSON; 1e400 is read as infinity
RECORD = json.loads(
    Recipe(StyleConfig(), 7, Input("a.png", DIGEST), Input("b.png", DIGEST), None, {}).to_json()
)

OF_ENCODER = {
    "channels": (20_000, 4097, 0, -1, 2.5, "16", [16], True, HUGE, 1e400),
    "kernel": (10**6, 100, 0, -3, "3", 1e400),
    "std": (0, -1, 1e-300, 1e300, 1e400, "0.01", None),
    "layer": ("conv99", "", None, 5, ["conv1"], "conv1_2\n"),
    "law": ("cauchy", None, 1),
    "architecture": ("resnet", None, {}),
}
OF_PAINT = {
    "size": (10**6 + 1, 33, 8, -7, "7", None, 1e400),
    "keys": (HUGE, 1e400, 0, "all"),
    "projection": (2**31, 10**6, 0, None),
    "coarsest": (0, 1e400, 10**9),
    "searched": (10**9, -1, None),
    "matched": (10**9, 0, "384"),
    "rounds": ([], [1] * 13, [10**9], [1e400], 4, None),
    "content_mix": ([0.5], [0, 1e400], None, "ab"),
    "calm": (-1, 2, 1e400, None),
    "variety": (1e400, -1, None),
    "completeness": (0, 1e-300, 1e400),
    "coherence": (0, 1e400, "1"),
    "occupancy": (-1, 1e400),
    "detail": (2, None),
}
OF_OPTIMISE = {
    "steps": ([10**9], [1] * 7, [], [0], None, 100, [1e400]),
    "learning_rate": (0, 1e300, 1e400, None),
    "style_weight": (-1e-9, 1e300, 1e400, -1),
    "loss": ("l1", None),
}
OF_STYLE = {
    "side": (10**9, 15, 1e400, None, "512", 512.0),
    "style_scale": (1e9, 0, 1e400, None),
    "strength": (1e400, -1, None, "1"),
    "wildness": (2, 1e400),
    "keep_colours": (1, None, "no"),
    "tile": (2, None),
    "method": ("magic", None, 7),
    "encoder": (None, [], "vgg16", 1e400),
    "paint": (None, 5),
    "weights": ("", 5),
    "decoder": ("", None),
}
OF_RECIPE = {
    "seed": (1e400, HUGE, 2**128 + 1, -1, None, "7", True, 7.0),
    "style_weights": (None, [None], [1e400], [-1], [], "1", 1, {}, [[1]], [HUGE], [10**308, 1]),
    "more_styles": (None, 1, {}, [None], [[]]),
    "versions": (None, [], 1e400),
    "weights": ("vgg16.h5", [], {"name": None}),
    "content": (None, [], {"name": "x", "digest": None}, {"name": "x" * 10**6, "digest": DIGEST}),
    "mask": (1e400, "", "AAAA", [None], {}),
    "style_mask": (1e400, "", ["AAAA"], [None, None], {}),
    "format": (None, 3, 1e400, "1"),
}


def table(settings, wrap):
    """(setting, what the recipe has in place of its own) for every value."""
    return [(name, wrap(name, value)) for name, values in settings.items() for value in values]


def in_config(part):
    return lambda name, value: {"config": RECORD["config"] | {part: {name: value}}}


ODD = [
    *table(OF_ENCODER, in_config("encoder")),
    *table(OF_PAINT, in_config("paint")),
    *table(OF_OPTIMISE, in_config("optimise")),
    *table(OF_STYLE, lambda name, value: {"config": RECORD["config"] | {name: value}}),
    *table(OF_RECIPE, lambda name, value: {name: value}),
]


def text_of(changes):
    # As a stranger may write it: json.dumps says Infinity, where 1e400 is read as the same.
    return json.dumps(RECORD | changes).replace("Infinity", "1e400")


def test_there_are_many():
    assert len(ODD) > 150
    parse_recipe(text_of({}))


@pytest.mark.parametrize(("setting", "changes"), ODD, ids=range(len(ODD)))
def test_an_odd_recipe_is_refused_by_the_setting(setting, changes):
    with pytest.raises(ValueError, match=setting) as caught:
        parse_recipe(text_of(changes))
    line = str(caught.value)
    assert "\n" not in line
    assert " must " in line or "; received " in line


@pytest.mark.parametrize("text", ["", "[]", "1e400", "null", "[" * 10**5, "9" * 5000, '{"a":'])
def test_what_is_no_recipe(text):
    with pytest.raises(ValueError, match=r"^recipe: "):
        parse_recipe(text)


LARGE = {
    "channels and kernel": StyleConfig(encoder=NetworkConfig(channels=4096, kernel=99)),
    "side and style_scale": StyleConfig(side=8192, style_scale=4, method="adain"),
    "projection and matched": StyleConfig(
        side=8192, paint=PaintConfig(matched=8192, projection=1024)
    ),
    "keys and matched": StyleConfig(
        side=2048, paint=PaintConfig(matched=2048, keys=10**6, projection=1)
    ),
}


@pytest.mark.parametrize("settings", LARGE)
def test_what_takes_all_memory_is_refused_before_work_by_the_setting(settings, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1.0)
    noise = np.random.default_rng(0).random((64, 64, 3))
    steps = []
    words = (
        f"^{settings} must be smaller: the picture needs .+ GiB of memory, 1.0 are free; received"
    )
    with pytest.raises(ValueError, match=words):
        stylize(noise, noise, LARGE[settings], seed=0, on_step=steps.append)
    assert not steps


SMALL = StyleConfig(side=32, encoder=NetworkConfig(channels=4, kernel=3))
ENDS = [
    replace(SMALL, encoder=NetworkConfig(channels=1, kernel=1, std=1e-4)),
    replace(SMALL, encoder=NetworkConfig(channels=4, kernel=3, std=100), wildness=1),
    *(
        replace(SMALL, paint=PaintConfig(**settings))
        for settings in (
            {"size": 31, "coarsest": 1},
            {"searched": 1, "matched": 1, "keys": 1, "projection": 1},
            {"searched": 8192, "matched": 8192, "keys": 10**6, "projection": 1024},
            {"completeness": 1e-6, "coherence": 10, "occupancy": 10, "variety": 10},
            {"completeness": 1e6, "coherence": 1, "occupancy": 0, "variety": 0},
        )
    ),
    *(
        replace(SMALL, method="optimise", optimise=OptimiseConfig(**settings))
        for settings in (
            {"learning_rate": 10, "style_weight": 1e6, "steps": (2,)},
            {"learning_rate": 1e-6, "style_weight": 0, "steps": (1,) * 6},
            {"optimiser": "lbfgs", "style_weight": 1e6, "steps": (2,)},
        )
    ),
]


@pytest.mark.parametrize("config", ENDS, ids=range(len(ENDS)))
def test_what_lies_at_the_ends_of_the_bounds_is_made(config):
    rng = np.random.default_rng(0)
    content, style = rng.random((32, 36, 3)), rng.random((40, 32, 3))
    image = stylize(content, style, config, seed=2**128)
    assert image.shape == (28, 32, 3)
    assert 0 <= image.min() <= image.max() <= 1
