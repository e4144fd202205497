"""The load test in small, and that it would see what it looks for."""

import os
from collections import Counter

import numpy as np
import pytest

from apps.service.limits import Limits, ServerConfig
from apps.service.server import serving
from benchmarks import load
from tests.support.app_client import GRADIO_WARNINGS, free_port

pytestmark = GRADIO_WARNINGS


@pytest.fixture(scope="module")
def url():
    limits = Limits(queue=2)
    with serving(ServerConfig(port=free_port(), limits=limits)) as address:
        yield address


def test_a_few_clients_get_right_answers(url, monkeypatch):
    monkeypatch.setattr(load, "_METHODS", ("transport", "adain"))
    found = load.run_load(url, os.getpid(), clients=4, seconds=3)
    assert found.wrong == 0, found.outcomes
    assert found.outcomes["right"] == len(found.seconds) > 0
    lines: list[str] = []
    load.print_load(found, say=lines.append)
    assert any("p95" in line for line in lines)


def test_another_picture_counts_as_wrong(url, monkeypatch):
    right = load.pictures()
    wrong = {key: 255 - picture for key, picture in right.items()}
    monkeypatch.setattr(load, "pictures", lambda: wrong)
    monkeypatch.setattr(load, "_BAD", {"fine": ({}, "size must be")})
    found = load.run_load(url, os.getpid(), clients=1, seconds=2)
    assert found.outcomes["right"] == found.outcomes["refused"] == 0
    assert found.wrong == found.outcomes.total() > 0


def test_growth_compares_the_last_quarter_with_the_second():
    flat = load.Load(memory=[(i, 100.0 + 50 * (i < 10)) for i in range(40)])
    assert flat.growth() == 0
    growing = load.Load(memory=[(i, float(i)) for i in range(40)])
    assert growing.growth() == 20
    assert load.Load(outcomes=Counter({"right": 3, "lost: X": 2})).wrong == 2
    assert np.isfinite(load.resident(os.getpid()))
