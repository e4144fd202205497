"""What the widgets of the Stylise tab hold: of a job, of a chosen picture, of all pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.status import compare_html, nothing_html, piece, status_html
from apps.page.stylise import opening
from apps.page.stylise.album import Album, Made
from apps.page.stylise.recipe import recipe_html
from rrstyle import examples
from rrstyle.pictures.images import encode_png, resize

IDLE = "Choose two pictures, then press Stylise."
EMPTY = nothing_html("The picture appears here.")
NOT_CHOSEN = nothing_html("Choose a picture above to see how it was made.")
NOT_FINISHED = nothing_html("This picture is not finished: there is no way to make it again yet.")

# Widgets and states: those that a chosen picture changes, all that a job changes, and the buttons
# that a job switches.
SHOWN = ("stage", "chosen", "recipe", "download", "favourite", "delete")
OUTPUTS = (*SHOWN, "status", "results", "gallery", "archive", "bundle")
SWITCHED = ("go", "stop", "more", "clear", "larger", "all")


def switched(*, busy: bool, repeatable: bool = False) -> tuple:
    """`SWITCHED` while a job runs, or while none does and there is a picture to repeat."""
    idle = not busy
    able = (idle, busy, repeatable and idle, idle, idle, idle)
    return tuple(gr.Button(interactive=interactive) for interactive in able)


def all_shown(album: Album | None) -> tuple:
    """`OUTPUTS`, the newest picture chosen, and More like this."""
    if album is not None and album.pictures:
        values = listed(album) | shown(album, album.pictures[-1])
        values |= {"archive": archive_button(album), "bundle": bundle_button(album)}
        return *outputs(**values), gr.Button(interactive=True)
    off, no = gr.DownloadButton(value=None, interactive=False), gr.Button(interactive=False)
    none: dict[str, Any] = {"stage": EMPTY, "chosen": None, "recipe": NOT_CHOSEN}
    none |= {"download": off, "favourite": no, "delete": no, "status": status_html(IDLE)}
    none |= {"results": gr.Column(visible=False), "gallery": [], "archive": off}
    return *outputs(**none), no


def unfinished(before: Path, preview: Path, caption: str) -> dict[str, Any]:
    """`SHOWN` of a picture that is being made: all of it is of this one."""
    download = gr.DownloadButton(value=str(preview), interactive=True)
    off = gr.Button(interactive=False)
    values = compare_html(before, preview, caption), None, NOT_FINISHED, download, off, off
    return dict(zip(SHOWN, values, strict=True))


def impression(before: Path, sketch: Path, title: str) -> dict[str, Any]:
    """`SHOWN` and More like this while a sketch of what could be made is on the stage."""
    words = f"Sketch: {title}. Press Stylise to have it painted."
    return passing(before, sketch, words) | {"more": gr.Button(interactive=False)}


def passing(before: Path, picture: Path, title: str) -> dict[str, Any]:
    """`SHOWN` of a picture that is in no album."""
    download, off = gr.DownloadButton(value=None, interactive=False), gr.Button(interactive=False)
    values = compare_html(before, picture, title), None, NOT_CHOSEN, download, off, off
    return dict(zip(SHOWN, values, strict=True))


def opened(album: Album) -> dict[str, Any]:
    """The stage of a page that opens without pictures of its own, by name."""
    if (first := opening.first_picture()) is None:
        return {}
    content, style = opening.FIRST_PAIR
    size = first.image.shape[:2]
    photograph = encode_png(resize(examples.example(content), size))
    before = album.keep("photograph", (content, size), photograph)
    title = f"For example: {content} by {style}"
    return {"stage": compare_html(before, album.keep("opening", style, first.png), title)}


def sketches_html(paths: Sequence[Path | None]) -> str:
    """The pictures of the looks, in their order; None for one that is not there yet."""
    return piece("sketches", paths)


def outputs(**values: Any) -> tuple:
    """`OUTPUTS`, those that are not given left as they are."""
    return tuple(values.get(name, gr.skip()) for name in OUTPUTS)


def listed(album: Album, running: tuple[Path, str] | None = None) -> dict[str, Any]:
    """The gallery, by name; `running` is a preview of what is being made, and its caption."""
    seen = gr.Column(visible=bool(album.pictures))
    return {"results": seen, "gallery": album.gallery(running)}


def archive_button(album: Album) -> gr.DownloadButton:
    """The button for all pictures at once."""
    path = str(album.write_zip()) if album.pictures else None
    return gr.DownloadButton(value=path, interactive=bool(path))


def bundle_button(album: Album | None) -> gr.DownloadButton:
    """The button for what became of many photographs."""
    path = album.bundle if album and album.bundle and album.bundle.exists() else None
    return gr.DownloadButton(value=path and str(path), interactive=path is not None)


def favourite_button(album: Album, made: Made) -> gr.Button:
    """The button of a chosen picture."""
    return gr.Button("★ Favourite" if album.star(made) else "☆ Favourite", interactive=True)


def shown(album: Album, made: Made) -> dict[str, Any]:
    """`SHOWN` of a finished picture, by name."""
    download = gr.DownloadButton(value=str(made.path), interactive=True)
    stage = compare_html(made.before, made.path, made.title)
    values = stage, made.path.name, recipe_html(made.path), download, favourite_button(album, made)
    return dict(zip(SHOWN, (*values, gr.Button(interactive=True)), strict=True))
