"""The estimate of memory, and the refusal of what does not fit."""

import numpy as np
import pytest

from rrstyle import StyleConfig, memory, stylize


def test_estimates_by_hand():
    # .9 for the libraries; .6 and .15 a megapixel for paint, 4 and 1.2 for the others.
    assert memory.memory_estimate(StyleConfig(side=1024)) == pytest.approx(0.9 + 0.6 + 0.15)
    optimised = StyleConfig(side=2048, method="optimise")
    assert memory.memory_estimate(optimised) == pytest.approx(0.9 + 4 * 4)
    assert memory.memory_estimate(StyleConfig(side=512, method="adain")) == pytest.approx(1.2)


def test_a_picture_that_does_not_fit_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 8.0)
    noise = np.random.default_rng(0).random((32, 32, 3))
    steps = []
    words = r"side must fit the memory that is free, 8.0 GiB; received 8192, which takes about 11.1"
    with pytest.raises(ValueError, match=words):
        stylize(noise, noise, StyleConfig(side=8192), seed=0, on_step=steps.append)
    assert not steps


def test_a_system_that_does_not_tell_refuses_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.check_memory(StyleConfig(side=8192, method="optimise"))


def test_available_memory_is_some_of_the_machine():
    found = memory.available_memory()
    assert found is None or 0 < found < 10_000
