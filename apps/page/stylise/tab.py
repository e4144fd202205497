"""The Stylise tab: pictures and settings on one side, what becomes of them on the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.address import Setting
from apps.page.errors import in_words
from apps.page.settings import (
    CONTROLS,
    DEFAULTS,
    FIRST_LOOK,
    LARGEST_SEED,
    LARGEST_STYLE_SCALE,
    METHODS,
    SMALLEST_SIDE,
    SMALLEST_STYLE_SCALE,
    apply_look,
    field_help,
    look_hint,
)
from apps.page.status import status_html
from apps.page.stylise import handlers as handlers
from apps.page.stylise.recipe import load_recipe
from apps.page.widgets import ASSETS, QUIET, picture_input, share
from apps.service.limits import Limits
from rrstyle import examples
from rrstyle.config import StyleConfig
from rrstyle.presets import PRESETS
from rrstyle.transfer.blends import MOST_STYLES

FIRST_PAIR = ("chelsea", "starry-swirls")
_PAINT = """
<canvas width="512" height="340" role="img"
  aria-label="The photograph; paint with mouse, pen or finger where the style goes"></canvas>
<p>
  <label>Brush <input type="range" min="1" max="30" value="8" aria-label="Brush size"></label>
  <label><input type="checkbox"> Erase</label>
  <button type="button">Invert</button>
  <button type="button">Clear</button>
