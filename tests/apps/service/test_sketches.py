"""Sketches: small, made once, first those that are there, and stopped by whoever asks anew."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from apps.service import sketches
from apps.service.limits import Limits
from rrstyle.config import StyleConfig
from rrstyle.pictures import images
from rrstyle.presets import PRESETS

LIMITS = Limits()
CONFIGS = [StyleConfig(strength=share) for share in (0.25, 0.5, 0.75)]


@pytest.fixture
def asked(monkeypatch):
    """What the pipeline was asked for; nothing was sketched before."""
    found = []

    def stylize(content, styles, config, *, seed, weights, mask):
        found.append(config)
        return content * np.float32(config.strength)

    monkeypatch.setattr(sketches, "_kept", {})
    monkeypatch.setattr(sketches, "stylize", stylize)
    return found


def subject(key="cat") -> sketches.Subject:
    content = np.ones((4, 4, 3), np.float32)
    return sketches.Subject(key, 0, lambda: (content, [content], None), (1.0,))


def made(configs, key="cat", stop=None) -> list[StyleConfig]:
    stop = stop or threading.Event()
    return [config for config, _ in sketches.sketches(subject(key), configs, stop, LIMITS)]


def test_a_sketch_is_made_once_and_what_is_there_comes_first(asked):
    found = dict(sketches.sketches(subject(), CONFIGS[1:], threading.Event(), LIMITS))
    assert images.read_image(found[CONFIGS[1]]).pixels.max() == pytest.approx(0.5, abs=0.003)
    assert made(CONFIGS) == [*CONFIGS[1:], CONFIGS[0]]
    assert len(asked) == 3
    made(CONFIGS, key="dog")
    assert len(asked) == 6


def test_the_oldest_make_room(asked, monkeypatch):
    monkeypatch.setattr(sketches, "_MOST_KEPT", 2)
    made(CONFIGS)
    assert len(sketches._kept) == 2
    made(CONFIGS[1:])
    assert len(asked) == 3


def test_a_stopped_one_ends_before_the_next(asked, monkeypatch):
    stop, stylize = threading.Event(), sketches.stylize

    def stopped(*args, **options):
        stop.set()  # while the first one is made
        return stylize(*args, **options)

    monkeypatch.setattr(sketches, "stylize", stopped)
    made(CONFIGS, stop=stop)
    assert asked == [sketches.sketch_config(CONFIGS[0])]


def test_sketches_are_small_and_differ_as_their_looks_do():
    small = [sketches.sketch_config(preset.config) for preset in PRESETS.values()]
    assert len(set(small)) == len(PRESETS)
    assert {config.side for config in small} == {sketches.SIDE}
    pixels = np.random.default_rng(0).random((40, 60, 3), np.float32)
    real = replace(subject("random pixels"), load=lambda: (pixels, [pixels], None))
    config = PRESETS["palette-only"].config
    ((_, png),) = sketches.sketches(real, [config], threading.Event(), LIMITS)
    expected = sketches.stylize(pixels, [pixels], sketches.sketch_config(config), seed=0)
    assert png == images.encode_png(expected)
