"""Small clips drawn by code, and what is in a clip."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

CLOCK = Fraction(1, 1000)


def drawn(count: int, size=(48, 64)) -> list[np.ndarray]:
    """Pictures of coloured waves that move by a pixel each, uint8 (height, width, 3)."""
    y, x = np.mgrid[: size[0], : size[1]]
    waves = [
        [127 + 100 * np.sin((x + i) / 7), 127 + 100 * np.cos(y / 5), (x + i) * 3 % 255]
        for i in range(count)
    ]
    return [np.stack(wave, axis=-1).astype(np.uint8) for wave in waves]


def write_video(
    path: Path,
    count: int = 6,
    *,
    size=(48, 64),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    milliseconds=None,
    audio: str | None = None,
    video: bool = True,
) -> Path:
    """A video of `drawn`, each picture at its time; `audio` names a codec of half a second."""
    times = [40 * i for i in range(count)] if milliseconds is None else milliseconds
    with av.open(path, "w") as container:
        if video:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = size
            stream.pix_fmt = pixels
            stream.options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
            stream.codec_context.time_base = CLOCK
        if audio:
            sound = container.add_stream(audio, rate=8000)
        if video:
            for picture, time in zip(drawn(count, size), times, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame = frame.reformat(format=pixels)
                frame.pts, frame.time_base = time, CLOCK
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if audio:
            planar = audio == "aac"
            samples = (0.3 * np.sin(np.arange(4096) / 3))[None].astype(np.float32)
            samples = samples if planar else (2**15 * samples).astype(np.int16)
            part = av.AudioFrame.from_ndarray(
                samples, format="fltp" if planar else "s16", layout="mono"
            )
            part.sample_rate, part.pts = 8000, 0
            container.mux(sound.encode(part))
            container.mux(sound.encode(None))
    return path


def write_animation(path: Path, count: int = 4, milliseconds=(50, 100, 50, 200)) -> Path:
    """An animated GIF or WebP of `drawn`."""
    first, *rest = (Image.fromarray(picture) for picture in drawn(count))
    first.save(path, save_all=True, append_images=rest, duration=list(milliseconds), loop=0)
    return path


def turned(path: Path) -> Path:
    """An MP4 file whose pictures are to be shown turned by a quarter, as telephones write it."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the matrix, in version 0
    one, zero, whole = (value.to_bytes(4, "big", signed=True) for value in (2**16, 0, 2**30))
    minus = (-(2**16)).to_bytes(4, "big", signed=True)
    data[at : at + 36] = zero + one + zero + minus + zero + zero + zero + zero + whole
    path.write_bytes(data)
    return path


def contents(path: Path) -> dict:
    """Codec, size, times in seconds, pictures, and the audio codecs of a video."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return {
            "codec": stream.codec_context.name,
            "times": [frame.pts * frame.time_base for frame in frames],
            "pictures": [frame.to_ndarray(format="rgb24") for frame in frames],
            "audio": [sound.codec_context.name for sound in container.streams.audio],
        }
