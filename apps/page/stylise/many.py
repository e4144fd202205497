"""Many photographs by one recipe: a picture each, all in one ZIP."""

import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from apps.batch.outputs import unique_name
from apps.errors import explain
from apps.page.status import duration, progress_text, status_html
from apps.page.stylise.album import Album
from apps.page.stylise.orders import order_of
from apps.page.stylise.views import bundle_button, passing
from apps.page.uploads import read_mask, read_upload
from apps.service import jobs
from apps.service.limits import Limits
from apps.service.queue import QueueFull, ServerEnding
from rrstyle.durable import bare_name
from rrstyle.pictures.images import at_most, encode_png, resize

MOST_PHOTOGRAPHS = 50
_SHOWN_SIDE = 1024  # pixels, of a picture on the stage
_TOLD = 5  # reasons why photographs were not painted
_AGAIN_SECONDS = 1.0  # until a full queue is asked again


def make_all(
    album: Album, files: Any, values: tuple, stop: threading.Event, limits: Limits
) -> Iterator[dict[str, Any]]:
    """A job for each photograph, so that others have their turn between: values of `OUTPUTS`.

    Args:
        album: Where the ZIP lies.
        files: Uploaded photographs, one that is damaged is told and left out.
        values: As for `order_of`, but for the photograph; each file gets one picture of the seed.
        stop: Once set, what is done is kept.
    """
    if not isinstance(files, list) or not 1 <= len(files) <= MOST_PHOTOGRAPHS:
        count = len(files) if isinstance(files, list) else 0
        raise ValueError(f"photographs must be 1 to {MOST_PHOTOGRAPHS}; received {count}")
    order = order_of((files[0], *values[1:]), limits)
    settings, mask = order.settings, read_mask(order.mask)
    styles = [read_upload(style, "style") for style in order.styles]
    started = time.monotonic()
    album.bundle = None
    yield {"status": status_html("Starting", 0.0), "bundle": bundle_button(album)}
    names: set[str] = set()
    failures: list[str] = []
    path = album.new_path("photographs", "zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, file in enumerate(files):

            def job(file: Any = file) -> Iterator[Any]:
                photograph = read_upload(file, "photograph")
                blend: dict[str, Any] = {"weights": order.weights, "mask": mask, "limits": limits}
                given = photograph, styles, settings.config, 1, settings.seed, stop
                for report in jobs.run_job(*given, **blend):
                    done = isinstance(report, jobs.Finished)
                    yield (photograph, report) if done else report

            try:
                for report in _in_turn(job, stop):
                    if isinstance(report, jobs.Progress):
                        stage = f"photograph {number + 1} of {len(files)}: {report.stage}"
                        share = (number + report.fraction) / len(files)
                        report = jobs.Progress(stage, share)
                        yield {"status": status_html(progress_text(report), share)}
                    elif isinstance(report, tuple):
                        photograph, finished = report
                        stem = Path(bare_name(photograph.name)).stem
                        archive.writestr(unique_name(stem, names), finished.png)
                        yield _on_stage(album, photograph, finished)
            except ServerEnding:
                raise
            except (ValueError, OSError) as error:
                failures.append(explain(error))
            if stop.is_set():
                break
    line = f"{len(names)} of {len(files)} photographs in {duration(time.monotonic() - started)}."
    told = failures[:_TOLD]
    if more := len(failures) - len(told):
        told.append(f"And {more} more.")
    words = ["Stopped:" if stop.is_set() else "Done:", line, *told]
    album.bundle = path if names else None
    yield {"status": status_html(" ".join(words)), "bundle": bundle_button(album)}


def _in_turn(job: Callable[[], Iterator[Any]], stop: threading.Event) -> Iterator[Any]:
    """The reports of a job, which waits outside while the queue is full."""
    while not stop.is_set():
        try:
            yield from job()
            return
        except QueueFull:
            yield jobs.Progress("waiting for a place in the queue", 0.0)
            stop.wait(_AGAIN_SECONDS)


def _on_stage(album: Album, photograph: Any, finished: jobs.Finished) -> dict[str, Any]:
    """The picture last made, to look at meanwhile; the ones before it make room."""
    for old in album.folder.glob("*-many*.png"):
        old.unlink(missing_ok=True)
    small = at_most(finished.image, _SHOWN_SIDE)
    before = album.write("many-before", encode_png(resize(photograph.pixels, small.shape[:2])))
    after = album.write("many", encode_png(small))
    return passing(before, after, photograph.name)
