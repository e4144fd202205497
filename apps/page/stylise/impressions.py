"""What becomes of a photograph, before anyone presses Stylise: on the stage, and in each look."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from apps.page.stylise import handlers, opening, views
from apps.page.stylise.album import Album, Order, open_album
from apps.page.stylise.orders import order_of
from apps.page.uploads import read_mask, upload_path
from apps.service import uploads
from apps.service.limits import Limits
from apps.service.sketches import Subject, sketches
from rrstyle.config import StyleConfig
from rrstyle.pictures.images import at_most, encode_png
from rrstyle.presets import PRESETS

# What a sketch changes.
SKETCHED = (*views.SHOWN, "more", "sketches")

_LOADED_SIDE = 512  # pixels: sketches need no more of a picture
_OPENING_SECONDS = 60.0  # that a page waits for the picture it opens with

_stops: dict[str | None, threading.Event] = {}  # of the sketches under way, by session


@dataclass(frozen=True)
class Impressions:
    """Sketches of a page, by the server's limits; `values` are those of `order_of`."""

    limits: Limits

    def impress(self, request: gr.Request, chosen: Any, *values: Any) -> Iterator[tuple]:
        """After a change of photograph, style or look: `SKETCHED`."""
        yield from self._sketch(request, chosen, values, on_stage=not handlers.is_busy(request))

    def looks(self, request: gr.Request, chosen: Any, *values: Any) -> Iterator[tuple]:
        """When a page is opened and after jobs: `SKETCHED`, what is on the stage left there."""
        empty = not open_album(request).pictures and opening.first_picture() is None
        yield from self._sketch(request, chosen, values, on_stage=False)
        flag = _stops[request.session_hash] = threading.Event()
        if empty and opening.first_picture(_OPENING_SECONDS) and not flag.is_set():
            yield _sketched(**views.opened(open_album(request)))

    def _sketch(
        self, request: gr.Request, chosen: Any, values: tuple, *, on_stage: bool
    ) -> Iterator[tuple]:
        stop(request)
        flag = _stops[request.session_hash] = threading.Event()
        yield _sketched()
        try:
            order, album = order_of(values, self.limits), open_album(request)
            subject = _subject_of(order)
            looks = [preset.config for preset in PRESETS.values()]
            asked = replace(order.settings.config, side=looks[0].side)
            on_stage = on_stage and not _is_shown(subject, asked, album, chosen)
            configs = dict.fromkeys([asked, *looks] if on_stage else looks)
            found: dict[StyleConfig, Path] = {}
            for config, png in sketches(subject, list(configs), flag, self.limits):
                found[config] = album.keep("sketch", (subject.key, config), png)
                large = {}
                if on_stage and config == asked and not handlers.is_busy(request):
                    photograph = encode_png(subject.load()[0])
                    before = album.keep("photograph", subject.key, photograph)
                    large = views.impression(before, found[config], order.title)
                pictures = views.sketches_html([found.get(config) for config in looks])
                yield _sketched(**large, sketches=pictures)
        except (ValueError, OSError):
            return  # Stylise says what is wrong, to those who want more than a sketch


def stop(request: gr.Request) -> None:
    """Ends the sketches of a session: others are asked for, or a job."""
    if flag := _stops.pop(request.session_hash, None):
        flag.set()


def _sketched(**values: Any) -> tuple:
    return tuple(values.get(name, gr.skip()) for name in SKETCHED)


def _is_shown(subject: Subject, config: StyleConfig, album: Album, chosen: Any) -> bool:
    """Whether a finished picture of it is chosen, or the newest, which a page opens with."""
    made = [one for one in (album.find(chosen), *album.pictures[-1:]) if one]
    return any(
        _subject_of(one.order).key == subject.key
        and replace(one.order.settings.config, side=config.side, composed_at=None) == config
        for one in made
    )


def _subject_of(order: Order) -> Subject:
    """What an order's pictures are; ValueError for one that its page may not have."""
    content, _ = upload_path(order.content, "photograph")
    styles = [upload_path(style, "style")[0] for style in order.styles]

    def load() -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
        return _small(content), [_small(style) for style in styles], read_mask(order.mask)

    key = content, *styles, order.weights, order.mask or None
    held = (1 + len(styles)) * _LOADED_SIDE**2 * 12  # float32
    return Subject(key, held, load, order.weights)


@lru_cache(maxsize=32)
def _small(path: Path) -> np.ndarray:
    """An upload, which never changes, as small as sketches need it."""
    return at_most(uploads.read_picture(path, path.name).pixels, _LOADED_SIDE)
