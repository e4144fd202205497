"""The Stylise tab's handlers for tests: values of the widgets, and no pipeline."""

import threading
from types import SimpleNamespace

import gradio as gr

from apps.page.stylise import album as web_album
from apps.page.stylise import handlers, views
from apps.service.limits import Limits
from rrstyle.pipeline import Variant
from rrstyle.progress import Step

LIMITS = Limits(max_side=128, max_variants=4)
# Two pictures of the seeds 3 and 4.
SETTINGS = ("transport", 1, 2, 0, 48, 3, False, 1, False, False)


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


def reopened(session: str = "tab") -> dict:
    """What a page holds that is opened: `SWITCHED` and `OUTPUTS`."""
    names = (*views.SWITCHED, *views.OUTPUTS)
    return dict(zip(names, handlers.reopen(request(session)), strict=True))


def click(path, session="tab") -> tuple:
    value = {"image": {"path": path}, "caption": "seed 3"}
    return handlers.show(request(session), SimpleNamespace(value=value))
