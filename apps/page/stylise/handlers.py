"""Handlers of the Stylise tab: a client's values in, values of widgets out.

No value of a client is trusted: a file must be one that was uploaded here, a name is only shown,
and numbers are checked although the sliders have ends.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from apps.errors import explain
from apps.page.errors import in_words
from apps.page.status import duration, progress_text, status_html
from apps.page.stylise.album import Made, Order, album_of, browser_of, open_album
from apps.page.stylise.larger import larger_choices, larger_order
from apps.page.stylise.many import make_all
from apps.page.stylise.orders import next_order, order_of
from apps.page.stylise.runs import Run
from apps.page.stylise.views import (
    SHOWN,
    all_shown,
    archive_button,
    bundle_button,
    listed,
    opened,
    outputs,
    shown,
    switched,
    unfinished,
)
from apps.page.uploads import read_mask, read_upload
from apps.service import jobs
from apps.service.limits import Limits
from rrstyle.pictures.images import Picture, encode_png, fit_within, resize

_UNDER_SIDE = 1024  # pixels, at most, of the photograph beside a picture: for looking only

# By session, which a browser tab is: its job, waiting or running; whether somebody looks at another
# picture meanwhile; and why the job ended, if by an error.
_runs: dict[str | None, Run] = {}
_looking: set[str | None] = set()
_reasons: dict[str | None, str] = {}


@dataclass(frozen=True)
class Stylise:
    """The tab's jobs, by the server's limits; `values` are those of `order_of`."""

    limits: Limits

    def stylise(self, request: gr.Request, *values: Any) -> Iterator[tuple]:
        """Make pictures as the controls say."""
        yield from self._run(request, lambda: order_of(values, self.limits))

    def offer(self, request: gr.Request, chosen: Any) -> tuple:
        """The larger sizes that the chosen picture can have: their row, sizes, and the button."""
        album = album_of(request)
        made = album.find(chosen) if album else None
        sizes = larger_choices(made, self.limits) if made else []
        first = sizes[0][1] if sizes else None
        button = gr.Button(interactive=not is_busy(request))
        return gr.Row(visible=bool(sizes)), gr.Dropdown(choices=sizes, value=first), button

    def larger(self, request: gr.Request, chosen: Any, side: Any) -> Iterator[tuple]:
        """Make the chosen picture again, the same but with a longer side of `side` pixels."""
        yield from self._run(
            request, lambda: larger_order(album_of(request), chosen, side, self.limits)
        )

    def all_alike(self, request: gr.Request, files: Any, *values: Any) -> Iterator[tuple]:
        """Make a picture of each of many photographs, all as the controls say."""
        yield from _start(
            request, lambda stop: make_all(open_album(request), files, values, stop, self.limits)
        )

    def more_like_this(self, request: gr.Request, chosen: Any) -> Iterator[tuple]:
        """Make as many pictures as the chosen one was made with, of the seeds after its last."""
        yield from self._run(request, lambda: next_order(album_of(request), chosen))

    def _run(self, request: gr.Request, find_order: Callable[[], Order]) -> Iterator[tuple]:
        yield from _start(request, lambda stop: _make(request, find_order, stop, self.limits))


@in_words
def _start(
    request: gr.Request, make: Callable[[threading.Event], Iterator[dict[str, Any]]]
) -> Iterator[tuple]:
    """A job of the session, of values of `OUTPUTS` by name, and what it shows."""
    run = _runs.get(request.session_hash)
    if run is None or run.started:
        run = _runs[request.session_hash] = Run(browser_of(request))
    run.start(make(run.stop))
    yield from _follow(request)


def begin(request: gr.Request) -> tuple:
    """The click, before the job has its turn: from now on Stop means this job."""
    for session, run in list(_runs.items()):
        if run.ended:  # and no page followed it to its end
            del _runs[session]
    _runs[request.session_hash] = Run(browser_of(request))
    _reasons.pop(request.session_hash, None)
    return *switched(busy=True), status_html("Waiting for its turn", 0.0)


def reopen(request: gr.Request) -> tuple:
    """A page that is opened: `SWITCHED` and `OUTPUTS` of what its browser made and still makes."""
    browser, album = browser_of(request), album_of(request)
    running = (r for r in _runs.values() if r.browser == browser and r.started and not r.ended)
    run = next(running, None)
    if run is not None:
        _runs[request.session_hash] = run
    if album is None or not album.pictures:
        first = opened(album or open_album(request)) if run is None else {}
        return *switched(busy=run is not None), *outputs(**first, bundle=bundle_button(album))
    return *switched(busy=run is not None, repeatable=True), *all_shown(album)[:-1]


@in_words
def follow(request: gr.Request) -> Iterator[tuple]:
    """What the job does that an opened page found, if it found one."""
    yield outputs()
    yield from _follow(request)


def _follow(request: gr.Request) -> Iterator[tuple]:
    """The session's job until it ends; a page that is lost leaves it running."""
    session = request.session_hash
    if (run := _runs.get(session)) is None:
        return
    try:
        for update in run.follow():
            if session in _looking:  # whoever looks at another picture goes on doing so
                update = {name: v for name, v in update.items() if name not in SHOWN}
            yield outputs(**update)
    except (ValueError, OSError) as error:
        _reasons[session] = explain(error)
        raise
    finally:
        _looking.discard(session)
        if run.ended:
            _runs.pop(session, None)


