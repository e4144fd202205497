"""The Stylise tab's handlers, with the pipeline's work replaced, and the session's album."""

import base64
import time
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from apps.page import uploads
from apps.page.stylise import album as web_album
from apps.page.stylise import handlers, views
from apps.service import jobs
from rrstyle import recipes
from rrstyle.pictures import images
from rrstyle.progress import Step
from tests.apps.page.stylise.without_work import (
    LIMITS,
    SETTINGS,
    album,
    click,
    request,
    run,
    values,
)


def test_pictures_come_one_by_one_with_their_recipes(pair, work):
    tab = handlers.Stylise(LIMITS)
    last, updates = run(tab.stylise, *values(pair))
    assert "Done: 2 pictures" in last["status"]
    lengths = [len(u["gallery"]) for u in updates if u["gallery"] != gr.skip()]
    assert lengths == sorted(lengths)
    words = [words for _, words in last["gallery"]]  # the newest first
    assert words == [f"Palette only, picture-1, seed {seed}" for seed in (4, 3)]
    pictures = album().pictures
    assert last["chosen"] == pictures[0].path.name
    for made, seed in zip(pictures, (3, 4), strict=True):
        recipe = recipes.read_recipe(made.path)
        assert (recipe.seed, recipe.content.name) == (seed, "picture-0.png")
        assert images.read_image(made.before).pixels.shape == (40, 48, 3)
    with zipfile.ZipFile(last["archive"].value["path"]) as opened:
        names = [made.path.name for made in pictures]
        assert opened.namelist() == names
        assert [opened.read(name) for name in names] == [
            made.path.read_bytes() for made in pictures
        ]


def test_a_slow_method_begins_with_a_first_impression(pair, work):
    tab = handlers.Stylise(LIMITS)
    last, updates = run(tab.stylise, *values(pair, ("paint", *SETTINGS[1:])))
    assert [asked["config"].method for asked in work.asked] == ["transport", "paint"]
    shown = [u["stage"] for u in updates if u["stage"] != gr.skip()]
    assert "first impression" in shown[0]
    assert "first impression" not in last["stage"]
    assert not list(album().folder.glob("*-preview.png"))


def test_a_tile_lies_over_a_photograph_of_its_size(pair, work, monkeypatch):
    original = work.variants

    def rounded(content, *arguments, **options):
        yield from original(content[:38], *arguments, **options)

    monkeypatch.setattr(jobs, "variants", rounded)
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    made = album().pictures[0]
    assert images.read_image(made.before).pixels.shape[:2] == made.size == (38, 48)


def test_several_styles_their_shares_and_the_mask_reach_the_pipeline(pair, work):
    mask = np.zeros((4, 6, 3), np.float32)
    mask[1:3] = 1
    painted = uploads.MASK_START + base64.b64encode(images.encode_png(mask)).decode()
    styles = [pair[1], None, pair[0], None]
    tab = handlers.Stylise(LIMITS)
    run(tab.stylise, *values(pair, styles=styles, shares=(1, 0.3, 0.5, 1), mask=painted))
    (asked,) = work.asked
    assert len(asked["style"]) == 2
    assert asked["weights"] == (1.0, 0.5)
    np.testing.assert_array_equal(asked["mask"], mask[:, :, 0])


def test_more_like_this_goes_on_with_the_seeds(pair, work):
    tab = handlers.Stylise(LIMITS)
    run(tab.stylise, *values(pair))
    more, _ = run(tab.more_like_this, album().pictures[1].path.name)
    assert [made.seed for made in album().pictures] == [3, 4, 5, 6]
    assert more["chosen"] == album().pictures[2].path.name
    assert len(list(album().folder.glob("*.zip"))) == 1  # of all that there are
    # Pictures by other settings do not count: their seeds are free.
    run(tab.stylise, *values(pair, ("adain", *SETTINGS[1:])))
    run(tab.more_like_this, album().pictures[-1].path.name)
    assert [made.seed for made in album().pictures[-2:]] == [5, 6]


def test_stop_keeps_what_is_done(pair, work):
    work.go_on.clear()
    tab = handlers.Stylise(LIMITS)
    handlers.begin(request())
    last: dict = {}
    for update in tab.stylise(request(), *values(pair)):
        found = dict(zip(views.OUTPUTS, update, strict=True))
        last |= {name: value for name, value in found.items() if value != gr.skip()}
        if len(last.get("gallery", [])) == 1:
            handlers.stop(request("another tab"))  # means another job
            handlers.stop(request())
    assert "Stopped: 1 of 2 done and kept" in last["status"]
    assert len(album().pictures) == 1
    before = work.steps
    time.sleep(0.3)
    assert work.steps <= before + 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": ("magic", *SETTINGS[1:])}, "method must be one of"),
        ({"settings": (*SETTINGS[:4], 4096, *SETTINGS[5:])}, "size must be a whole number"),
        ({"styles": [None] * 4}, "style: no picture"),
        ({"styles": ["/etc/passwd", None, None, None]}, "style: no picture"),
        ({"shares": (2, 1, 1, 1)}, "share must be from 0 to 1"),
        ({"shares": ("1", 1, 1, 1)}, "share must be from 0 to 1"),
        ({"shares": (0, 1, 1, 1)}, "share must be above 0"),
        ({"mask": "nonsense"}, "mask must be a PNG"),
    ],
)
def test_what_breaks_a_rule_is_one_line(pair, work, change, message):
    tab = handlers.Stylise(LIMITS)
    with pytest.raises(gr.Error, match=message):
        run(tab.stylise, *values(pair, **change))
    assert work.asked == []


