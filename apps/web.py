"""The Gradio app: its widgets, and the server that shows them."""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import gradio as gr
from gradio import processing_utils, route_utils

from apps import web_handlers as handlers
from apps.web_settings import (
    DEFAULTS,
    LARGEST_SEED,
    LARGEST_SIDE,
    METHODS,
    MOST_VARIANTS,
    SMALLEST_SIDE,
    field_help,
)
from rrstyle import examples, images
from rrstyle.config import StyleConfig
from rrstyle.files import MAX_BYTES

# (every, older than) seconds: what a session uploaded or made is there for the rest of the day.
_DELETE_FILES = (600, 12 * 3600)
_WAITING_JOBS = 16

_FIRST_PAIR = ("chelsea", "starry-swirls")

# Fonts that are on the machine already: one thing less to load, and no connection anywhere.
_THEME = gr.themes.Default(
    primary_hue="teal",
    neutral_hue="stone",
    font=(gr.themes.Font("system-ui"), gr.themes.Font("sans-serif")),
    font_mono=(gr.themes.Font("ui-monospace"), gr.themes.Font("monospace")),
)
_CSS = """
/* The examples' thumbnails: small enough that all of them and the settings fit one screen. */
[id^="examples-"] .gallery { gap: 4px; }
[id^="examples-"] .gallery-item, [id^="examples-"] .container { width: 52px; height: 52px; }
[id^="examples-"] .gallery-item img { width: 100%; height: 100%; object-fit: cover; }
#gallery .grid-wrap { min-height: 0; }
#seed { align-items: flex-end; }
#job p { margin: 0 0 4px; font-variant-numeric: tabular-nums; }
#job progress {
  appearance: none; display: block; width: 100%; height: 6px; border: 0; border-radius: 3px;
  overflow: hidden; background: var(--neutral-200);
}
#job progress::-webkit-progress-bar { background: var(--neutral-200); }
#job progress::-webkit-progress-value { background: var(--primary-500); }
#job progress::-moz-progress-bar { background: var(--primary-500); }
"""


def build_app() -> gr.Blocks:
    """The app. Gradio copies the built-in pictures into its cache while it is built."""
    hints = field_help(StyleConfig)
    with (
        tempfile.TemporaryDirectory(prefix="rrstyle-examples-") as folder,
        gr.Blocks(title="rrstyle", analytics_enabled=False, delete_cache=_DELETE_FILES) as app,
    ):
        gr.Markdown("# rrstyle\nA photograph in the manner of a picture, by untrained networks.")
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                with gr.Row():
                    content, style = (
                        _picture_input(label, names, first, Path(folder))
                        for label, names, first in zip(
                            ("Photograph", "Style"),
                            (examples.PHOTOGRAPHS, examples.STYLES),
                            _FIRST_PAIR,
                            strict=True,
                        )
                    )
                method = gr.Radio(
                    list(METHODS), value=DEFAULTS.method, label="Method", info=hints["method"]
                )
                strength = _share("Strength", DEFAULTS.strength, hints["strength"])
                wildness = _share("Wildness", DEFAULTS.wildness, hints["wildness"])
                variants = gr.Slider(
                    1,
                    MOST_VARIANTS,
                    value=2,
                    step=1,
                    label="Variants",
                    info="How many pictures, each by another random network.",
                )
                size = gr.Slider(
                    SMALLEST_SIDE,
                    LARGEST_SIDE,
                    value=DEFAULTS.side,
                    step=16,
                    label="Size",
                    info=hints["side"],
                )
                with gr.Row(elem_id="seed"):
                    seed = gr.Number(
                        0,
                        precision=0,
                        minimum=0,
                        maximum=LARGEST_SEED,
                        label="Seed",
                        info="Names the first random network; the variants count up from it.",
                        scale=3,
                    )
                    dice = gr.Button("⚄ Another seed", scale=1, min_width=140)
            with gr.Column(scale=3, min_width=320):
                with gr.Row():
                    go = gr.Button("Stylise", variant="primary", scale=3)
                    stop = gr.Button("Stop", variant="stop", interactive=False, min_width=90)
                status = gr.HTML(handlers.status_html(handlers.IDLE), elem_id="job")
                slider = gr.ImageSlider(
                    label="Before and after", format="png", type="filepath", interactive=False
                )
                gallery = gr.Gallery(
                    label="Pictures: choose one to see it above",
                    format="png",
                    columns=4,
                    elem_id="gallery",
                    height="auto",
                    object_fit="contain",
                    allow_preview=False,
                    interactive=False,
                    fit_columns=False,
                    buttons=[],
                )
                archive = gr.DownloadButton("Download all (ZIP)", interactive=False)
        results = gr.State(None)

        began = go.click(
            handlers.begin, None, [go, stop, status], queue=False, api_visibility="private"
        )
        job = began.then(
            handlers.stylise,
            [content, style, method, strength, variants, wildness, size, seed],
            [status, gallery, slider, archive, results],
            preprocess=False,  # Gradio would decode the uploads before our checks of them
            show_progress_on=[status],
            show_progress="minimal",
            concurrency_id="accelerator",
            concurrency_limit=1,
            api_name="stylise",
        )
        # In Gradio 6.31 `then` alone does not follow an error.
        job.success(handlers.end, None, [go, stop], queue=False, api_visibility="private")
        job.failure(handlers.fail, None, [go, stop, status], queue=False, api_visibility="private")
        # No `cancels=`: that would drop the pictures that are done and leave an error badge.
        stop.click(handlers.stop, None, None, queue=False, api_name="stop")
        gallery.select(handlers.show, [results], [slider], queue=False, api_visibility="private")
        dice.click(handlers.another_seed, None, [seed], queue=False, api_visibility="private")
        app.unload(handlers.leave)
    return app


