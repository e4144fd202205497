"""The Stylise tab: pictures and settings on one side, what becomes of them on the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from apps.page.errors import in_words
from apps.page.settings import (
    CONTROLS,
    DEFAULTS,
    FIRST_LOOK,
    SMALLEST_SIDE,
    apply_look,
    look_hint,
    look_of,
)
from apps.page.status import status_html
from apps.page.stylise import handlers, history, impressions, views
from apps.page.stylise.many import MOST_PHOTOGRAPHS
from apps.page.stylise.opening import FIRST_PAIR
from apps.page.stylise.recipe import load_recipe
from apps.page.widgets import (
    PRIVATE,
    QUIET,
    asset,
    of_field,
    picture_input,
    queued,
    seed_input,
    share,
    slider,
)
from apps.service.limits import Limits
from rrstyle import examples
from rrstyle.presets import PRESETS
from rrstyle.transfer.blends import MOST_STYLES

_BLEND, _PAINT = "Blend with more styles", "Paint where the style goes"
_TURN, _MANY = "Tiles and turned strokes", "Many photographs at once"


@dataclass(frozen=True)
class StyliseTab:
    """What other tabs and the page need of it."""

    settings: dict[str, Component]  # that the address keeps, by their names there
    controls: list[Component]  # in the order of `apps.page.settings.CONTROLS`
    chosen: gr.State  # file name of the chosen one


def stylise_tab(app: gr.Blocks, limits: Limits, files: Mapping[str, Path]) -> StyliseTab:
    """The tab's widgets and what they do, with the built-in pictures by name."""
    with gr.Row(elem_classes="sides"):
        with gr.Column(scale=2, min_width=320):
            asked, looked, parts = _inputs(limits, files)
            parts |= _many()
        with gr.Column(scale=3, min_width=320, elem_classes="stage"):
            parts |= _outputs()
    parts["chosen"], look = gr.State(None), parts["look"]
    chosen, pictures = parts["chosen"], asked[: -len(CONTROLS)]  # with shares and mask
    outputs = [parts[name] for name in views.OUTPUTS]
    switched = [go, stop, more, clear, larger, every] = [parts[name] for name in views.SWITCHED]
    run = handlers.Stylise(limits)
    told = [*switched, parts["status"]]
    sketch = impressions.Impressions(limits)
    sketched = [parts[name] for name in impressions.SKETCHED]
    # A new one does not wait for the one before, which then ends.
    sketching = PRIVATE | {"concurrency_id": "sketches", "concurrency_limit": limits.handlers}
    sketching |= {"trigger_mode": "multiple"}
    changes = [picture.change for picture in pictures]
    gr.on(changes, sketch.impress, [chosen, *asked], sketched, **sketching)
    looked.then(sketch.impress, [chosen, *asked], sketched, **sketching)
    gr.on([b.click for b in (go, more, larger, every)], impressions.stop, None, None, **QUIET)
    app.unload(impressions.stop)
    for began, handler, values in (
        (go.click(handlers.begin, None, told, **QUIET), run.stylise, asked),
        (more.click(handlers.begin, None, told, **QUIET), run.more_like_this, [chosen]),
        (larger.click(handlers.begin, None, told, **QUIET), run.larger, [chosen, parts["sizes"]]),
        (every.click(handlers.begin, None, told, **QUIET), run.all_alike, [parts["files"], *asked]),
        # A job goes on when its page is lost: the next one follows it.
        (app.load(handlers.reopen, None, [*switched, *outputs], **QUIET), handlers.follow, None),
    ):
        job = began.then(handler, values, outputs, **PRIVATE, **queued(limits))
        # In Gradio 6.31 `then` alone does not follow an error.
        ended = job.success(handlers.end, [chosen], switched, **QUIET)
        ended.then(sketch.looks, [chosen, *asked], sketched, **sketching)
        job.failure(handlers.fail, [chosen], told, **QUIET)
    show_job = asset("show-job.js")
    gr.on([go.click, every.click], None, None, None, js=show_job, api_visibility="private")
    offered = [parts["enlarge"], parts["sizes"], larger]
    chosen.change(run.offer, [chosen], offered, **QUIET)
    # No `cancels=`: that would drop the pictures that are done and leave an error badge.
    stop.click(handlers.stop, None, None, **QUIET)
    shown = [*(parts[name] for name in views.SHOWN), more]
    parts["gallery"].select(handlers.show, None, shown, **QUIET)
    liked = [parts["favourite"], parts["gallery"]]
    liked[0].click(history.like, [chosen], liked, **QUIET)
    changed = [*outputs, more, parts["undo"]]
    parts["delete"].click(history.delete, [chosen], changed, **QUIET)
    clear.click(history.clear, None, changed, **QUIET)
    parts["undo"].click(history.bring_back, None, changed, **QUIET)
    app.unload(handlers.leave)
    content, controls = asked[0], asked[-len(CONTROLS) :]
    keep = asset("keep-pictures.js")
    gr.on(changes, None, pictures, None, js=keep, api_visibility="private")
    back = asset("bring-pictures-back.js")
    app.load(None, pictures, pictures, js=back, api_visibility="private")
    brush = asset("show-to-brush.js")
    for event in (content.change, app.load):
        event(None, [content], None, js=brush, api_visibility="private")
    names = (control.address for control in CONTROLS.values())
    settings = {"look": look, **dict(zip(names, controls, strict=True))}
    widgets, remember = list(settings.values()), asset("remember-settings.js")
    for event in (app.load, partial(gr.on, [widget.change for widget in widgets])):
        event(None, widgets, None, js=remember, api_visibility="private")
    undone = parts["back"].click(
        None, widgets, widgets, js=asset("undo-setting.js"), api_visibility="private"
    )
    undone.then(sketch.impress, [chosen, *asked], sketched, **sketching)
    return StyliseTab(settings, controls, chosen)


