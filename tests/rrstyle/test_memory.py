"""The estimate of memory, and the refusal of what does not fit."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle import StyleConfig, memory, stylize


def test_estimates_by_hand():
    # .9 for the libraries; .6 and .15 a megapixel for paint, 4 and 1.2 for the others; networks of
    # 16 channels are small, and so are the 32 dimensions and 6000 keys of 384 x 384 patches.
    estimate, patches = memory.memory_estimate, 24 * 32 * 384**2 + 2048 * 6000
    found = estimate(StyleConfig(side=1024))
    assert found == pytest.approx(0.9 + 0.6 + 0.15 + patches / 2**30, abs=0.01)
    optimised = StyleConfig(side=2048, method="optimise")
    assert estimate(optimised) == pytest.approx(0.9 + 4 * 4, abs=0.01)
    closed = StyleConfig(side=512, method="adain")
    assert estimate(closed) == pytest.approx(0.9 + 1.2 / 4, abs=0.01)
    # A style of twice the side is four times the pixels.
    assert estimate(replace(closed, style_scale=2.0)) == pytest.approx(0.9 + 1.2 * 5 / 8, abs=0.01)
    # 240 maps more at .03 a megapixel, and a square matrix of the 25 x 256 unknowns.
    wide = replace(closed, encoder=replace(closed.encoder, channels=256))
    more = 240 * 0.03 / 4 + 16 * 6400**2 / 2**30
    assert estimate(wide) == pytest.approx(0.9 + 0.3 + more, abs=0.1)
    # Behind a pool of stride 2, 32 maps are 8 values a pixel.
    deep = replace(closed.encoder, layer="conv1", tap="post_pool", channels=32, kernel=3)
    assert estimate(replace(closed, encoder=deep)) == pytest.approx(1.2 + 16 * 0.03 / 4, abs=0.01)


def test_a_picture_that_does_not_fit_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 8.0)
    noise = np.random.default_rng(0).random((32, 32, 3))
    steps = []
    words = r"side must be smaller: the picture needs 11.2 GiB of memory, 8.0"
    with pytest.raises(ValueError, match=words):
        stylize(noise, noise, StyleConfig(side=8192), seed=0, on_step=steps.append)
    assert not steps


def test_a_system_that_does_not_tell_refuses_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.check_memory(StyleConfig(side=8192, method="optimise"))


def test_available_memory_is_some_of_the_machine():
    found = memory.available_memory()
    assert found is None or 0 < found < 10_000