def _picture_input(label: str, names: tuple[str, ...], first: str, folder: Path) -> gr.Image:
    """A picture to upload or to choose from the built-in ones."""
    files = {name: folder / f"{name}.png" for name in names}
    for name, path in files.items():
        path.write_bytes(images.encode_png(examples.example(name)))
    with gr.Column(min_width=150):
        picture = gr.Image(
            str(files[first]),
            label=label,
            format="png",
            type="filepath",
            sources=["upload", "clipboard"],
            height=240,
            buttons=[],
        )
        gr.Examples(
            [[str(path)] for path in files.values()],
            [picture],
            label=f"Built in: {label.lower()}",
            examples_per_page=len(files),
            api_visibility="private",
            elem_id=f"examples-{label.lower()}",
        )
    return picture


def _share(label: str, value: float, info: str) -> gr.Slider:
    return gr.Slider(0, 1, value=value, step=0.05, label=label, info=info)


@contextmanager
def serving(*, host: str = "127.0.0.1", port: int = 7860) -> Iterator[str]:
    """Serve the app in the background for as long as the context lasts.

    Gradio serves every file of its working directory that is not hidden, so this changes into an
    empty one. All that clients upload and make lies beside it and goes with it.

    Yields:
        The app's address.

    Raises:
        OSError: If it cannot listen there.
    """
    _check_free(host, port)
    _refuse_links()
    with tempfile.TemporaryDirectory(prefix="rrstyle-app-") as name:
        empty = Path(name, "empty")
        empty.mkdir()
        os.environ["GRADIO_TEMP_DIR"] = str(Path(name, "files"))
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        with chdir(empty):
            app = build_app().queue(max_size=_WAITING_JOBS)
            _, url, _ = app.launch(
                server_name=host,
                server_port=port,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                ssr_mode=False,
                max_file_size=MAX_BYTES,
                run_history=False,
                footer_links=["api", "settings"],
                theme=_THEME,
                css=_CSS,
            )
            try:
                yield url
            finally:
                app.close(verbose=False)


def launch(*, host: str = "127.0.0.1", port: int = 7860) -> None:
    """Serve the app until Ctrl+C or SIGTERM; to be called in the main thread.

    Raises:
        OSError: If it cannot listen there.
    """
    with suppress(KeyboardInterrupt), serving(host=host, port=port) as url:
        # Unhandled, SIGTERM would leave what clients uploaded in the temporary folder.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"The app is at {url} (Ctrl+C ends it)", flush=True)
        threading.Event().wait()


def _check_free(host: str, port: int) -> None:
    """Say at once what Gradio would say after building the app, and in other words."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise OSError(
            f"the app cannot listen on {host}:{port}; choose another port, or end what listens "
            f"there; received {getattr(error, 'strerror', None) or error}"
        ) from error


def _refuse_links() -> None:
    """Let Gradio fetch nothing: by itself it downloads any link that a client passes as a file."""
    processing_utils.async_ssrf_protected_get = _no_links
    route_utils.safehttpx.async_validate_url = _no_links


async def _no_links(url: str) -> NoReturn:
    raise gr.Error("links are not fetched; upload the picture itself", print_exception=False)
