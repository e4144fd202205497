"""The configs: what each rule refuses and says, and the way to plain values and back."""

import json
import re
from dataclasses import FrozenInstanceError, fields
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrstyle.config import (
    NetworkConfig,
    OptimiseConfig,
    PaintConfig,
    StyleConfig,
    from_dict,
    to_dict,
)
from tests.support.configs import STYLES

KINDS = (NetworkConfig, OptimiseConfig, PaintConfig, StyleConfig)
CHOICES = [
    (kind, name, get_args(hint))
    for kind in KINDS
    for name, hint in get_type_hints(kind).items()
    if get_origin(hint) is Literal
]


def test_the_papers_network_is_the_default():
    config = NetworkConfig()
    assert (config.architecture, config.layer, config.tap) == ("vgg16", "conv1_2", "pre_pool")
    assert (config.upsampling, config.pooling, config.padding) == ("zero", "max", "reflect")
    assert (config.encoder_activation, config.decoder_activation) == ("relu", "relu")
    assert (config.law, config.std) == ("gaussian", 0.01)


def test_there_are_choices():
    assert len(CHOICES) == 18


@pytest.mark.parametrize(("kind", "name", "choices"), CHOICES)
def test_every_choice_is_taken_and_others_are_refused(kind, name, choices):
    others = {"layer": "conv1_1"} if name == "architecture" else {}  # one that both have
    for choice in choices:
        assert getattr(kind(**{name: choice}, **others), name) == choice
    for wrong in ("nonsense", choices[0].upper(), "", None, 0, [choices[0]]):
        rule = f"{name} must be one of {', '.join(choices)}; received {wrong!r}"
        with pytest.raises(ValueError, match=re.escape(rule)):
            kind(**{name: wrong})


NOT_COUNTS = (0, -1, 1.5, 2.0, True, "3")
BELOW, ABOVE = (0, -0.1, float("nan"), True, "1", None), (float("inf"), 1e300, 10**400)
NOT_POSITIVE = BELOW + ABOVE
NOT_SHARES = (-0.01, 1.01, float("nan"), True, "0.5", None)
NOT_LAYERS = (("conv2",), ("conv6_1",), ("conv2_1", "conv2_1"), ("",), "conv2_1", ["conv2_1"], (3,))
NOT_TO_TEN = (-0.01, 10.01, float("nan"), float("inf"), True, "1", None)
RULES = [
    (NetworkConfig, "channels", "an integer from 1 to 4096", (*NOT_COUNTS, 4097, 10**400)),
    (NetworkConfig, "kernel", "an integer from 1 to 99", (*NOT_COUNTS, 100)),
    (NetworkConfig, "std", "from 0.0001 to 100", (*NOT_POSITIVE, 101)),
    (NetworkConfig, "layer", "a name such as conv1_2", (None, 5, ("conv1",))),
    (NetworkConfig, "layer", "conv1_1 to conv5_3 of vgg16", ("conv6", "pool1", "")),
    (
        OptimiseConfig,
        "steps",
        "one to six integers from 1 to 100000",
        ((), (1,) * 7, (0,), (1.0,), (True,), (100_001,), [5], 5, None),
    ),
    (OptimiseConfig, "learning_rate", "from 1e-09 to 10", (*NOT_POSITIVE, 11)),
    (OptimiseConfig, "style_weight", "from 0 to 1e+06", (*BELOW[1:], *ABOVE)),
    (OptimiseConfig, "content_weight", "from 0 to 1e+06", (*BELOW[1:], *ABOVE)),
    (OptimiseConfig, "content_layers", "different ones of conv1_1 to conv5_3", NOT_LAYERS),
    (OptimiseConfig, "style_layers", "different ones of conv1_1 to conv5_3", NOT_LAYERS),
    (PaintConfig, "size", "an odd integer from 3 to 31", (1, 2, 4, -3, 33, 3.0, True, None)),
    (
        PaintConfig,
        "rounds",
        "one to twelve integers from 1 to 100",
        ((), (1,) * 13, (2, 0), (1.0,), (101,), [1], 1),
    ),
    (
        PaintConfig,
        "content_mix",
        "two numbers from 0 to 1",
        ((0.1,), (0.1, 0.2, 0.3), (0.1, 1.1), (True, 0.1), 0.1, [0.1, 0.2]),
    ),
    (PaintConfig, "coarsest", "an integer from 1 to 8192", (*NOT_COUNTS, None, 8193)),
    (PaintConfig, "searched", "an integer from 1 to 8192", (*NOT_COUNTS, None, 8193)),
    (PaintConfig, "matched", "an integer from 1 to 8192", (*NOT_COUNTS, None, 8193)),
    (PaintConfig, "keys", "an integer from 1 to 1000000", (*NOT_COUNTS, None, 10**400)),
    (PaintConfig, "projection", "an integer from 1 to 1024", (*NOT_COUNTS, None, 2**31)),
    (PaintConfig, "calm", "from 0 to 1", NOT_SHARES),
    (PaintConfig, "diversity", "from 0 to 1", NOT_SHARES),
    (PaintConfig, "detail", "from 0 to 1", NOT_SHARES),
    (PaintConfig, "completeness", "from 1e-06 to 1e+06", NOT_POSITIVE),
    (PaintConfig, "variety", "from 0 to 10", NOT_TO_TEN),
    (PaintConfig, "occupancy", "from 0 to 10", NOT_TO_TEN),
    (PaintConfig, "coherence", "from 1 to 10", (*NOT_TO_TEN, 0.99)),
    (StyleConfig, "wildness", "from 0 to 1", NOT_SHARES),
    (StyleConfig, "strength", "from 0 to 1", NOT_SHARES),
    (StyleConfig, "side", "an integer from 16 to 8192", (15, 8193, 512.0, True, None, 10**20)),
    (
        StyleConfig,
        "composed_at",
        "None or an integer from 16 to the side, 512",
        (15, 513, 64.0, True),
    ),
    (StyleConfig, "style_scale", "from 0.25 to 4", (0.24, 4.1, float("nan"), True, "1", None)),
    (StyleConfig, "fvt_seed", "None or an integer from 0 to 2^128", (-1, 1.0, True, 2**129)),
    (StyleConfig, "keep_colours", "True or False", (0, 1, "yes", None)),
    (StyleConfig, "style_rotate", "True or False", (0, 1, "yes", None)),
    (StyleConfig, "tile", "True or False", (0, 1, "yes", None)),
    (StyleConfig, "decoder", "ridge, random or the name of trained networks", ("", None, 5)),
    (StyleConfig, "weights", "random, imagenet or a file name", ("", 5, b"x", None)),
    (StyleConfig, "encoder", "a NetworkConfig", (None, "vgg16", PaintConfig(), NetworkConfig)),
    (StyleConfig, "optimise", "a OptimiseConfig", (None, {})),
    (StyleConfig, "paint", "a PaintConfig", (None, {})),
]


