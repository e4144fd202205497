"""Handlers of the Stylise tab: a client's values in, values of widgets out.

No value of a client is trusted: a file must be one that was uploaded here, a name is only shown,
and numbers are checked although the sliders have ends.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from apps.errors import explain
from apps.page.errors import in_words
from apps.page.settings import CONTROLS, LARGEST_SEED, check_settings
from apps.page.status import compare_html, duration, nothing_html, progress_text, status_html
from apps.page.stylise.album import Album, Made, Order
from apps.page.stylise.recipe import recipe_html
from apps.page.uploads import read_mask, read_upload
from apps.service import jobs
from apps.service.limits import Limits
from rrstyle.config import is_share
from rrstyle.pictures.images import encode_png, fit_within, resize
from rrstyle.transfer.blends import MOST_STYLES

IDLE = "Choose two pictures, then press Stylise."
EMPTY = nothing_html("The picture appears here.")
NOT_CHOSEN = nothing_html("Choose a picture above to see how it was made.")
NOT_FINISHED = nothing_html("This picture is not finished: there is no way to make it again yet.")

# Widgets and states: those that a chosen picture changes, and all that a job changes.
SHOWN = ("stage", "chosen", "recipe", "download")
OUTPUTS = (*SHOWN, "status", "results", "gallery", "album", "archive")

# By session, which a browser tab is: the stop flag of its job, waiting or running; whether somebody
# looks at another picture meanwhile; and why the job ended, if by an error.
_stops: dict[str | None, threading.Event] = {}
_looking: set[str | None] = set()
_reasons: dict[str | None, str] = {}


@dataclass(frozen=True)
class Stylise:
    """The tab's jobs, by the server's limits."""

    limits: Limits

    def stylise(self, request: gr.Request, album: Album | None, *values: Any) -> Iterator[tuple]:
        """Make pictures as the controls say; `values` as `order_of` takes them."""
        yield from self._run(request, album, lambda: order_of(values, self.limits))

    def more_like_this(
        self, request: gr.Request, album: Album | None, chosen: Any
    ) -> Iterator[tuple]:
        """Make as many pictures as the chosen one was made with, of the seeds after its last."""
        yield from self._run(request, album, lambda: next_order(album, chosen))

    @in_words
    def _run(
        self, request: gr.Request, album: Album | None, find_order: Callable[[], Order]
    ) -> Iterator[tuple]:
        session = request.session_hash
        flag = _stops.setdefault(session, threading.Event())
        try:
            yield from _make(album, find_order(), flag, self.limits, lambda: session in _looking)
        except (ValueError, OSError) as error:
            _reasons[session] = explain(error)
            raise
        finally:
            _stops.pop(session, None)
            _looking.discard(session)


def begin(request: gr.Request) -> tuple:
    """The click, before the job has its turn: from now on Stop means this job."""
    _stops[request.session_hash] = threading.Event()
    _reasons.pop(request.session_hash, None)
    on, off = gr.Button(interactive=True), gr.Button(interactive=False)
    return off, on, off, off, status_html("Waiting for its turn", 0.0)


def end(album: Album | None, chosen: Any) -> tuple[gr.Button, gr.Button, gr.Button, gr.Button]:
    """Stylise, Stop, More like this and Clear after a job."""
    can_repeat = album is not None and album.find(chosen) is not None
    on, off = gr.Button(interactive=True), gr.Button(interactive=False)
    return on, off, gr.Button(interactive=can_repeat), on


def fail(request: gr.Request, album: Album | None, chosen: Any) -> tuple:
    """As `end`, after an error, which Gradio shows in a box that goes away: its words stay."""
    reason = _reasons.pop(request.session_hash, "something went wrong; see the server's log")
    return *end(album, chosen), status_html(f"Not made: {reason}")


def stop(request: gr.Request) -> None:
    """Stop this session's job; the pictures that are done are kept.

    Only the job says so: an answer from here could come after its last word, and stay.
    """
    if flag := _stops.get(request.session_hash):
        flag.set()


def leave(request: gr.Request) -> None:
    """The tab was closed: its job ends."""
    stop(request)
    _stops.pop(request.session_hash, None)
    _reasons.pop(request.session_hash, None)


def another_seed() -> int:
    """A throw of the dice; six digits are enough to be new and short enough to note down."""
    return secrets.randbelow(10**6)


def show(request: gr.Request, album: Album | None, event: gr.SelectData) -> tuple:
    """The picture chosen in the gallery: `SHOWN`, and More like this; it stays during a job."""
    # By its name: the gallery may have grown since the click.
    value = event.value if isinstance(event.value, dict) else {}
    file = value.get("image")
    path = file.get("path") if isinstance(file, dict) else None
    made = album.find(Path(path).name) if album and isinstance(path, str) else None
    if made is None:
        return (gr.skip(),) * (len(SHOWN) + 1)
    busy = request.session_hash in _stops
    if busy:
        _looking.add(request.session_hash)
    return *_shown(made).values(), gr.Button(interactive=not busy)


def clear(album: Album | None) -> tuple:
    """The pictures are gone, but can be brought back: `OUTPUTS`, More like this, that, them."""
    off = gr.DownloadButton(value=None, interactive=False)
    none: dict[str, Any] = {"stage": EMPTY, "chosen": None, "recipe": NOT_CHOSEN, "download": off}
    none |= {"status": status_html(IDLE), "results": gr.Column(visible=False)}
    values = _update(**none, gallery=[], album=None, archive=off)
    return *values, gr.Button(interactive=False), gr.Button(visible=True), album


def bring_back(cleared: Album | None) -> tuple:
    """What `clear` took away, in the same order."""
    gone = gr.Button(visible=False), None
    if cleared is None or not cleared.pictures:
        return *_update(), gr.skip(), *gone
    archive = gr.DownloadButton(value=str(cleared.write_zip()), interactive=True)
    values = _update(**_listed(cleared), **_shown(cleared.pictures[-1]), archive=archive)
    return *values, gr.Button(interactive=True), *gone


def order_of(values: tuple, limits: Limits) -> Order:
    """A checked order; ValueError if a value breaks a rule.

    The values are photograph, four styles, their four shares, mask, then those of `CONTROLS`.
    """
    content, rest = values[0], values[1:]
    styles, shares = rest[:MOST_STYLES], rest[MOST_STYLES : 2 * MOST_STYLES]
    mask, *settings = rest[2 * MOST_STYLES :]
    there = [(s, _share(w)) for s, w in zip(styles, shares, strict=True) if s is not None]
    if not there:
        raise ValueError("style: no picture; choose or upload one first")
    chosen, weights = zip(*there, strict=True)
    if not any(weights):
        raise ValueError("share must be above 0 for one style at least; received only 0")
    checked = check_settings(dict(zip(CONTROLS, settings, strict=True)), limits=limits)
    return Order(content, chosen, weights, mask, checked)


def next_order(album: Album | None, chosen: Any) -> Order:
    """The order again, with seeds that no picture of its kind has; ValueError if there are none."""
    made = album.find(chosen) if album else None
    if album is None or made is None:
        raise ValueError("picture: choose one of the gallery first; received none")
    settings, order = made.order.settings, made.order
    seed = 1 + max(one.seed for one in album.pictures if _same(one.order, order))
    if seed + settings.n - 1 > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}; received {seed}")
    return replace(order, settings=replace(settings, seed=seed))


def _same(one: Order, other: Order) -> bool:
    """Whether two orders differ in their seeds only."""
    return one == replace(other, settings=replace(other.settings, seed=one.settings.seed))


def _share(value: Any) -> float:
    if not is_share(value):
        raise ValueError(f"share must be from 0 to 1; received {value!r}")
    return float(value)


def _make(
    album: Album | None,
    order: Order,
    flag: threading.Event,
    limits: Limits,
    looks_elsewhere: Callable[[], bool],
) -> Iterator[tuple]:
    settings = order.settings
    content = read_upload(order.content, "photograph")
    styles = [read_upload(style, "style") for style in order.styles]
    album = album or Album()
    size = fit_within(content.pixels.shape[:2], settings.config.side)
    before = album.write("before", encode_png(resize(content.pixels, size)))
    started = time.monotonic()
    archive = gr.DownloadButton(value=None, interactive=False)
    yield _update(status=status_html("Starting", 0.0), album=album, archive=archive)
    done: list[Made] = []
    preview: Path | None = None
    job = jobs.run_job(
        content,
        styles,
        settings.config,
        settings.n,
        settings.seed,
        flag,
        weights=order.weights,
        mask=read_mask(order.mask),
        impression=True,
        limits=limits,
    )
    for report in job:
        if isinstance(report, jobs.Progress):
            yield _update(status=status_html(progress_text(report), report.fraction))
        elif isinstance(report, jobs.Preview):
            caption = f"{order.title}, seed {settings.seed + len(done)}, {report.stage}"
            preview = album.write("preview", encode_png(report.image))
            # Once there is a picture, the stage is for looking at it.
            large = {} if done or looks_elsewhere() else _unfinished(before, preview, caption)
            yield _update(**large, **_listed(album, (preview, caption)))
        else:
            done.append(album.add(report, before, order))
            large = _shown(done[0]) if len(done) == 1 and not looks_elsewhere() else {}
            yield _update(**_listed(album), **large)
    for path in album.folder.glob("*-preview.png"):
        if done or path != preview:  # stopped early, the last one is what there is
            path.unlink(missing_ok=True)
    notes = [f"{p.name}: {note}" for p in (content, *styles) for note in p.notes]
    line = _ended(len(done), settings.n, time.monotonic() - started)
    if album.pictures:
        archive = gr.DownloadButton(value=str(album.write_zip()), interactive=True)
    status = status_html(" ".join([line, *notes]))
    yield _update(status=status, gallery=album.gallery(), archive=archive)


def _ended(done: int, n: int, seconds: float) -> str:
    if done == n:
        return f"Done: {done} picture{'s' if done > 1 else ''} in {duration(seconds)}."
    return f"Stopped: {done} of {n} done and kept." if done else "Stopped before one was finished."


def _unfinished(before: Path, preview: Path, caption: str) -> dict[str, Any]:
    """`SHOWN` of a picture that is being made: all of it is of this one."""
    download = gr.DownloadButton(value=str(preview), interactive=True)
    values = compare_html(before, preview, caption), None, NOT_FINISHED, download
    return dict(zip(SHOWN, values, strict=True))


def _update(**values: Any) -> tuple:
    return tuple(values.get(name, gr.skip()) for name in OUTPUTS)


def _listed(album: Album, running: tuple[Path, str] | None = None) -> dict[str, Any]:
    seen = gr.Column(visible=bool(album.pictures))
    return {"results": seen, "gallery": album.gallery(running), "album": album}


def _shown(made: Made) -> dict[str, Any]:
    download = gr.DownloadButton(value=str(made.path), interactive=True)
    stage = compare_html(made.before, made.path, made.title)
    values = stage, made.path.name, recipe_html(made.path), download
    return dict(zip(SHOWN, values, strict=True))
