"""The history of a browser's pictures: favourites, and pictures taken away and brought back."""

from typing import Any

import gradio as gr

from apps.page.stylise.album import Album, Made, album_of
from apps.page.stylise.views import all_shown, favourite_button, outputs


def like(request: gr.Request, chosen: Any) -> tuple:
    """The chosen picture becomes a favourite, or none any more: its button, and the gallery."""
    album = album_of(request)
    made = album.find(chosen) if album else None
    if album is None or made is None:
        return gr.skip(), gr.skip()
    album.favourites ^= {made.path}
    return favourite_button(album, made), album.gallery()


def delete(request: gr.Request, chosen: Any) -> tuple:
    """Takes the chosen picture away, as `clear` does with all."""
    album = album_of(request)
    made = album.find(chosen) if album else None
    return _remove(album, [made] if made else [])


def clear(request: gr.Request) -> tuple:
    """The pictures are gone, but can be brought back: `OUTPUTS`, More like this, and that."""
    album = album_of(request)
    return _remove(album, album.pictures if album else [])


def _remove(album: Album | None, pictures: list[Made]) -> tuple:
    if album is None or not pictures:
        return *outputs(), gr.skip(), gr.skip()
    album.remove(pictures)
    return *all_shown(album), gr.Button(visible=True)


def bring_back(request: gr.Request) -> tuple:
    """What `clear` or `delete` took away, in the same order."""
    if album := album_of(request):
        album.bring_back()
    return *all_shown(album), gr.Button(visible=False)