def end(request: gr.Request, chosen: Any) -> tuple:
    """`SWITCHED` after a job."""
    album = album_of(request)
    return switched(busy=False, repeatable=album is not None and album.find(chosen) is not None)


def fail(request: gr.Request, chosen: Any) -> tuple:
    """As `end`, after an error, which Gradio shows in a box that goes away: its words stay."""
    reason = _reasons.pop(request.session_hash, "something went wrong; see the server's log")
    return *end(request, chosen), status_html(f"Not made: {reason}")


def is_busy(request: gr.Request) -> bool:
    """Whether a job of the session waits or runs."""
    run = _runs.get(request.session_hash)
    return run is not None and not run.ended


def stop(request: gr.Request) -> None:
    """Stop this session's job; the pictures that are done are kept.

    Only the job says so: an answer from here could come after its last word, and stay.
    """
    if run := _runs.get(request.session_hash):
        run.stop.set()


def leave(request: gr.Request) -> None:
    """The page was closed, or is loaded anew: its job goes on."""
    session = request.session_hash
    if (run := _runs.get(session)) and not run.started:
        del _runs[session]
    _reasons.pop(session, None)
    _looking.discard(session)


def another_seed() -> int:
    """A throw of the dice; six digits are enough to be new and short enough to note down."""
    return secrets.randbelow(10**6)


def show(request: gr.Request, event: gr.SelectData) -> tuple:
    """The picture chosen in the gallery: `SHOWN`, and More like this; it stays during a job."""
    # By its name: the gallery may have grown since the click.
    value = event.value if isinstance(event.value, dict) else {}
    file = value.get("image")
    path = file.get("path") if isinstance(file, dict) else None
    album = album_of(request)
    made = album.find(Path(path).name) if album and isinstance(path, str) else None
    if album is None or made is None:
        return (gr.skip(),) * (len(SHOWN) + 1)
    if busy := is_busy(request):
        _looking.add(request.session_hash)
    return *shown(album, made).values(), gr.Button(interactive=not busy)


def _make(
    request: gr.Request, find_order: Callable[[], Order], flag: threading.Event, limits: Limits
) -> Iterator[dict[str, Any]]:
    """A job: values of `OUTPUTS` by name."""
    order = find_order()
    settings = order.settings
    content = read_upload(order.content, "photograph")
    styles = [read_upload(style, "style") for style in order.styles]
    album = open_album(request)
    size = fit_within(content.pixels.shape[:2], settings.config.side)
    before = album.write("before", _under(content, size))
    started = time.monotonic()
    archive = gr.DownloadButton(value=None, interactive=False)
    yield {"status": status_html("Starting", 0.0), "archive": archive}
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
            yield {"status": status_html(progress_text(report), report.fraction)}
        elif isinstance(report, jobs.Preview):
            caption = f"{order.title}, seed {settings.seed + len(done)}, {report.stage}"
            preview = album.write("preview", encode_png(report.image))
            # Once there is a picture, the stage is for looking at it.
            large = {} if done else unfinished(before, preview, caption)
            yield listed(album, (preview, caption)) | large
        else:
            if (made := report.image.shape[:2]) != size:  # a tile's sides are rounded
                before, size = album.write("before", _under(content, made)), made
            done.append(album.add(report, before, order))
            yield listed(album) | (shown(album, done[0]) if len(done) == 1 else {})
    for path in album.folder.glob("*-preview.png"):
        if done or path != preview:  # stopped early, the last one is what there is
            path.unlink(missing_ok=True)
    notes = [f"{p.name}: {note}" for p in (content, *styles) for note in p.notes]
    line = _ended(len(done), settings.n, time.monotonic() - started)
    status = status_html(" ".join([line, *notes]))
    yield {"status": status, "gallery": album.gallery(), "archive": archive_button(album)}


def _under(content: Picture, size: tuple[int, int]) -> bytes:
    """The photograph that lies under a picture (height, width) on the stage, a PNG."""
    small = fit_within(size, min(_UNDER_SIDE, max(size)))
    return encode_png(resize(content.pixels, small))


def _ended(done: int, n: int, seconds: float) -> str:
    if done == n:
        return f"Done: {done} picture{'s' if done > 1 else ''} in {duration(seconds)}."
    return f"Stopped: {done} of {n} done and kept." if done else "Stopped before one was finished."
