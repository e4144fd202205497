"""Widgets that several tabs have."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).with_name("assets")

# For events that are quick, of this page only, and cannot go wrong by what a client does: Gradio
# 6.31 shows no error of an event outside its queue.
QUIET: dict[str, Any] = {
    "queue": False,
    "api_visibility": "private",
    "show_progress": "hidden",
}


def picture_input(
    label: str,
    names: tuple[str, ...],
    files: Mapping[str, Path],
    first: str | None,
    *,
    height: int = 220,
) -> gr.Image:
    """A picture to upload or to choose from the built-in ones.

    Args:
        label: Name of the input.
        names: Names of the built-in pictures.
        files: The built-in pictures by name.
        first: The one that is there at first; None for none.
        height: Height of the picture in pixels.
    """
    with gr.Column(min_width=150):
        picture = gr.Image(
            str(files[first]) if first else None,
            label=label,
            format="png",
            type="filepath",
            sources=["upload", "clipboard"],
            height=height,
            buttons=[],
            alt_text=f"{label}: the picture chosen",
        )
        gr.Examples(
            [[str(files[name])] for name in names],
            [picture],
            label=f"Built in: {label.lower()}",
            examples_per_page=len(names),
            api_visibility="private",
            elem_id=f"examples-{label.lower().replace(' ', '-')}",
        )
    return picture


def share(label: str, value: float, info: str) -> gr.Slider:
    """A number from 0 to 1."""
    return gr.Slider(0, 1, value=value, step=0.05, label=label, info=info, buttons=[])
