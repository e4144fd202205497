"""The Gradio app: its page, its tabs and its looks."""

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.address import keep_in_address
from apps.page.api import add_api
from apps.page.export import export_tab
from apps.page.reconstruct import layers_of, reconstruct_tab, run_folders
from apps.page.study import study_folders, study_tab
from apps.page.stylise.tab import stylise_tab
from apps.page.widgets import QUIET, asset
from apps.service import uploads
from apps.service.limits import Folders, Limits
from rrstyle import examples
from rrstyle.pictures import images

# Fonts of the machine: nothing to load, and no connection anywhere.
_THEME = gr.themes.Default(
    primary_hue="teal",
    neutral_hue="stone",
    font=(gr.themes.Font("system-ui"), gr.themes.Font("sans-serif")),
    font_mono=(gr.themes.Font("ui-monospace"), gr.themes.Font("monospace")),
).set(
    # The theme's own hints, and its white on teal, have too little contrast to be read easily.
    body_text_color_subdued="*neutral_500",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_600",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_600",
)
# For launch(), where Gradio 6 wants them.
LOOK: dict[str, Any] = {"theme": _THEME, "css": asset("app.css"), "js": asset("app.js")}

_WORDS = "A photograph in the style of a picture, by networks that were never trained."
_HEAD = f"""<a class="skip" href="#stylise">Go to Stylise</a><h1>rrstyle</h1><p>{_WORDS}</p>"""
_LOGOUT = '<a class="logout" href="logout">Log out</a>'


def build_app(limits: Limits, folders: Folders, *, login: bool = False) -> gr.Blocks:
    """The app. Gradio copies the built-in pictures into its cache while it is built.

    With a `login` the page has a way out of it.

    ValueError if the folder of results holds none, OSError if a folder cannot be read.
    """
    studies, runs = study_folders(folders.results), run_folders(folders.runs)
    with (
        tempfile.TemporaryDirectory(prefix="rrstyle-examples-") as name,
        gr.Blocks(title="rrstyle", analytics_enabled=False) as app,
    ):
        files = _write_examples(Path(name))
        gr.HTML(_HEAD + (_LOGOUT if login else ""), elem_id="head")
        with gr.Tabs(overflow_behavior="wrap") as box:
            with gr.Tab("Stylise", id="stylise") as first:
                stylise = stylise_tab(app, limits, files)
            with gr.Tab("Reconstruct", id="reconstruct") as second:
                networks = reconstruct_tab(limits, files, runs)
            with gr.Tab("Study", id="study") as third:
                study = study_tab(third, studies)
            with gr.Tab("Export", id="export") as fourth:
                export_tab(limits, stylise)
        add_api(limits, runs)
        kept = stylise.settings | networks | study
        restored = keep_in_address(app, kept, box, [first, second, third, fourth])
        plan = [networks["architecture"], networks["layer"]]
        restored.then(layers_of, plan, plan[1:], **QUIET)
    return app


def _write_examples(folder: Path) -> dict[str, Path]:
    """The built-in pictures as files, by name."""
    files = {name: folder / f"{name}.png" for name in uploads.BUILT_IN}
    for name, path in files.items():
        pixels = examples.example(name)
        path.write_bytes(images.encode_png(pixels))
        uploads.remember_built_in(name, pixels)  # or the first click would wait a second
    return files