def _blend_label(*pictures: Any) -> gr.Accordion:
    """Says of a folded section that it holds something."""
    count = sum(picture is not None for picture in pictures)
    return gr.Accordion(label=f"{_BLEND}: {count} more" if count else _BLEND)


def _paint_label(mask: Any) -> gr.Accordion:
    return gr.Accordion(label=f"{_PAINT}: in parts" if mask else _PAINT)


def _turn_label(*switches: Any) -> gr.Accordion:
    words = [word for word, on in zip(("a tile", "turned"), switches, strict=True) if on]
    return gr.Accordion(label=f"{_TURN}: {', '.join(words)}" if words else _TURN)


def _many() -> dict[str, Any]:
    """The section for many photographs."""
    with gr.Accordion(_MANY, open=False):
        gr.Markdown(
            f"Up to {MOST_PHOTOGRAPHS} photographs, all by the settings above and one seed: a"
            " picture of each, in one ZIP."
        )
        files = gr.File(
            file_count="multiple",
            file_types=["image"],
            label="Drop the photographs here",
            height=140,
            elem_id="photographs",
        )
        with gr.Row():
            button = gr.Button("Stylise all", size="md", min_width=130, elem_id="stylise-all")
            bundle = gr.DownloadButton(
                "Download ZIP", interactive=False, size="md", min_width=130, elem_id="bundle"
            )
    return {"files": files, "all": button, "bundle": bundle}


