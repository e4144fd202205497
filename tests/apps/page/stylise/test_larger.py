"""A liked picture made larger: what is offered, and what is ordered."""

from dataclasses import replace

import gradio as gr
import pytest

from apps.page.stylise import handlers, larger
from tests.apps.page.stylise.without_work import LIMITS, SETTINGS, album, request, run, values

WALL = replace(LIMITS, max_side=2048)
PAINT = ("paint", *SETTINGS[1:])


def test_sizes_are_offered_with_time_and_memory(pair, work):
    tab = handlers.Stylise(WALL)
    run(tab.stylise, *values(pair, PAINT))
    chosen = album().pictures[0]
    album().pictures[0] = replace(chosen, seconds=2.0)
    row, sizes, button = tab.offer(request(), chosen.path.name)
    assert (row.visible, button.interactive) == (True, True)
    # 48 to 1024 pixels: (1 + 1.25) / (1 + 1.25 * 48 ** 2 / 2 ** 20) of 2 s.
    assert sizes.choices[0][0].startswith("1024 × 853: about 4 s, 1.")
    assert [side for _, side in sizes.choices] == [1024, 2048]
    row, sizes, _ = tab.offer(request(), None)
    assert (row.visible, sizes.choices) == (False, [])
    handlers.begin(request())
    assert tab.offer(request(), chosen.path.name)[2].interactive is False
    handlers.leave(request())


def test_the_same_seed_is_composed_at_the_small_size(pair, work, monkeypatch):
    monkeypatch.setattr(larger, "SIDES", (96, 128))
    tab = handlers.Stylise(WALL)
    run(tab.stylise, *values(pair, PAINT))
    second = album().pictures[1]
    last, _ = run(tab.larger, second.path.name, 96)
    asked = work.asked[-1]
    assert (asked["n"], asked["seed"]) == (1, second.seed)
    assert asked["config"] == replace(second.order.settings.config, side=96, composed_at=48)
    assert last["gallery"][0][1] == "Oil strokes, picture-1, 96 px, seed 4"
    # Once larger it is still composed as at first; what recolours pixels has nothing to keep.
    made = album().pictures[-1]
    album().pictures[-1] = replace(made, size=(80, 96))
    run(tab.larger, made.path.name, 128)
    assert work.asked[-1]["config"].composed_at == 48
    run(tab.stylise, *values(pair))
    run(tab.larger, album().pictures[-1].path.name, 96)
    assert work.asked[-1]["config"].composed_at is None


def test_what_cannot_be_larger_is_one_line(pair, work):
    tab = handlers.Stylise(replace(WALL, max_memory=1.2))
    run(tab.stylise, *values(pair))
    chosen = album().pictures[0].path.name
    with pytest.raises(gr.Error, match="1024, 2048; received 4096"):
        run(tab.larger, chosen, 4096)
    with pytest.raises(gr.Error, match=r"size and variants must fit 1\.2 GiB of memory"):
        run(tab.larger, chosen, 2048)
    with pytest.raises(gr.Error, match="choose one of the gallery first"):
        run(tab.larger, None, 1024)
    made = album().pictures[0]
    bent = replace(made.order.settings.config, method="optimise")
    order = replace(made.order, settings=replace(made.order.settings, config=bent))
    album().pictures[0] = replace(made, order=order)
    assert tab.offer(request(), chosen)[0].visible is False