</p>
"""
# Tells the brush which photograph it paints on, also one that opens later.
_SHOW_TO_BRUSH = """(picture) => {
    window.rrstylePhotograph = picture?.url;
    window.dispatchEvent(new CustomEvent("rrstyle:photograph", {detail: picture?.url}));
    return [];
}"""

# On a phone what happens is below the settings.
_SHOW_JOB = """() => {
    const job = document.getElementById("job");
    if (innerWidth <= 640) job.scrollIntoView({behavior: "smooth"});
    return [];
}"""


@dataclass(frozen=True)
class StyliseTab:
    """What other tabs and the page need of it.

    Attributes:
        settings: Controls whose values the address keeps.
        controls: Controls in the order of `apps.page.settings.CONTROLS`.
        album: The session's pictures, a state.
        chosen: File name of the chosen one, a state.
    """

    settings: list[Setting]
    controls: list[Any]
    album: gr.State
    chosen: gr.State


@dataclass
class _Inputs:
    """The left side, as it is laid out."""

    content: Any = None
    styles: list[Any] = field(default_factory=list)
    shares: list[Any] = field(default_factory=list)
    mask: Any = None
    look: Any = None
    settings: list[Setting] = field(default_factory=list)
    recipe: Any = None
    recipe_note: Any = None

    @property
    def controls(self) -> list[Any]:
        return [setting.control for setting in self.settings]


@dataclass(frozen=True)
class _Outputs:
    """The right side, from top to bottom."""

    go: gr.Button
    stop: gr.Button
    status: gr.HTML
    stage: gr.HTML
    results: gr.Column
    download: gr.DownloadButton
    more: gr.Button
    gallery: gr.Gallery
    recipe: gr.HTML
    archive: gr.DownloadButton
    clear: gr.Button


def stylise_tab(app: gr.Blocks, limits: Limits, files: Mapping[str, Path]) -> StyliseTab:
    """The tab's widgets and what they do.

    Args:
        app: The page.
        limits: Limits of the server.
        files: The built-in pictures by name.
    """
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=2, min_width=320):
            inputs = _inputs(limits, files)
        with gr.Column(scale=3, min_width=320, elem_classes="stage"):
            found = _outputs()
    album, chosen = gr.State(None), gr.State(None)
    outputs = [
        found.status,
        found.stage,
        found.results,
        found.gallery,
        album,
        chosen,
        found.recipe,
        found.download,
        found.archive,
    ]
    asked = [
        inputs.content,
        *inputs.styles,
        *inputs.shares,
        inputs.mask,
        *inputs.controls,
    ]
    run = handlers.Stylise(limits)
    go, stop, more, status = found.go, found.stop, found.more, found.status
    for button, handler, values in (
        (go, run.stylise, [album, *asked]),
        (more, run.more_like_this, [album, chosen]),
    ):
        began = button.click(handlers.begin, None, [go, stop, more, status], **QUIET)
        job = began.then(
            handler,
            values,
            outputs,
            preprocess=False,  # Gradio would decode the uploads before our checks of them
            show_progress="hidden",
            concurrency_id="jobs",
            concurrency_limit=limits.handlers,  # apps.service.jobs has the queue
            api_visibility="private",
        )
        # In Gradio 6.31 `then` alone does not follow an error.
        job.success(handlers.end, [album, chosen], [go, stop, more], **QUIET)
        job.failure(handlers.fail, [album, chosen], [go, stop, more, status], **QUIET)
    go.click(None, None, None, js=_SHOW_JOB, api_visibility="private")
    # No `cancels=`: that would drop the pictures that are done and leave an error badge.
    stop.click(handlers.stop, None, None, **QUIET)
    shown = [found.stage, chosen, found.recipe, found.download, more]
    found.gallery.select(handlers.show, [album], shown, **QUIET)
    found.clear.click(handlers.clear, None, [*outputs, more], **QUIET)
    app.unload(handlers.leave)
    _wire_inputs(app, inputs)
    looks = Setting("look", inputs.look, choices=tuple(PRESETS))
    return StyliseTab([looks, *inputs.settings], inputs.controls, album, chosen)


def _outputs() -> _Outputs:
    """The right side: the job, the picture it makes, and all that were made."""
    with gr.Row(elem_id="go"):
        go = gr.Button("Stylise", variant="primary", scale=3, elem_id="stylise")
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=90)
    status = gr.HTML(status_html(handlers.IDLE), elem_id="job")
    stage = gr.HTML(
        handlers.EMPTY,
        elem_id="stage",
        js_on_load=(ASSETS / "compare.js").read_text(encoding="utf-8"),
    )
    with gr.Column(visible=False) as results:
        with gr.Row():
            download = gr.DownloadButton("Download PNG", interactive=False, min_width=130)
            more = gr.Button("More like this", interactive=False, min_width=130)
        gallery = gr.Gallery(
            label="Pictures: choose one to see it above",
            format="png",
            columns=4,
            elem_id="gallery",
            height="auto",
            object_fit="cover",
            allow_preview=False,
            interactive=False,
            fit_columns=False,
            buttons=[],
        )
        with gr.Accordion("How this picture was made", open=False):
            recipe = gr.HTML(handlers.NOT_CHOSEN, elem_id="recipe")
        with gr.Row():
            archive = gr.DownloadButton(
                "Download all (ZIP)", interactive=False, size="sm", min_width=130
            )
            clear = gr.Button("Clear the pictures", size="sm", min_width=130)
    return _Outputs(
        go, stop, status, stage, results, download, more, gallery, recipe, archive, clear
    )


def _inputs(limits: Limits, files: Mapping[str, Path]) -> _Inputs:
    """The left side: what one needs in sight, the rest folded away."""
    hints, found = field_help(StyleConfig), _Inputs()
    with gr.Row():
        found.content = picture_input("Photograph", examples.PHOTOGRAPHS, files, FIRST_PAIR[0])
        found.styles = [picture_input("Style", examples.STYLES, files, FIRST_PAIR[1])]
    found.look = gr.Radio(
        [(preset.name, look) for look, preset in PRESETS.items()],
        value=FIRST_LOOK,
        label="Look",
        info=look_hint(FIRST_LOOK),
        elem_id="looks",
    )
    strength = share("Strength", DEFAULTS.strength, hints["strength"])
    with gr.Row():
        variants = gr.Slider(
            1,
            limits.max_variants,
            value=2,
            step=1,
            label="Variants",
            info="How many pictures, each by another random network.",
            min_width=150,
            buttons=[],
        )
        keep_colours = gr.Checkbox(
            DEFAULTS.keep_colours,
            label="Keep the photograph's colours",
            info="Take strokes and light from the style, but not its palette.",
            min_width=150,
        )
    with gr.Accordion("More settings", open=False):
        method = gr.Dropdown(
            list(METHODS), value=DEFAULTS.method, label="Method", info=hints["method"]
        )
        wildness = share("Wildness", DEFAULTS.wildness, hints["wildness"])
        style_scale = gr.Slider(
            SMALLEST_STYLE_SCALE,
            LARGEST_STYLE_SCALE,
            value=DEFAULTS.style_scale,
            step=0.05,
            label="Style scale",
            info="Size of the strokes: below 1 finer than in the style picture, above 1 larger.",
            buttons=[],
        )
        size = gr.Slider(
            SMALLEST_SIDE,
            limits.max_side,
            value=min(DEFAULTS.side, limits.max_side),
            step=16,
            label="Size",
            info="Longer side of the result in pixels. Time grows with its square.",
            buttons=[],
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
            dice = gr.Button("⚄ New seed", scale=1, min_width=150)
        dice.click(handlers.another_seed, None, [seed], **QUIET)
    with gr.Accordion("Blend with more styles", open=False):
        found.shares = [
            share("Share of the first style", 1.0, "Against the others; what counts is the ratio.")
        ]
        for number in range(2, MOST_STYLES + 1):
            with gr.Row(elem_classes="blend"):
                found.styles.append(
                    picture_input(f"Style {number}", examples.STYLES, files, None, height=150)
                )
                found.shares.append(
                    share(f"Share of style {number}", 1.0, "Without a picture it has none.")
                )
    with gr.Accordion("Paint where the style goes", open=False):
        gr.Markdown("The style goes only where you paint; without a stroke it goes everywhere.")
        found.mask = gr.HTML(
            "",
            html_template=_PAINT,
            elem_id="paint",
            js_on_load=(ASSETS / "paint.js").read_text(encoding="utf-8"),
        )
    with gr.Accordion("Make a picture again", open=False):
        found.recipe = gr.File(
            file_types=[".png"],
            label="A PNG made here: drop it, and its settings are loaded",
            height=110,
            elem_id="recipe-file",
        )
        found.recipe_note = gr.HTML(elem_id="recipe-note")
    widgets = {
        "method": method,
        "strength": strength,
        "n": variants,
        "wildness": wildness,
        "side": size,
        "seed": seed,
        "keep_colours": keep_colours,
        "style_scale": style_scale,
    }
    bounds: dict[str, dict[str, Any]] = {
        "method": {"choices": METHODS},
        "n": {"low": 1, "high": limits.max_variants},
        "side": {"low": SMALLEST_SIDE, "high": limits.max_side},
        "seed": {"high": LARGEST_SEED},
        "style_scale": {"low": SMALLEST_STYLE_SCALE, "high": LARGEST_STYLE_SCALE},
    }
    found.settings = [
        Setting(control.address, widgets[key], **bounds.get(key, {}))
        for key, control in CONTROLS.items()
    ]
    return found


def _wire_inputs(app: gr.Blocks, inputs: _Inputs) -> None:
    in_look = [c.in_look for c in CONTROLS.values()]
    # The look sets what it is made of; each can still be changed.
    inputs.look.input(
        in_words(apply_look),
        [inputs.look],
        list(compress(inputs.controls, in_look)),
        **QUIET,
    )
    inputs.look.change(hint_of, [inputs.look], [inputs.look], **QUIET)
    inputs.recipe.upload(
        in_words(load_recipe),
        [inputs.recipe],
        [
            inputs.recipe_note,
            inputs.content,
            *inputs.styles,
            *inputs.shares,
            inputs.mask,
            inputs.look,
            *inputs.controls,
        ],
        preprocess=False,
        show_progress="hidden",
        api_visibility="private",  # and queued: Gradio 6.31 shows no error of what is not
    )
    for event in (inputs.content.change, app.load):
        event(None, [inputs.content], None, js=_SHOW_TO_BRUSH, api_visibility="private")


def hint_of(name: Any) -> gr.Radio:
    """The line under the looks."""
    return gr.Radio(info=look_hint(name))
