"""What happens when a control of the app is used: client's values in, values of widgets out.

Nothing that a client sends is trusted: a file must be one that was uploaded here, a name is only
shown, and numbers are checked again although the sliders have ends.
"""

import html
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from apps import jobs, web_results
from apps.web_settings import check_settings
from rrstyle import images

IDLE = "Choose two pictures, then press Stylise."

# Of every session of this process; a browser tab is a session.
_stops = jobs.StopFlags()


def begin(request: gr.Request) -> tuple[gr.Button, gr.Button, str]:
    """The click on Stylise, before the job has its turn: from now on Stop means this job."""
    _stops.renew(request.session_hash or "")
    waiting = status_html("Waiting for its turn", 0.0)
    return gr.Button(interactive=False), gr.Button(interactive=True), waiting


def end() -> tuple[gr.Button, gr.Button]:
    """Stylise can be pressed again."""
    return gr.Button(interactive=True), gr.Button("Stop", interactive=False)


def fail() -> tuple[gr.Button, gr.Button, str]:
    """As `end`, after an error, which Gradio shows in a box of its own."""
    return *end(), status_html("The job ended with an error.")


def stop(request: gr.Request) -> None:
    """Stop this session's job; the pictures that are done are kept."""
    _stops.stop(request.session_hash or "")


def leave(request: gr.Request) -> None:
    """The tab was closed: nobody waits for its job any more."""
    _stops.stop(request.session_hash or "")
    _stops.forget(request.session_hash or "")


def stylise(
    content: Any,
    style: Any,
    method: Any,
    strength: Any,
    variants: Any,
    wildness: Any,
    size: Any,
    seed: Any,
    request: gr.Request,
) -> Iterator[tuple]:
    """Make pictures: the photograph in the manner of the style picture.

    Yields status line, gallery, before and after, ZIP and the session's results as work goes on.
    """
    session = request.session_hash or ""
    flag = _stops.of(session)
    try:
        settings = check_settings(method, strength, variants, wildness, size, seed)
        photo, picture = _read(content, "photograph"), _read(style, "style")
        notes = [f"{p.name}: {note}" for p in (photo, picture) for note in p.notes]
        results = web_results.new_results(Path(get_upload_folder()), photo, settings.config.side)
        started = time.monotonic()
        archive_off = gr.DownloadButton(value=None, interactive=False)
        yield status_html("Starting", 0.0), [], None, archive_off, results
        job = jobs.run_job(photo, picture, settings.config, settings.n, settings.seed, flag)
        for report in job:
            if isinstance(report, jobs.Progress):
                line = status_html(progress_text(report), report.fraction)
                yield line, gr.skip(), gr.skip(), gr.skip(), gr.skip()
                continue
            results = web_results.add(results, report)
            # The first picture is shown large at once; later ones wait to be chosen.
            first = len(results.pictures) == 1
            large = before_after(results, 0) if first else gr.skip()
            yield gr.skip(), results.gallery(), large, gr.skip(), results
        yield _final(results, settings.n, time.monotonic() - started, notes)
    except Exception as error:
        line = html.escape(jobs.error_line(error), quote=False)  # Gradio shows it as HTML
        raise gr.Error(line, print_exception=False) from None
    finally:
        _stops.forget(session)


def _final(results: web_results.Results, n: int, seconds: float, notes: list[str]) -> tuple:
    done = len(results.pictures)
    pictures = "1 picture" if done == 1 else f"{done} pictures"
    if done == n:
        text = f"Done: {pictures} in {_duration(seconds)}."
    else:
        text = (
            f"Stopped: {done} of {n} done and kept." if done else "Stopped: nothing was done yet."
        )
    line = status_html(" ".join([text, *notes]))
    if not done:
        return line, [], None, gr.skip(), results
    archive = gr.DownloadButton(value=str(web_results.write_zip(results)), interactive=True)
    return line, results.gallery(), gr.skip(), archive, results


def show(results: web_results.Results | None, chosen: gr.SelectData) -> Any:
    """The picture chosen in the gallery, against the photograph."""
    index = chosen.index
    if results is None or not isinstance(index, int) or not 0 <= index < len(results.pictures):
        return gr.skip()
    return before_after(results, index)


def before_after(results: web_results.Results, index: int) -> Any:
    """The slider's new value and label."""
    pair = str(results.before), str(results.pictures[index])
    return gr.ImageSlider(value=pair, label=f"Before and after, seed {results.seeds[index]}")


def another_seed() -> int:
    """A throw of the dice; six digits are enough to be new and short enough to note down."""
    return secrets.randbelow(10**6)


def _read(value: Any, what: str) -> images.Picture:
    """An uploaded picture, in the form in which Gradio passes it unprocessed.

    Gradio itself would decode the file here, before and without this project's checks.
    """
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        raise ValueError(f"{what}: no picture; choose or upload one first")
    path = Path(value["path"]).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise ValueError(f"{what}: not an uploaded file; upload the picture first")
    name = value.get("orig_name")
    return jobs.read_picture(path, name if isinstance(name, str) else path.name)


def progress_text(progress: jobs.Progress) -> str:
    """Stage, share and time left in a line."""
    parts = [progress.stage[:1].upper() + progress.stage[1:], f"{progress.fraction:.0%}"]
    if progress.seconds_left is not None:
        parts.append(f"about {_duration(progress.seconds_left)} left")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"


def status_html(text: str, fraction: float | None = None) -> str:
    """The status line; a bar only while there is a fraction to show."""
    value = 0.0 if fraction is None else fraction
    hidden = ' style="visibility: hidden"' if fraction is None else ""
    bar = f'<progress max="1" value="{value:.3f}" aria-label="progress"{hidden}></progress>'
    return f'<div role="status"><p>{html.escape(text)}</p>{bar}</div>'
