"""A session's pictures, as files that Gradio serves."""

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.page.settings import Settings
from apps.service import owners
from apps.service.jobs import Finished
from rrstyle.pictures import images

MOST_PICTURES = 60  # of a session; the oldest make room


@dataclass(frozen=True)
class Order:
    """What was asked for, as the client sent it: files are read again when it is repeated.

    Attributes:
        content: The photograph, a client's file value.
        styles: Up to four style pictures, likewise.
        weights: Weight of each style.
        mask: Mask that `apps.page.uploads.read_mask` takes.
        settings: Checked.
    """

    content: Any
    styles: tuple[Any, ...]
    weights: tuple[float, ...]
    mask: Any
    settings: Settings


@dataclass(frozen=True)
class Made:
    """A finished picture: a PNG with its recipe, and the photograph in the same size."""

    path: Path
    before: Path
    seed: int
    order: Order

    @property
    def title(self) -> str:
        """In a few words."""
        return f"{self.order.settings.title}, seed {self.seed}"


@dataclass(frozen=True)
class Album:
    """What a session made.

    Attributes:
        folder: Folder of its own, of `apps.service.owners`.
        pictures: Oldest first.
        count: Files written so far, for their names.
    """

    folder: Path
    pictures: tuple[Made, ...] = ()
    count: int = 0

    def gallery(self, running: tuple[Path, str] | None = None) -> list[tuple[str, str]]:
        """Files and captions, newest first; before them a preview of what is being made."""
        made = [(str(one.path), f"seed {one.seed}") for one in reversed(self.pictures)]
        return [(str(running[0]), running[1]), *made] if running else made

    def find(self, name: object) -> Made | None:
        """The picture of a file name."""
        return next((one for one in self.pictures if one.path.name == name), None)


def new_album(root: Path) -> Album:
    """An empty album, in a new folder under `root`."""
    return Album(owners.new_folder(root, owners.current()))


def add_file(album: Album, kind: str, data: bytes) -> tuple[Album, Path]:
    """The album with a file more, which is no picture of its own."""
    path = album.folder / f"{album.count + 1:03d}-{kind}.png"
    path.write_bytes(data)
    return replace(album, count=album.count + 1), path


def add_before(album: Album, content: images.Picture, side: int) -> tuple[Album, Path]:
    """The photograph, in the size of the results."""
    size = images.fit_within(content.pixels.shape[:2], side)
    return add_file(album, "before", images.encode_png(images.resize(content.pixels, size)))


def add_preview(album: Album, image: np.ndarray) -> tuple[Album, Path]:
    """A picture that is not done yet."""
    return add_file(album, "preview", images.encode_png(image))


def add(album: Album, finished: Finished, before: Path, order: Order) -> Album:
    """The album with one more picture."""
    # No client's file name: those are for people, never for the file system.
    kind = f"{order.settings.config.method}-seed-{finished.seed}"
    album, path = add_file(album, kind, finished.png)
    made = (*album.pictures, Made(path, before, finished.seed, order))
    return replace(album, pictures=made[-MOST_PICTURES:])


def remove_previews(album: Album) -> None:
    """Removes what is of no use any more; a browser that still asks for it gets none."""
    for path in album.folder.glob("*-preview.png"):
        path.unlink(missing_ok=True)


def write_zip(album: Album) -> Path:
    """All pictures in one ZIP, stored as they are: PNGs hardly shrink further."""
    path = album.folder / f"stylised-{album.count:03d}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for made in album.pictures:
            archive.write(made.path, made.path.name)
    return path