def test_errors_hold_no_trace_and_no_markup(pair, work, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("/secret <b>")

    monkeypatch.setattr(jobs, "variants", fail)
    with pytest.raises(gr.Error, match="something went wrong inside") as caught:
        run(handlers.Stylise(LIMITS).stylise, *values(pair))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    bad = {"path": pair[0]["path"], "orig_name": "<img src=x>.png"}
    (handlers.Path(bad["path"])).write_text("no picture")
    with pytest.raises(gr.Error) as caught:
        run(handlers.Stylise(LIMITS).stylise, bad, *values(pair)[1:])
    assert "<img" not in str(caught.value)


def test_stop_flags_are_a_session_s_own():
    runs = handlers._runs
    for session in ("a", "b"):
        handlers.begin(request(session))
    first, second = runs["a"].stop, runs["b"].stop
    handlers.stop(request("a"))
    assert first.is_set()
    assert not second.is_set()
    handlers.begin(request("a"))
    assert not runs["a"].stop.is_set()
    handlers.stop(request("nobody"))  # a stop without a job is not kept for a later one
    for session in ("a", "b"):  # before their jobs began
        handlers.leave(request(session))
    assert not runs


def test_a_picture_is_chosen_by_its_name(pair, work):
    run(handlers.Stylise(LIMITS).stylise, *values(pair))
    made = album().pictures[0]
    for name in (made.path.name, made.thumb.name):
        stage, chosen, recipe, *_ = click(f"/somewhere/else/{name}")
        assert chosen == made.path.name
        assert "picture-0.png" in recipe
        assert str(made.path) in stage
    for nothing in ("/etc/passwd", "", None, 3):
        assert all(value == gr.skip() for value in click(nothing))
    assert all(v == gr.skip() for v in handlers.show(request(), SimpleNamespace(value="x")))
    assert all(value == gr.skip() for value in click(str(made.path), "a stranger"))


def test_a_picture_looked_at_during_a_job_stays_and_starts_no_other(pair, work):
    tab = handlers.Stylise(LIMITS)
    run(tab.stylise, *values(pair))
    first, paint = album().pictures[0], ("paint", *SETTINGS[1:])
    off = [button.interactive for button in handlers.begin(request())[: len(views.SWITCHED)]]
    assert off == [name == "stop" for name in views.SWITCHED]
    *_, more = click(str(first.thumb))
    assert more.interactive is False
    during, _ = run(tab.stylise, *values(pair, paint))
    assert not {"stage", "chosen", "recipe", "download"} & set(during)
    assert len(album().pictures) == 4
    *_, more = click(str(first.thumb))
    assert more.interactive is True
    # The next job shows what it makes again.
    again, _ = run(tab.stylise, *values(pair, paint))
    assert again["chosen"] == album().pictures[4].path.name


def test_all_that_is_shown_of_an_unfinished_picture_is_of_it(pair, work):
    tab = handlers.Stylise(LIMITS)
    _, updates = run(tab.stylise, *values(pair, ("paint", *SETTINGS[1:])))
    shown = next(u for u in updates if u["stage"] != gr.skip())
    assert shown["chosen"] is None
    assert "not finished" in shown["recipe"]
    path = shown["download"].value["path"]
    assert path.endswith("-preview.png")
    assert path in shown["stage"]


def test_a_preview_outlives_a_stop_before_the_first_picture(pair, work, monkeypatch):
    def stopped(*arguments, **options):
        handlers.stop(request())
        while True:  # until the job heeds it
            options["on_step"](Step("working", 0.5))
            time.sleep(0.01)
            yield from ()

    original = work.variants

    def variants(content, style, config, **options):
        kind = original if config.method == "transport" else stopped
        yield from kind(content, style, config, **options)

    monkeypatch.setattr(jobs, "variants", variants)
    handlers.begin(request())
    paint = ("paint", *SETTINGS[1:])
    last, _ = run(handlers.Stylise(LIMITS).stylise, *values(pair, paint))
    assert "Stopped before one was finished" in last["status"]
    (preview,) = album().folder.glob("*-preview.png")
    assert str(preview) in last["stage"]


def test_the_reason_of_an_error_stays(pair, work):
    bad = values(pair, styles=[None] * 4)
    handlers.begin(request())
    with pytest.raises(gr.Error):
        run(handlers.Stylise(LIMITS).stylise, *bad)
    *_, status = handlers.fail(request(), None)
    assert "Not made: style: no picture; choose or upload one first" in status
    assert "server" in handlers.fail(request(), None)[-1]  # one that is not for people


def test_albums_lie_in_folders_that_nobody_can_guess_and_stay_small(cache, monkeypatch):
    album, other = web_album.Album(), web_album.Album()
    assert album.folder != other.folder
    assert len(album.folder.name) == 32
    monkeypatch.setattr(web_album, "MOST_PICTURES", 2)
    order = web_album.Order(None, (), (), "", None)
    config = SimpleNamespace(method="paint")
    order = replace(order, settings=SimpleNamespace(config=config))
    for seed in range(3):
        finished = jobs.Finished(seed, np.zeros((4, 4, 3), np.float32), b"png")
        album.add(finished, cache / "before.png", order)
    assert [made.seed for made in album.pictures] == [1, 2]
    assert album.find(album.pictures[0].path.name) is album.pictures[0]
    assert album.find("../" + album.pictures[0].path.name) is None
