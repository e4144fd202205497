"""The pictures of one job as files that Gradio serves."""

import secrets
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from apps.jobs import Finished
from rrstyle import images


@dataclass(frozen=True)
class Results:
    """What a session's last job made.

    Attributes:
        folder: Its own, of a name that nobody can guess: a file is served to whoever names it.
        before: The photograph as PNG in the size of the results.
        pictures: PNGs with their recipes.
        seeds: Of the pictures.
    """

    folder: Path
    before: Path
    pictures: tuple[Path, ...] = ()
    seeds: tuple[int, ...] = ()

    def gallery(self) -> list[tuple[str, str]]:
        """Files and captions."""
        pairs = zip(self.pictures, self.seeds, strict=True)
        return [(str(path), f"seed {seed}") for path, seed in pairs]


def new_results(root: Path, content: images.Picture, side: int) -> Results:
    """A new folder under `root` with the photograph at longer side `side`, and no results yet."""
    folder = root / secrets.token_hex(16)
    folder.mkdir(parents=True)
    size = images.fit_within(content.pixels.shape[:2], side)
    before = folder / "before.png"
    before.write_bytes(images.encode_png(images.resize(content.pixels, size)))
    return Results(folder, before)


def add(results: Results, finished: Finished) -> Results:
    """The results with one more picture."""
    # No client's file name: those are for people, never for the file system.
    path = results.folder / f"stylised-seed-{finished.seed}.png"
    path.write_bytes(finished.png)
    return replace(
        results,
        pictures=(*results.pictures, path),
        seeds=(*results.seeds, finished.seed),
    )


def write_zip(results: Results) -> Path:
    """All pictures in one ZIP, stored as they are: PNGs hardly shrink further."""
    path = results.folder / "stylised.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for picture in results.pictures:
            archive.write(picture, picture.name)
    return path
