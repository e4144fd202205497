"""Clips in: videos as FFmpeg reads them (by PyAV), and animated GIF and WebP (by Pillow)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, UnidentifiedImageError

from rrstyle.durable import bare_name, named_errors
from rrstyle.pictures.decoding import MAX_PIXELS

ANIMATIONS = frozenset({".gif", ".webp"})
_DEFAULT_MILLISECONDS = 100  # of a picture of an animation that says 0, as browsers show it
_UNSPECIFIED, _HD_ROWS = 2, 720  # colours that say nothing of themselves are BT.709 from there on
# A file that ends before this share of the length that it tells, and by so many seconds, was cut
# off; less may be the last packets' own length, which some files do not tell.
_LEAST_LENGTH, _MISSING = Fraction(9, 10), Fraction(1, 2)


class ClipError(ValueError):
    """A file that is no clip, or damaged; the message is one line that names it."""


@dataclass(frozen=True)
class Clip:
    """A clip that can be read to its end."""

    path: Path
    name: str  # for display
    count: int  # pictures
    duration: Fraction  # of the last picture, in seconds
    start: Fraction = Fraction(0)  # when the file's own clock begins

    @property
    def is_animation(self) -> bool:
        """Whether it is an animated picture file; a video otherwise."""
        return self.path.suffix.lower() in ANIMATIONS


def open_clip(path: str | os.PathLike) -> Clip:
    """A clip; all of its file is looked through, but not decoded.

    Raises:
        ClipError: If it is no clip, has no pictures, too large ones, or an end that is missing.
        OSError: If there is no such file, or it cannot be read.
    """
    path = Path(path)
    name = bare_name(os.fsdecode(path))
    with named_errors(name, "cannot be read", missing="file", invalid=ClipError):
        path.open("rb").close()
    look = _animation if path.suffix.lower() in ANIMATIONS else _video
    with _damage(name):
        return look(path, name)


def pictures(clip: Clip) -> Iterator[tuple[np.ndarray, Fraction]]:
    """The pictures of a clip, uint8 (height, width, 3), upright, and when each comes, in seconds.

    Raises:
        ClipError: If one cannot be decoded.
    """
    with _damage(clip.name):
        yield from (_animated if clip.is_animation else _decoded)(clip)


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Errors of the decoders in one line."""
    try:
        yield
    except ClipError:
        raise
    except (av.FFmpegError, UnidentifiedImageError, OSError, SyntaxError, EOFError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ClipError(
            f"{name}: no video, or a damaged one; give a whole file that players play;"
            f" received {words.splitlines()[0]!r}"
        ) from error


def _check_size(name: str, width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise ClipError(
            f"{name}: a picture of a clip must have 1 to {MAX_PIXELS} pixels;"
            f" received {width} x {height}"
        )


def _video(path: Path, name: str) -> Clip:
    with av.open(path) as container:
        stream = _stream(container, name)
        _check_size(name, stream.width, stream.height)
        count, end, duration = 0, Fraction(0), Fraction(0)
        for packet in container.demux():
            if packet.pts is None:
                continue
            after = (packet.pts + (packet.duration or 0)) * packet.time_base
            end = max(end, after)
            if packet.stream is stream:
                count, duration = count + 1, (packet.duration or 0) * packet.time_base
        begin, told = (
            Fraction(value or 0, av.time_base)
            for value in (container.start_time, container.duration)
        )
        if not count:
            raise ClipError(f"{name}: a clip must have a picture; received none")
        length = end - begin
        if count < stream.frames or length < min(_LEAST_LENGTH * told, told - _MISSING):
            raise ClipError(
                f"{name}: the end of the clip is missing; copy the file again;"
                f" received {float(length):.2f} s of {float(told):.2f} s"
            )
        rate = stream.average_rate or Fraction(25)
        return Clip(path, name, count, duration or 1 / rate, begin)


def _stream(container, name: str):
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        raise ClipError(f"{name}: a clip must be a video; received a single picture")
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not videos:
        raise ClipError(f"{name}: a clip must have a video stream; received none")
    videos[0].thread_type = "AUTO"
    return videos[0]


def _decoded(clip: Clip) -> Iterator[tuple[np.ndarray, Fraction]]:
    with av.open(clip.path) as container:
        stream = _stream(container, clip.name)
        for frame in container.decode(stream):
            unsaid = frame.colorspace == _UNSPECIFIED
            source = "itu709" if unsaid and frame.height >= _HD_ROWS else None
            picture = frame.to_ndarray(format="rgb24", src_colorspace=source)
            # As the camera was held: a number of quarters, anticlockwise.
            upright = np.rot90(picture, round(frame.rotation / 90))  # anticlockwise
            yield upright, frame.pts * frame.time_base - clip.start


def _animation(path: Path, name: str) -> Clip:
    with Image.open(path) as image:
        _check_size(name, *image.size)
        count = getattr(image, "n_frames", 1)
        if count < 2:
            raise ClipError(f"{name}: a clip must be animated; received a single picture")
        image.seek(count - 1)
        image.load()
        return Clip(path, name, count, Fraction(_milliseconds(image), 1000))


def _animated(clip: Clip) -> Iterator[tuple[np.ndarray, Fraction]]:
    with Image.open(clip.path) as image:
        time = 0
        for number in range(clip.count):
            image.seek(number)
            seen = image.convert("RGBA")
            white = Image.new("RGBA", seen.size, "white")
            yield (
                np.asarray(Image.alpha_composite(white, seen).convert("RGB")),
                Fraction(time, 1000),
            )
            time += _milliseconds(image)


def _milliseconds(image: Image.Image) -> int:
    return round(image.info.get("duration", 0)) or _DEFAULT_MILLISECONDS