@pytest.mark.parametrize(("kind", "name", "rule", "wrong"), RULES)
def test_every_rule_names_the_setting_the_rule_and_the_value(kind, name, rule, wrong):
    for value in wrong:
        words = f"{name} must be {rule}; received {value!r}"
        with pytest.raises(ValueError, match=re.escape(words)):
            kind(**{name: value})


def test_every_setting_has_a_rule_or_a_choice():
    covered = {(kind, name) for kind, name, _ in CHOICES}
    covered |= {(kind, name) for kind, name, _, _ in RULES}
    assert covered == {(kind, f.name) for kind in KINDS for f in fields(kind)}


def test_the_ends_of_ranges_are_taken():
    StyleConfig(side=16, wildness=0, strength=0, style_scale=0.25)
    StyleConfig(side=8192, wildness=1, strength=1, style_scale=4)
    PaintConfig(size=3, content_mix=(0, 1), rounds=(1,) * 12)
    PaintConfig(calm=0, diversity=0, detail=0, variety=0, occupancy=0, coherence=1)
    PaintConfig(calm=1, diversity=1, detail=1, variety=10, occupancy=10, coherence=10)
    OptimiseConfig(steps=(1,) * 6, content_weight=0)
    OptimiseConfig(content_layers=("conv1_2", "conv5_3"), style_layers=("conv4_2",))
    StyleConfig(fvt_seed=0)
    NetworkConfig(channels=1, kernel=1)


def test_the_layer_is_of_the_architecture():
    NetworkConfig(layer="conv5_3")
    with pytest.raises(ValueError, match="layer must be conv1_1 to conv5_1 of alexnet"):
        NetworkConfig(architecture="alexnet", layer="conv5_3")


@pytest.mark.parametrize("name", ["style_rotate", "tile"])
def test_only_paint_turns_strokes_and_tiles(name):
    StyleConfig(**{name: True})
    rule = f"{name} must be False where method is transport; received True"
    with pytest.raises(ValueError, match=rule):
        StyleConfig(method="transport", **{name: True})


def test_only_paint_keeps_a_composition():
    StyleConfig(composed_at=64)
    with pytest.raises(ValueError, match="composed_at must be None where method is adain; rec"):
        StyleConfig(method="adain", composed_at=64)


def test_wildness_needs_the_ridge_decoder():
    StyleConfig(decoder="random")
    StyleConfig(decoder="ridge", wildness=0.5)
    rule = "wildness must be 0 where decoder is random: it mixes into the ridge; received 0.5"
    with pytest.raises(ValueError, match=re.escape(rule)):
        StyleConfig(decoder="random", wildness=0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_configs_are_frozen_and_hashable(kind):
    config = kind()
    with pytest.raises(FrozenInstanceError):
        setattr(config, fields(kind)[0].name, "other")
    assert hash(config) == hash(kind())
    assert config == kind()


# Plain values and back


@given(STYLES)
def test_plain_values_come_back_as_the_same_config(config):
    assert from_dict(StyleConfig, to_dict(config)) == config
    assert from_dict(StyleConfig, json.loads(json.dumps(to_dict(config)))) == config


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([(k, f.name) for k in KINDS for f in fields(k)]), JSON)
def test_any_json_value_is_taken_or_a_value_error(setting, value):
    kind, name = setting
    try:
        config = from_dict(kind, {name: value})
    except ValueError:
        return
    assert from_dict(kind, to_dict(config)) == config


def test_missing_fields_keep_their_defaults():
    assert from_dict(StyleConfig, {}) == StyleConfig()
    found = from_dict(StyleConfig, {"encoder": {"channels": 8}})
    assert found.encoder == NetworkConfig(channels=8)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"metod": "paint"}, "StyleConfig has no field 'metod'"),
        ({"encoder": {"depth": 3}}, "NetworkConfig has no field 'depth'"),
        ({"check": 1}, "StyleConfig has no field 'check'"),
        ({1: 2}, "StyleConfig has no field '1'"),
        ({"encoder": None}, "encoder must be an object; received NoneType"),
        ([], "StyleConfig must be an object; received list"),
        ({"paint": {"rounds": [1, 0]}}, "rounds must be one to twelve"),
    ],
)
def test_what_plain_values_are_refused(values, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        from_dict(StyleConfig, values)
