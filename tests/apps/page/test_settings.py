"""The app's settings: the library's defaults and words, and the check behind the sliders."""

from dataclasses import replace

import pytest

from apps.page.settings import (
    CONTROLS,
    DEFAULTS,
    FIRST_LOOK,
    SMALLEST_SIDE,
    apply_look,
    check_settings,
    choices,
    field_help,
    find_look,
    look_hint,
    look_of,
)
from apps.service.limits import Limits
from rrstyle.config import StyleConfig
from rrstyle.presets import PRESETS

LIMITS = Limits(max_side=512, max_variants=6)
GOOD = {
    "method": "paint",
    "strength": 1,
    "n": 1,
    "wildness": 0,
    "side": 64,
    "seed": 0,
    "keep_colours": False,
    "style_scale": 1,
}


def test_defaults_and_hints_are_the_library_s():
    hints = field_help(StyleConfig)
    assert hints["strength"] == "0 returns the content, 1 the full style."
    assert {"method", "wildness", "side", "style_scale"} <= set(hints)
    assert "imagenet, VGG16's from keras.applications" in hints["weights"]  # of two lines
    assert StyleConfig(side=384) == DEFAULTS
    assert DEFAULTS.method in choices(StyleConfig, "method")


def test_a_look_is_what_its_preset_is():
    for look, preset in PRESETS.items():
        keys = [key for key, control in CONTROLS.items() if control.in_look]
        look_values = dict(zip(keys, apply_look(look), strict=True))
        settings = check_settings(look_values | {"n": 1, "side": 256, "seed": 0}, limits=LIMITS)
        # Every setting of a preset has a control: nothing of a look is lost on the way.
        assert settings.config == replace(preset.config, side=256)
        assert settings.title == preset.name
        assert find_look(settings.config) == look
        assert look_hint(look) == preset.hint
    assert find_look(DEFAULTS) == FIRST_LOOK
    assert find_look(StyleConfig(strength=0.123)) is None


def test_settings_that_are_changed_are_no_look_any_more():
    for look in PRESETS:
        values = apply_look(look)
        assert look_of(*values) == look
        values[1] = 0.35  # strength
        assert look_of(*values) is None
    assert look_of("magic", *values[1:]) is None


@pytest.mark.parametrize("look", ["", "magic", None, 3, ["oil-strokes"]])
def test_unknown_looks_are_refused(look):
    with pytest.raises(ValueError, match="look must be one of oil-strokes"):
        apply_look(look)
    assert "starting point" in look_hint(look)


def test_settings_reach_to_the_limits():
    for side in (SMALLEST_SIDE, 512):
        settings = check_settings(GOOD | {"side": float(side), "n": 6}, limits=LIMITS)
        assert (settings.config.side, settings.n) == (side, 6)
    assert check_settings(GOOD | {"strength": 0.5}, limits=LIMITS).title == "Half painted"
    assert check_settings(GOOD | {"strength": 0.4}, limits=LIMITS).title == "paint"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "magic"),
        ("method", ["paint"]),
        ("strength", 1.5),
        ("strength", None),
        ("strength", float("nan")),
        ("n", 0),
        ("n", 7),
        ("wildness", "a"),
        ("side", 513),
        ("side", 48.5),
        ("seed", -1),
        ("seed", True),
        ("keep_colours", "yes"),
        ("keep_colours", 1),
        ("style_scale", 0.1),
        ("style_scale", float("inf")),
    ],
)
def test_settings_are_checked_again_behind_the_sliders(name, value):
    with pytest.raises(ValueError, match="received"):
        check_settings(GOOD | {name: value}, limits=LIMITS)
