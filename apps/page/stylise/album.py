"""The pictures of a browser, as files that Gradio serves: they outlive the page that made them."""

import hashlib
import threading
import zipfile
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.settings import Settings
from apps.service import owners
from apps.service.jobs import Finished
from rrstyle.durable import write_whole
from rrstyle.pictures.images import encode_png, fit_within, resize

MOST_PICTURES = 60  # of a browser; the oldest that is no favourite makes room
_THUMB_SIDE = 240  # pixels, for dense screens


@dataclass(frozen=True)
class Order:
    """What was asked for; pictures as the client's values, which are read again if repeated."""

    content: Any
    styles: tuple[Any, ...]
    weights: tuple[float, ...]
    mask: Any  # as `apps.page.uploads.read_mask` takes it
    settings: Settings

    @property
    def title(self) -> str:
        """What the pictures look like: look, styles, and strength where it is not whole."""
        styles = " + ".join(Path(_name(style)).stem for style in self.styles)
        strength = self.settings.config.strength
        words = [self.settings.title, styles, f"strength {strength:g}" if strength < 1 else ""]
        large = self.settings.config.composed_at
        words += [f"{self.settings.config.side} px"] if large else []
        return ", ".join(word for word in words if word)


def _name(value: Any) -> str:
    """A client's name for a picture, for people only."""
    name = value.get("orig_name") or value.get("path") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


@dataclass(frozen=True)
class Made:
    """A finished picture."""

    path: Path  # a PNG with its recipe
    thumb: Path  # the picture, small
    before: Path  # the photograph in the same size
    seed: int
    order: Order
    size: tuple[int, int]  # height and width in pixels
    seconds: float  # that it took

    @property
    def title(self) -> str:
        """In a few words: look, styles, strength where it is not whole, seed."""
        return f"{self.order.title}, seed {self.seed}"


@dataclass
class Album:
    """What a browser made: `pictures`, oldest first, and other files in a folder of its own."""

    folder: Path = field(default_factory=owners.own_folder)
    pictures: list[Made] = field(default_factory=list)
    favourites: set[Path] = field(default_factory=set)
    removed: list[Made] = field(default_factory=list)  # by the last removal, which can be undone
    bundle: Path | None = None  # a ZIP of what became of many photographs
    _files: int = 0
    # Jobs add pictures while pages take some out.
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def new_path(self, kind: str, suffix: str) -> Path:
        """The path of a new file."""
        # No client's file name: those are for people, never for the file system.
        self._files += 1
        return self.folder / f"{self._files:03d}-{kind}.{suffix}"

    def write(self, kind: str, png: bytes) -> Path:
        """A new file, which is no picture of the album."""
        path = self.new_path(kind, "png")
        path.write_bytes(png)
        return path

    def keep(self, kind: str, key: Hashable, png: bytes) -> Path:
        """A file of something that need not be written twice, by `kind` and `key`."""
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        path = self.folder / f"{kind}-{name}.png"
        if not path.exists():
            write_whole(path, png)
        return path

    def add(self, finished: Finished, before: Path, order: Order) -> Made:
        """A new picture; `before` is the photograph in its size."""
        path = self.write(f"{order.settings.config.method}-seed-{finished.seed}", finished.png)
        height, width, _ = finished.image.shape
        small = fit_within((height, width), _THUMB_SIDE)
        thumb = self.write("thumb", encode_png(resize(finished.image, small)))
        made = Made(path, thumb, before, finished.seed, order, (height, width), finished.seconds)
        with self._lock:
            if len(self.pictures) >= MOST_PICTURES:
                rest = (one for one in self.pictures if one.path not in self.favourites)
                self.pictures.remove(next(rest, self.pictures[0]))
            self.pictures.append(made)
        return made

    def forget_expired(self) -> None:
        """Takes out pictures whose files the server has removed."""
        with self._lock:
            self.pictures = [one for one in self.pictures if one.path.exists()]

    def remove(self, pictures: Iterable[Made]) -> None:
        """Takes pictures out until `bring_back`; those of the removal before are gone for good."""
        with self._lock:
            for one in self.removed:
                for path in (one.path, one.thumb):
                    path.unlink(missing_ok=True)
            self.removed = list(pictures)
            self.pictures = [one for one in self.pictures if one not in self.removed]

    def bring_back(self) -> None:
        """What the last removal took, in its place again."""
        with self._lock:
            found = [*self.pictures, *self.removed]
            self.pictures = sorted(found, key=lambda one: int(one.path.name.split("-")[0]))
            self.removed = []

    def gallery(self, running: tuple[Path, str] | None = None) -> list[tuple[str, str]]:
        """Thumbnails and captions, favourites first, then the newest.

        Before them a preview of what is being made.
        """
        made = self.pictures[::-1]
        made.sort(key=lambda one: one.path not in self.favourites)
        found = [(str(one.thumb), self.star(one) + one.title) for one in made]
        return [(str(running[0]), running[1]), *found] if running else found

    def star(self, made: Made) -> str:
        """The mark of a favourite; nothing for another picture."""
        return "★ " if made.path in self.favourites else ""

    def find(self, name: object) -> Made | None:
        """The picture of a file name, its own or that of its thumbnail."""
        found = (one for one in self.pictures if name in (one.path.name, one.thumb.name))
        return next(found, None)

    def write_zip(self) -> Path:
        """All pictures in one ZIP, stored as they are: PNGs hardly shrink further."""
        for old in self.folder.glob("stylised-*.zip"):  # posters would soon fill the disk
            old.unlink()
        path = self.folder / f"stylised-{self._files:03d}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for made in self.pictures:
                archive.write(made.path, made.path.name)
        return path


_albums: dict[str, Album] = {}  # by browser


def browser_of(request: gr.Request) -> str:
    """The browser, by its cookie, that a page is open in; without cookies, the page's session."""
    return owners.current() or str(request.session_hash)


def album_of(request: gr.Request) -> Album | None:
    """The album of a page's browser, without what has expired; None where nothing was made yet."""
    if album := _albums.get(browser_of(request)):
        album.forget_expired()
    return album


def open_album(request: gr.Request) -> Album:
    """The album of a page's browser, a new one if need be."""
    for browser, album in list(_albums.items()):
        if not album.folder.exists():  # all that was in it has expired
            del _albums[browser]
    return _albums.get(browser_of(request)) or _albums.setdefault(browser_of(request), Album())
