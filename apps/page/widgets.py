"""Widgets and options of events that several tabs have."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.settings import LARGEST_SEED, choices, field_help
from apps.service.limits import Limits

# Options of the page's own events. Gradio itself would decode pictures before our checks of them.
_OWN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
PRIVATE = _OWN | {"preprocess": False}
# For events that are quick and cannot go wrong by what a client does: Gradio 6.31 shows no error of
# an event outside its queue.
QUIET = _OWN | {"queue": False}


def asset(name: str) -> str:
    """The text of a file of the assets."""
    return (Path(__file__).with_name("assets") / name).read_text(encoding="utf-8")


def queued(limits: Limits) -> dict[str, Any]:
    """Options of events that run a job: `apps.service.jobs` has the queue, and not Gradio."""
    return {"concurrency_id": "jobs", "concurrency_limit": limits.handlers}


def picture_input(
    label: str, names: tuple[str, ...], files: Mapping[str, Path], first: str | None, *, height=220
) -> gr.Image:
    """A picture to upload or to choose from the built-in ones.

    Args:
        names, first: Names to choose from, and the one that is there at first, if any.
        files: The built-in pictures by name.
        height: Height of the picture in pixels.
    """
    with gr.Column(min_width=150):
        picture = gr.Image(
            str(files[first]) if first else None,
            label=label,
            format="png",
            type="filepath",
            sources=["upload"],  # with more, Gradio puts icons below that empty the slot
            height=height,
            buttons=[],
            alt_text=f"{label}: the picture chosen",
        )
        own = gr.UploadButton(
            "Choose a style" if label.startswith("Style") else "Choose your photo",
            file_types=["image"],
            size="sm",
        )
        own.upload(None, [own], [picture], js="(file) => file", api_visibility="private")
        gr.Examples(
            [[str(files[name])] for name in names],
            [picture],
            label=f"Built in: {label.lower()}",
            examples_per_page=len(names),
            api_visibility="private",
            elem_id=f"examples-{label.lower().replace(' ', '-')}",
        )
    return picture


def of_field(kind: Any, config: Any, name: str, **options: Any) -> Any:
    """A widget for a field of a config: by default its name, value, choices and help."""
    label = name.capitalize().replace("_", " ")
    if found := choices(type(config), name):
        options = {"choices": list(found)} | options
    help_text = field_help(type(config))[name]
    return kind(**{"value": getattr(config, name), "label": label, "info": help_text} | options)


def slider(low: float, high: float, step: float, **options: Any) -> gr.Slider:
    """A slider without buttons."""
    return gr.Slider(low, high, step=step, buttons=[], **options)


def seed_input(info: str, **options: Any) -> gr.Number:
    """The seed of random weights."""
    options |= {"minimum": 0, "maximum": LARGEST_SEED}
    return gr.Number(0, precision=0, label="Seed", info=info, **options)


share = partial(slider, 0, 1, 0.05)
