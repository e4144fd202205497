"""The Export tab's answer: settings as a model that runs without this package."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from apps.page.settings import Settings
from apps.page.stylise.album import Album
from apps.service import owners
from rrstyle.export.archive import export_archive
from rrstyle.transfer.closed_form import METHODS

FORMATS = ("savedmodel", "onnx")
CURRENT, CHOSEN = "the settings in Stylise", "the picture chosen there"


def settings_of(
    source: Any, method: Any, current: Settings, album: Album | None, chosen: Any
) -> Settings:
    """The settings to export, of a method that has a model.

    Args:
        source: CURRENT or CHOSEN.
        method: What takes the place of a method without a model.
        current: Of the controls.
        album, chosen: The session's pictures, and the file name of one.

    Raises:
        ValueError: If a choice is unknown, or no picture is chosen.
    """
    if source not in (CURRENT, CHOSEN):
        raise ValueError(f"recipe must be {CURRENT} or {CHOSEN}; received {source!r}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; received {method!r}")
    settings = current
    if source == CHOSEN:
        made = album.find(chosen) if album else None
        if made is None:
            raise ValueError(
                "recipe: choose a picture in the gallery of Stylise first; received none"
            )
        settings = replace(made.order.settings, seed=made.seed)
    if settings.config.method in METHODS:
        return settings
    return replace(settings, config=replace(settings.config, method=method))


def write_export(root: Path, owner: str | None, settings: Settings, kind: Any) -> Path:
    """A ZIP of the model, in a new folder of `apps.service.owners`.

    Raises:
        ValueError: If the kind is none of FORMATS, or the settings cannot be exported.
    """
    if kind not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; received {kind!r}")
    data = export_archive(settings.config, seed=settings.seed, format=kind)
    folder = owners.new_folder(root, owner)
    path = folder / f"rrstyle-{kind}-{settings.config.method}-seed-{settings.seed}.zip"
    path.write_bytes(data)
    return path
