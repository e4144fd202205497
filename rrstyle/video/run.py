"""A clip painted from file to file; stopped or killed, it continues at its last whole segment."""

import hashlib
import io
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rrstyle import backend
from rrstyle.config import StyleConfig
from rrstyle.durable import (
    bare_name,
    locked,
    named_errors,
    publish,
    remove_folder,
    temporary_neighbour,
    write_whole,
)
from rrstyle.networks.pair import CnnDcn
from rrstyle.painters.painter import Painter
from rrstyle.pictures.images import as_image, digest, to_uint8
from rrstyle.progress import OnStep, Step, ignore
from rrstyle.video.clips import ANIMATIONS, Clip, open_clip, pictures
from rrstyle.video.frames import FramePainter, Frames, PainterFrames
from rrstyle.video.writing import VIDEOS, join, write_segment

SEGMENT = 24  # pictures
_SETTINGS = "settings.json"


def stylize_video(
    clip: str | os.PathLike,
    style,
    output: str | os.PathLike,
    config: StyleConfig | None = None,
    *,
    seed: int,
    weights: Sequence[float] | None = None,
    networks: CnnDcn | None = None,
    overwrite: bool = False,
    on_step: OnStep = ignore,
) -> Path:
    """Paints a clip in the style of a picture, or of several, with an untrained network.

    Times, audio and the way up stay those of the clip. Memory does not grow with its length.
    What is done so far lies in the folder OUTPUT.parts; the same call again goes on from there, to
    the same pictures, and removes it at the end.

    Args:
        clip: A video that FFmpeg reads, or an animated GIF or WebP.
        style, config, seed, weights, networks: As for `FramePainter`.
        output: File to write: .mp4, .mov or .mkv (H.264, with the audio), or .gif or .webp.
        overwrite: Permission to replace a file that is there.
        on_step: Progress callback; an exception it raises stops the work.

    Returns:
        The file written.

    Raises:
        ValueError: If an argument breaks a rule, or the clip is damaged (`ClipError`).
        OSError: If a file cannot be read or written.
    """
    output, config = Path(output), config or StyleConfig()
    found = _checked(clip, output, overwrite)
    painter = FramePainter(style, config, seed=seed, weights=weights, networks=networks)
    styles = style if isinstance(style, list | tuple) else [style]
    settings = {
        "styles": [digest(as_image(one, argument="style")) for one in styles],
        "weights": weights and list(weights),
        "config": asdict(config),
        "seed": seed,
    }
    return _paint_clip(found, painter, output, settings, overwrite, on_step)


def paint_video(
    clip: str | os.PathLike,
    painter: Painter,
    output: str | os.PathLike,
    *,
    side: int,
    strength: float = 1.0,
    own_colours: bool = False,
    overwrite: bool = False,
    on_step: OnStep = ignore,
) -> Path:
    """Paints a clip picture by picture, by a painter; otherwise as `stylize_video`.

    Args:
        clip, output, overwrite, on_step: As for `stylize_video`.
        painter, side, strength, own_colours: As for `PainterFrames`.
    """
    output = Path(output)
    found = _checked(clip, output, overwrite)
    options: dict[str, Any] = {"side": side, "strength": strength, "own_colours": own_colours}
    settings = {"painter": painter.digest, **options}
    frames = PainterFrames(painter, **options)
    return _paint_clip(found, frames, output, settings, overwrite, on_step)


def _checked(clip: str | os.PathLike, output: Path, overwrite: bool) -> Clip:
    """The clip; an error where the output cannot be written."""
    if output.suffix.lower() not in VIDEOS | ANIMATIONS:
        kinds = ", ".join(sorted(VIDEOS | ANIMATIONS))
        raise ValueError(f"output must end in {kinds}; received {bare_name(output.name)!r}")
    if output.is_dir() or (output.exists() and not overwrite):
        raise FileExistsError(f"{output.name}: the file exists; allow overwriting or name another")
    return open_clip(clip)


def _paint_clip(
    found: Clip,
    painter: Frames,
    output: Path,
    settings: dict[str, Any],
    overwrite: bool,
    on_step: OnStep,
) -> Path:
    suffix = output.suffix.lower()
    settings = {
        "clip": _file_digest(found.path),
        **settings,
        "suffix": suffix,
        "versions": backend.versions(),
    }
    parts = output.with_name(f"{output.name}.parts")
    with named_errors(bare_name(output.name), "not written", missing="folder"):
        parts.mkdir(exist_ok=True)
    with locked(parts):
        _check_same(parts, json.dumps(settings, indent=1, default=str))
        times = _paint_segments(found, painter, parts, suffix, on_step)
        on_step(Step("joining", 0.99))
        made = temporary_neighbour(output)
        try:
            segments = sorted(parts.glob("*.part"))
            audio = None if found.is_animation else found
            join(made, segments, times, found.duration, suffix=suffix, audio=audio)
            publish(made, output, overwrite=overwrite)
        finally:
            made.unlink(missing_ok=True)
    remove_folder(parts)
    on_step(Step("done", 1.0))
    return output


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_same(parts: Path, settings: str) -> None:
    """Notes the settings of new parts, and refuses those of others."""
    record = parts / _SETTINGS
    if not record.exists():
        write_whole(record, settings.encode())
    elif record.read_text(encoding="utf-8") != settings:
        raise ValueError(
            f"{parts.name}: these are parts of another clip, or by other settings; remove the"
            " folder, or name another output"
        )


def _paint_segments(
    clip: Clip, painter: Frames, parts: Path, suffix: str, on_step: OnStep
) -> list[Fraction]:
    """Paints what is not there yet; returns when each picture comes, in seconds."""
    times: list[Fraction] = []
    left = pictures(clip)
    done = len(sorted(parts.glob("*.part")))
    number = -1
    while batch := list(itertools.islice(left, SEGMENT)):
        number += 1
        # A segment is there once its file is: the state is written before it.
        segment, state = parts / f"{number:06}.part", parts / f"{number:06}.npz"
        begun = len(times)
        times += [time for _, time in batch]
        if number < done:
            continue
        if number > 0 and number == done:
            with np.load(parts / f"{number - 1:06}.npz") as before:
                painter.state = dict(before)
        painted = []
        for position, (picture, _) in enumerate(batch, start=begun + 1):
            painted.append(to_uint8(painter.paint(picture)))
            stage = f"picture {position} of {clip.count}"
            on_step(Step(stage, 0.98 * position / max(clip.count, position)))
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **painter.state)
        write_whole(state, held.getvalue(), overwrite=True)
        made = temporary_neighbour(segment)
        try:
            write_segment(made, painted, suffix)
            publish(made, segment)
        finally:
            made.unlink(missing_ok=True)
        (parts / f"{number - 1:06}.npz").unlink(missing_ok=True)
    return times
