"""Many photographs by one recipe, into one ZIP."""

import zipfile
from io import BytesIO
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from apps.page.stylise import handlers, many
from apps.service import jobs
from apps.service.queue import QueueFull
from rrstyle import recipes
from rrstyle.pictures import images
from tests.apps.page.stylise.without_work import LIMITS, album, reopened, request, run, values


@pytest.fixture
def photographs(cache):
    """Three, of which two have one name, and one that is no picture."""
    found = []
    for number, name in enumerate(["cat.png", "a/../Cat.jpg", "dog.jpg", "words.png"]):
        path = cache / f"many-{number}.png"
        pixels = np.random.default_rng(number).random((24, 30, 3), np.float32)
        path.write_bytes(images.encode_png(pixels) if name != "words.png" else b"only words")
        found.append({"path": str(path), "orig_name": name})
    return [found[0], found[3], *found[1:3]]


def opened(last: dict) -> dict[str, bytes]:
    with zipfile.ZipFile(last["bundle"].value["path"]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_names_are_kept_no_two_the_same_and_a_broken_one_is_told(pair, photographs, work):
    tab = handlers.Stylise(LIMITS)
    last, updates = run(tab.all_alike, photographs, *values(pair))
    found = opened(last)
    assert list(found) == ["cat.png", "Cat-2.png", "dog.png"]
    made = [recipes.read_recipe(BytesIO(png)) for png in found.values()]
    assert [(recipe.seed, recipe.config.side) for recipe in made] == [(3, 48)] * 3
    assert [asked["n"] for asked in work.asked] == [1] * 3
    assert "Done: 3 of 4 photographs in 1 s. words.png: not a PNG" in last["status"]
    assert any("Photograph 3 of 4" in u["status"] for u in updates if u["status"] != gr.skip())
    assert "dog.jpg" in last["stage"]
    assert last["download"].interactive is False  # nothing shown is of another picture
    assert album().pictures == []  # the gallery is for single ones
    assert reopened()["bundle"].value == last["bundle"].value


def test_stop_keeps_what_is_done(pair, photographs, work):
    tab = handlers.Stylise(LIMITS)
    handlers.begin(request())
    original = work.variants

    def variants(*arguments, **options):
        yield from original(*arguments, **options)
        handlers.stop(request())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "variants", variants)
        last, _ = run(tab.all_alike, photographs, *values(pair))
    assert "Stopped: 1 of 4" in last["status"]
    assert list(opened(last)) == ["cat.png"]


def test_a_full_queue_is_waited_for(pair, photographs, work, monkeypatch):
    refused = iter([True, False, False])
    original = jobs.run_job

    def run_job(*arguments, **options):
        if next(refused):
            raise QueueFull("the queue is full")
        return original(*arguments, **options)

    monkeypatch.setattr(jobs, "run_job", run_job)
    monkeypatch.setattr(many, "_AGAIN_SECONDS", 0.01)
    last, _ = run(handlers.Stylise(LIMITS).all_alike, photographs[2:], *values(pair))
    assert "Done: 2 of 2" in last["status"]


@pytest.mark.parametrize("files", [None, [], "/etc/passwd", [{"path": "x"}] * 51])
def test_there_are_1_to_50(pair, work, files):
    with pytest.raises(gr.Error, match="photographs must be 1 to 50; received"):
        run(handlers.Stylise(LIMITS).all_alike, files, *values(pair))


def test_a_file_that_was_not_uploaded_is_not_opened(pair, work):
    stranger = [{"path": "/etc/passwd", "orig_name": "passwd"}]
    last, _ = run(handlers.Stylise(LIMITS).all_alike, stranger, *values(pair))
    assert "Done: 0 of 1" in last["status"]
    assert "not an uploaded file" in last["status"]
    assert last["bundle"].interactive is False
    assert not Path("passwd").exists()