def _outputs() -> dict[str, Any]:
    """The right side: the job, the picture it makes, and all that were made."""
    with gr.Row(elem_id="go"):
        go = gr.Button("Stylise", variant="primary", scale=3, elem_id="stylise")
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=90, elem_id="stop")
    status = gr.HTML(status_html(views.IDLE), elem_id="job")
    undo = gr.Button("Bring back what was removed", size="sm", visible=False)
    stage = gr.HTML(views.EMPTY, elem_id="stage", js_on_load=asset("compare.js"))
    with gr.Column(visible=False) as results:
        with gr.Row():
            download = gr.DownloadButton(
                "Download PNG", interactive=False, size="md", min_width=130
            )
            more = gr.Button(
                "More like this", interactive=False, size="md", min_width=130, elem_id="more"
            )
            favourite = gr.Button("☆ Favourite", interactive=False, size="md", min_width=100)
            delete = gr.Button("Delete", interactive=False, size="md", min_width=100)
        with gr.Row(visible=False, elem_id="enlarge") as enlarge:
            info = "The same strokes in the same places, for a wall: pixels, time, memory."
            sizes = gr.Dropdown([], label="Larger", info=info, scale=3, min_width=220)
            larger = gr.Button("Make it larger", size="md", min_width=130, elem_id="larger")
        gallery = gr.Gallery(
            label="Your pictures: choose one to see it above",
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
            recipe = gr.HTML(views.NOT_CHOSEN, elem_id="recipe")
        with gr.Row():
            archive = gr.DownloadButton(
                "Download all (ZIP)", interactive=False, size="sm", min_width=130
            )
            clear = gr.Button("Clear the pictures", size="sm", min_width=130)
    found: dict[str, Any] = {"go": go, "stop": stop, "more": more, "clear": clear}
    found |= {"undo": undo, "download": download, "favourite": favourite, "delete": delete}
    found |= {"enlarge": enlarge, "sizes": sizes, "larger": larger}
    found |= {"status": status, "stage": stage, "results": results, "gallery": gallery}
    return found | {"recipe": recipe, "archive": archive}


def _inputs(limits: Limits, files: Mapping[str, Path]) -> tuple[list[Any], Any, dict[str, Any]]:
    """The left side: what one needs is in sight, the rest folded away.

    Returns:
        The widgets that `orders.order_of` takes the values of, the event of a chosen look, and by
        name the looks, what holds their pictures, and the button that undoes a change.
    """
    controls: dict[str, Any] = {}
    with gr.Row():
        content = picture_input("Photograph", examples.PHOTOGRAPHS, files, FIRST_PAIR[0])
        styles = [picture_input("Style", examples.STYLES, files, FIRST_PAIR[1])]
    sketches = gr.HTML(elem_id="sketches")
    look = gr.Radio(
        [(preset.name, look) for look, preset in PRESETS.items()],
        value=FIRST_LOOK,
        label="Look",
        info=look_hint(FIRST_LOOK),
        elem_id="looks",
    )
    info = "0 = your photo, 1 = full style."
    controls["strength"] = of_field(share, DEFAULTS, "strength", info=info)
    with gr.Row():
        info = "How many pictures: the same settings, each comes out differently."
        controls["n"] = slider(
            1, limits.max_variants, 1, value=2, label="Variants", info=info, min_width=150
        )
        info = "Take strokes and light from the style, but not its palette."
        words = {"label": "Keep the photograph's colours", "info": info}
        controls["keep_colours"] = of_field(
            gr.Checkbox, DEFAULTS, "keep_colours", min_width=150, **words
        )
    back = gr.Button("↶ Undo the last change of a setting", size="sm", elem_id="back")
    with gr.Accordion("More settings", open=False):
        info = "Paint rebuilds the photo from pieces of the style, optimise bends it step by step,"
        info += " the others recolour it at once."
        controls["method"] = of_field(gr.Dropdown, DEFAULTS, "method", info=info)
        info = "How far colours leave the pictures: false ones, others for every seed."
        controls["wildness"] = of_field(share, DEFAULTS, "wildness", info=info)
        info = "Size of the strokes: below 1 finer than in the style picture, above 1 larger."
        controls["style_scale"] = of_field(
            partial(slider, 0.25, 4.0, 0.05), DEFAULTS, "style_scale", info=info
        )
        info = "Longer side of the result in pixels. Time grows with its square."
        side = min(DEFAULTS.side, limits.max_side)
        controls["side"] = slider(
            SMALLEST_SIDE, limits.max_side, 16, value=side, label="Size", info=info
        )
        with gr.Row(elem_id="seed"):
            info = "The same seed gives the same picture again; variants count up from it."
            controls["seed"] = seed_input(info, scale=3)
            dice = gr.Button("⚄ New seed", scale=1, min_width=150)
        dice.click(handlers.another_seed, None, [controls["seed"]], **QUIET)
    with gr.Accordion(_BLEND, open=False) as blend:
        info = "Against the others; what counts is the ratio."
        shares = [share(value=1.0, label="Share of the first style", info=info)]
        info = "Without a picture it has none."
        for number in range(2, MOST_STYLES + 1):
            label = f"Style {number}"
            with gr.Row(elem_classes="blend"):
                styles.append(picture_input(label, examples.STYLES, files, None, height=150))
                shares.append(share(value=1.0, label=f"Share of {label.lower()}", info=info))
    with gr.Accordion(_TURN, open=False) as turns:
        info = "Copies of the picture fit side by side, for wallpapers and textures."
        controls["tile"] = of_field(gr.Checkbox, DEFAULTS, "tile", label="A tile", info=info)
        info = "Strokes may lie in four directions; three times more to search."
        words = {"label": "Turn the strokes", "info": info}
        controls["style_rotate"] = of_field(gr.Checkbox, DEFAULTS, "style_rotate", **words)
    with gr.Accordion(_PAINT, open=False) as painted:
        gr.Markdown("The style goes only where you paint; without a stroke it goes everywhere.")
        mask = gr.HTML(
            "", html_template=asset("paint.html"), elem_id="paint", js_on_load=asset("paint.js")
        )
    for picture in styles[1:]:
        picture.change(_blend_label, styles[1:], [blend], **QUIET, preprocess=False)
    switches = [controls["tile"], controls["style_rotate"]]
    for switch in switches:
        switch.change(_turn_label, switches, [turns], **QUIET)
    mask.change(_paint_label, [mask], [painted], **QUIET, preprocess=False)
    with gr.Accordion("Load settings from a picture", open=False):
        recipe = gr.File(
            file_types=[".png"],
            label="A PNG made here: drop it, and its settings are loaded",
            height=110,
            elem_id="recipe-file",
        )
        note = gr.HTML(elem_id="recipe-note")
    asked = [content, *styles, *shares, mask, *(controls[key] for key in CONTROLS)]
    # A look sets some of the controls; each can still be changed.
    looked = [controls[key] for key, control in CONTROLS.items() if control.in_look]
    applied = look.input(in_words(apply_look), [look], looked, **QUIET)
    for control in looked:
        control.input(look_of, looked, [look], **QUIET)
    look.change(lambda name: gr.Radio(info=look_hint(name)), [look], [look], **QUIET)
    recipe.upload(in_words(load_recipe), [recipe], [note, look, *asked], **PRIVATE)
    return asked, applied, {"look": look, "sketches": sketches, "back": back}
