"""The Export tab: settings as a model that runs without this package."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from apps.page.errors import in_words
from apps.page.settings import CONTROLS, Settings, check_settings
from apps.page.status import status_html
from apps.page.stylise.album import Album, album_of
from apps.page.stylise.tab import StyliseTab
from apps.page.widgets import PRIVATE, QUIET, queued
from apps.service import jobs, owners
from apps.service.limits import Limits
from rrstyle.export.archive import export_archive
from rrstyle.transfer.closed_form import METHODS

CURRENT, CHOSEN = "the settings in Stylise", "the picture chosen there"


def settings_of(
    source: Any, method: Any, current: Settings, album: Album | None, chosen: Any
) -> Settings:
    """The settings to export: those of the controls, or of the chosen picture of an album.

    Args:
        source: CURRENT or CHOSEN; ValueError for any other, or if no picture is chosen.
        method: Method in place of one without a model.
    """
    if source not in (CURRENT, CHOSEN):
        raise ValueError(f"recipe must be {CURRENT} or {CHOSEN}; received {source!r}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; received {method!r}")
    settings = current
    if source == CHOSEN:
        made = album.find(chosen) if album else None
        if made is None:
            raise ValueError(
                "recipe: choose a picture in the gallery of Stylise first; received none"
            )
        settings = replace(made.order.settings, seed=made.seed)
    if settings.config.method in METHODS:
        return settings
    return replace(settings, config=replace(settings.config, method=method))


def file_name(settings: Settings, kind: str) -> str:
    """Name of the ZIP."""
    return f"rrstyle-{kind}-{settings.config.method}-seed-{settings.seed}.zip"


_WORDS = """### Take it elsewhere
The network, its weights and the style transfer in one file, which runs where this package is not
installed: as a TensorFlow SavedModel, also for TensorFlow Serving, or as ONNX, for onnxruntime.
The ZIP holds a README that says how to call it."""


def export_tab(limits: Limits, stylise: StyliseTab) -> None:
    """The tab's widgets and what they do; it exports settings and pictures of `stylise`."""
    with gr.Column(elem_classes="narrow"):
        gr.Markdown(_WORDS)
        source = gr.Radio(
            [CURRENT, CHOSEN],
            value=CURRENT,
            label="Recipe of",
            info="Settings and seed; pictures come with every call, and a mask is not part of it.",
        )
        kind = gr.Radio(
            [("TensorFlow SavedModel", "savedmodel"), ("ONNX", "onnx")],
            value="savedmodel",
            label="Format",
            info="SavedModel has more endpoints; ONNX is smaller and runs almost anywhere.",
        )
        method = gr.Dropdown(
            list(METHODS),
            value="transport",
            label="In place of paint or optimise",
            info="These work step by step and are no single model; another method stands in.",
        )
        go = gr.Button("Make the ZIP", variant="primary", elem_id="make-export")
        status = gr.HTML(status_html("A model takes about half a minute."), elem_id="export-job")
        download = gr.DownloadButton("Download the ZIP", interactive=False)

    @in_words
    def make(
        request: gr.Request, source: Any, kind: Any, method: Any, chosen: Any, *values: Any
    ) -> Iterator[tuple]:
        current = check_settings(dict(zip(CONTROLS, values, strict=True)), limits=limits)
        settings = settings_of(source, method, current, album_of(request), chosen)
        write = partial(export_archive, settings.config, seed=settings.seed, format=kind)
        yield status_html("Waiting for its turn", 0.0), gr.DownloadButton(interactive=False)
        for report in jobs.run_one("writing and checking the model", write, limits):
            if isinstance(report, jobs.Progress):
                yield status_html(report.stage.capitalize(), report.fraction), gr.skip()
            else:
                path = owners.own_folder() / file_name(settings, kind)
                path.write_bytes(report)
        line = f"Done: {path.name}, {path.stat().st_size / 2**20:.1f} MiB."
        yield status_html(line), gr.DownloadButton(value=str(path), interactive=True)

    asked = [source, kind, method, stylise.chosen, *stylise.controls]
    job = go.click(make, asked, [status, download], **PRIVATE, **queued(limits))
    failed = status_html("The export ended with an error.")
    job.failure(lambda: failed, None, [status], **QUIET)
