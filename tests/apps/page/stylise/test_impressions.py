"""What a page shows before anyone presses Stylise: sketches, and a finished picture first."""

import time

import gradio as gr
import numpy as np
import pytest

from apps.page.stylise import handlers, impressions, opening
from apps.service import owners, sketches
from apps.service.jobs import turns
from apps.service.limits import Limits
from apps.service.queue import ServerEnding
from rrstyle.pipeline import Variant
from rrstyle.presets import PRESETS
from rrstyle.progress import Step
from tests.apps.page.stylise.without_work import LIMITS, SETTINGS, reopened, request, run, values

LOOK = ("transport", 1, 1, 0, 48, 0, False, 1, False, False)  # that of Palette only


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sketches, "_kept", {})
    monkeypatch.setattr(sketches, "stylize", lambda content, *_, **__: content)
    monkeypatch.setattr(opening, "_first", None)


def sketched(handler, chosen, *given) -> dict:
    """What the widgets hold after all updates."""
    last: dict = {}
    for update in handler(request(), chosen, *given):
        found = dict(zip(impressions.SKETCHED, update, strict=True))
        last |= {name: value for name, value in found.items() if value != gr.skip()}
    return last


def test_a_change_shows_a_sketch_at_once_and_each_look_on_this_photograph(pair):
    page = impressions.Impressions(LIMITS)
    updates = list(page.impress(request(), None, *values(pair, LOOK)))
    first = dict(zip(impressions.SKETCHED, updates[1], strict=True))
    assert "Sketch: Palette only, picture-1" in first["stage"]
    assert first["sketches"].count("background-image") == 1
    last = sketched(page.impress, None, *values(pair, LOOK))
    assert last["sketches"].count("background-image") == len(PRESETS)
    assert last["chosen"] is None
    assert (last["more"].interactive, last["download"].interactive) == (False, False)
    # Settings that are no look's are sketched too, and shown beside none.
    other = sketched(page.impress, None, *values(pair, ("adain", *LOOK[1:])))
    assert "Sketch: adain" in other["stage"]
    assert other["sketches"].count("background-image") == len(PRESETS)


def test_a_finished_picture_stays_and_so_does_a_job(pair, work):
    page = impressions.Impressions(LIMITS)
    made, _ = run(handlers.Stylise(LIMITS).stylise, *values(pair))
    same = sketched(page.impress, made["chosen"], *values(pair, LOOK))
    assert set(same) == {"sketches"}
    assert "stage" in sketched(page.impress, made["chosen"], *values(pair, ("adain", *LOOK[1:])))
    handlers.begin(request())
    assert set(sketched(page.impress, None, *values(pair, ("adain", *LOOK[1:])))) == {"sketches"}
    handlers.leave(request())
    assert set(sketched(page.looks, None, *values(pair, SETTINGS))) == {"sketches"}


def test_what_cannot_be_sketched_is_left_to_the_job_to_tell(pair, monkeypatch):
    page = impressions.Impressions(LIMITS)
    for bad in (values(pair, styles=[None] * 4), values(pair, ("magic", *LOOK[1:]))):
        assert sketched(page.impress, None, *bad) == {}
    monkeypatch.setattr(owners, "may_have", lambda path, owner: False)
    assert sketched(page.impress, None, *values(pair)) == {}


def test_a_new_change_ends_the_sketches_of_the_one_before(pair):
    page = impressions.Impressions(LIMITS)
    before = page.impress(request(), None, *values(pair))
    next(before)
    flag = impressions._stops["tab"]
    next(page.impress(request(), None, *values(pair)))
    assert flag.is_set()
    impressions.stop(request())
    assert "tab" not in impressions._stops


@pytest.fixture
def first(monkeypatch):
    """The opening picture, made of nothing."""
    image = np.full((30, 45, 3), 0.5, np.float32)

    def variants(content, style, config, *, n, seed, on_step):
        on_step(Step("working", 0.5))
        yield Variant(seed, image)

    monkeypatch.setattr(opening, "variants", variants)
    opening.start()
    assert opening.first_picture(30)


def test_a_page_opens_with_a_finished_picture(pair, work, first):
    opened = reopened()
    assert "For example: chelsea by starry-swirls" in opened["stage"]
    # With pictures of one's own it opens with the newest of them.
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    opened = reopened()
    assert "seed 4" in opened["stage"]


def test_the_opening_picture_is_waited_for_where_it_is_not_there_yet(pair, first, monkeypatch):
    asked = []

    def later(seconds=0.0):
        asked.append(seconds)
        return picture if any(asked) else None

    picture = opening.first_picture()
    monkeypatch.setattr(opening, "first_picture", later)
    last = sketched(impressions.Impressions(LIMITS).looks, None, *values(pair))
    assert "For example" in last["stage"]


def test_the_opening_picture_gives_way_to_jobs():
    with turns.place(Limits(), held=0) as wait:
        assert wait(1) == 0
        began = time.monotonic()
        opening.threading.Timer(0.3, turns.close, [0]).start()
        with pytest.raises(ServerEnding):
            opening._give_way(Step("working", 0.5))
        assert time.monotonic() - began > 0.2
    turns.open()
    opening._give_way(Step("working", 0.5))
