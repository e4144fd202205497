"""A session's pictures, as files that Gradio serves."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.page.settings import Settings
from apps.service import owners
from apps.service.jobs import Finished

MOST_PICTURES = 60  # of a session; the oldest make room


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
        return ", ".join(word for word in words if word)


def _name(value: Any) -> str:
    """A client's name for a picture, for people only."""
    name = value.get("orig_name") or value.get("path") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


@dataclass(frozen=True)
class Made:
    """A finished picture: a PNG with its recipe, and the photograph in the same size."""

    path: Path
    before: Path
    seed: int
    order: Order

    @property
    def title(self) -> str:
        """In a few words: look, styles, strength where it is not whole, seed."""
        return f"{self.order.title}, seed {self.seed}"


@dataclass
class Album:
    """What a session made: `pictures`, oldest first, and other files in a folder of its own."""

    folder: Path = field(default_factory=owners.own_folder)
    pictures: list[Made] = field(default_factory=list)
    _files: int = 0

    def write(self, kind: str, png: bytes) -> Path:
        """A new file, which is no picture of the album."""
        # No client's file name: those are for people, never for the file system.
        self._files += 1
        path = self.folder / f"{self._files:03d}-{kind}.png"
        path.write_bytes(png)
        return path

    def add(self, finished: Finished, before: Path, order: Order) -> Made:
        """A new picture; `before` is the photograph in its size."""
        path = self.write(f"{order.settings.config.method}-seed-{finished.seed}", finished.png)
        made = Made(path, before, finished.seed, order)
        self.pictures = [*self.pictures, made][-MOST_PICTURES:]
        return made

    def gallery(self, running: tuple[Path, str] | None = None) -> list[tuple[str, str]]:
        """Files and captions, newest first; before them a preview of what is being made."""
        made = [(str(one.path), one.title) for one in reversed(self.pictures)]
        return [(str(running[0]), running[1]), *made] if running else made

    def find(self, name: object) -> Made | None:
        """The picture of a file name."""
        return next((one for one in self.pictures if one.path.name == name), None)

    def write_zip(self) -> Path:
        """All pictures in one ZIP, stored as they are: PNGs hardly shrink further."""
        path = self.folder / f"stylised-{self._files:03d}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for made in self.pictures:
                archive.write(made.path, made.path.name)
        return path
