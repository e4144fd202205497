"""The Stylise tab's handlers for tests: pictures, values of the widgets, and no pipeline."""

import threading
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from apps.page.stylise import album as web_album
from apps.page.stylise import handlers, views
from apps.service import jobs
from apps.service.limits import Limits
from rrstyle.pictures import images
from rrstyle.pipeline import Variant
from rrstyle.progress import Step

LIMITS = Limits(max_side=128, max_variants=4)
SETTINGS = ("transport", 1, 2, 0, 48, 3, False, 1)  # two pictures of the seeds 3 and 4


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(web_album, "_albums", {})
    return tmp_path


@pytest.fixture
def pair(cache):
    found = []
    for number in range(2):
        path = cache / f"upload-{number}.png"
        pixels = np.random.default_rng(number).random((40, 48, 3), np.float32)
        path.write_bytes(images.encode_png(pixels))
        found.append({"path": str(path), "orig_name": f"picture-{number}.png"})
    return found


def values(pair, settings=SETTINGS, *, styles=None, shares=(1, 1, 1, 1), mask="") -> tuple:
    given = [pair[1], None, None, None] if styles is None else styles
    return pair[0], *given, *shares, mask, *settings


def request(session: str = "tab") -> gr.Request:
    return SimpleNamespace(session_hash=session)


class Work:
    """In place of the pipeline: what it was asked for, and pictures at once or on demand."""

    def __init__(self):
        self.asked: list[dict] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.steps = 0

    def variants(self, content, style, config, *, n, seed, on_step, **others):
        self.asked.append({"style": style, "config": config, "n": n, "seed": seed, **others})
        for i in range(n):
            on_step(Step("working", i / n))
            yield Variant(seed + i, content)
            while not self.go_on.wait(0.02):
                self.steps += 1
                on_step(Step("working", (i + 0.5) / n))


@pytest.fixture
def work(monkeypatch):
    work = Work()
    monkeypatch.setattr(jobs, "variants", work.variants)
    yield work
    work.go_on.set()


def album() -> web_album.Album:
    found = web_album.album_of(request())
    assert found is not None
    return found


def run(handler, *arguments) -> tuple[dict, list[dict]]:
    """What the widgets hold after all updates, and the updates."""
    updates = [
        dict(zip(views.OUTPUTS, update, strict=True)) for update in handler(request(), *arguments)
    ]
    last: dict = {}
    for update in updates:
        last |= {name: value for name, value in update.items() if value != gr.skip()}
    return last, updates


def click(path, session="tab") -> tuple:
    value = {"image": {"path": path}, "caption": "seed 3"}
    return handlers.show(request(session), SimpleNamespace(value=value))
