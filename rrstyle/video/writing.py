"""Clips out: H.264 with the audio of another clip, or an animated GIF or WebP, all by FFmpeg.

A clip is written in segments, each a file that is whole or absent, which are joined at the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from rrstyle.video.clips import ANIMATIONS, Clip

VIDEOS = frozenset({".mp4", ".mov", ".mkv"})
# Audio that all of these take as it is; other kinds become AAC.
_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "flac", "alac"})
_VIDEO_CLOCK = Fraction(1, 90_000)  # seconds
_CLOCKS = {".gif": Fraction(1, 100), ".webp": Fraction(1, 1000)}
# No B-frames: pictures are in the order of their times, and so segments can be joined as they are.
_H264 = {"crf": "17", "preset": "medium", "bf": "0"}
_LOSSLESS = {"qp": "0", "preset": "veryfast", "bf": "0"}
_WEBP = {"quality": "85"}


def write_segment(path: Path, pictures: Sequence[np.ndarray], suffix: str) -> None:
    """A part of a clip that ends as a file of the kind `suffix`; without times.

    Args:
        path: File to write, Matroska.
        pictures: uint8 (height, width, 3), of even sides, all of one size.
        suffix: One of VIDEOS or ANIMATIONS.
    """
    lossless = suffix in ANIMATIONS
    with av.open(path, "w", format="matroska") as container:
        stream = container.add_stream("libx264rgb" if lossless else "libx264", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.options = _LOSSLESS if lossless else _H264
        stream.pix_fmt = "rgb24" if lossless else "yuv420p"
        if not lossless:
            stream.codec_context.colorspace = 1  # BT.709
            stream.codec_context.color_range = 1  # 16 to 235
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if not lossless:
                frame = frame.reformat(
                    format="yuv420p", dst_colorspace="itu709", dst_color_range="MPEG"
                )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def join(
    target: Path,
    segments: Sequence[Path],
    times: Sequence[Fraction],
    last: Fraction,
    *,
    suffix: str,
    audio: Clip | None,
) -> None:
    """One clip of all segments.

    Args:
        target: File to write.
        segments: Files of `write_segment`, in order.
        times: When each picture comes, in seconds, growing.
        last: Duration of the last picture, in seconds; a WebP's is the mean of all.
        suffix: Kind of file, one of VIDEOS or ANIMATIONS.
        audio: Clip whose audio is taken over, if it has any; not by animations.
    """
    durations = np.diff([*times, times[-1] + last])
    kind = {".mkv": "matroska", ".gif": "gif", ".webp": "webp"}.get(suffix, suffix[1:])
    options: dict[str, str] = {"loop": "0"} if suffix in ANIMATIONS else {}  # without end
    if suffix == ".gif":  # its last picture would last as long as the one before it
        options["final_delay"] = str(round(last * 100))
    with av.open(target, "w", format=kind, options=options) as container:
        if suffix in ANIMATIONS:
            _animate(container, segments, times, durations, suffix)
        else:
            _remux(container, segments, times, durations, audio)


def _remux(container, segments, times, durations, audio: Clip | None) -> None:
    with av.open(segments[0]) as first:
        stream = container.add_stream_from_template(first.streams.video[0])
    stream.time_base = _VIDEO_CLOCK
    sound = _Sound(container, audio)
    for number, packet in enumerate(_packets(segments)):
        packet.stream, packet.time_base = stream, _VIDEO_CLOCK
        packet.pts = packet.dts = round(times[number] / _VIDEO_CLOCK)
        packet.duration = round(durations[number] / _VIDEO_CLOCK)
        sound.until(times[number])
        container.mux(packet)
    sound.until(times[-1] + durations[-1])
    sound.close()


def _packets(segments: Iterable[Path]) -> Iterator[av.Packet]:
    for segment in segments:
        with av.open(segment) as part:
            yield from (packet for packet in part.demux(video=0) if packet.size)


class _Sound:
    """The first audio stream of a clip, copied or made AAC, beside the pictures."""

    def __init__(self, container, clip: Clip | None):
        self._container, self._next = container, None
        self._source: Any = None
        if clip is None:
            return
        found = av.open(clip.path)
        if not found.streams.audio:
            found.close()
            return
        self._source, stream = found, found.streams.audio[0]
        self._copied = stream.codec_context.name in _COPIED
        if self._copied:
            self._out = container.add_stream_from_template(stream)
        else:
            self._out = container.add_stream("aac", rate=stream.rate)
        self._start = clip.start
        self._packets = self._encoded(stream)
        self._next = next(self._packets, None)

    def _encoded(self, stream) -> Iterator[av.Packet]:
        if self._copied:
            late = round(self._start / stream.time_base)
            for packet in self._source.demux(stream):
                if packet.size:
                    packet.stream = self._out
                    packet.pts, packet.dts = packet.pts - late, packet.dts - late
                    yield packet
            return
        resampler = av.AudioResampler("fltp", stream.layout, stream.rate)
        for frame in self._source.decode(stream):
            for part in resampler.resample(frame):
                part.pts -= round(self._start / part.time_base)
                yield from self._out.encode(part)
        yield from self._out.encode(None)

    def until(self, time: Fraction) -> None:
        """Writes what is heard before a time, in seconds."""
        while self._next is not None and self._next.dts * self._next.time_base < time:
            self._container.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        if self._source:
            self._source.close()


def _animate(container, segments, times, durations, suffix: str) -> None:
    clock = _CLOCKS[suffix]
    stream = container.add_stream("gif" if suffix == ".gif" else "libwebp_anim", rate=25)
    stream.codec_context.time_base = clock
    stream.options = _WEBP if suffix == ".webp" else {}
    convert = None
    number = 0
    for segment in segments:
        with av.open(segment) as part:
            for found in part.decode(video=0):
                frame = av.VideoFrame.from_ndarray(found.to_ndarray(format="rgb24"), format="rgb24")
                frame.pts, frame.time_base = round(times[number] / clock), clock
                frame.duration = round(durations[number] / clock)
                if convert is None:
                    stream.height, stream.width = found.height, found.width
                    stream.pix_fmt = "pal8" if suffix == ".gif" else "yuv420p"
                    convert = _palettes(found, clock) if suffix == ".gif" else lambda frame: frame
                container.mux(stream.encode(convert(frame)))
                number += 1
    container.mux(stream.encode(None))


def _palettes(frame, clock: Fraction):
    """A function that reduces each picture to 256 colours of its own."""
    graph = av.filter.Graph()
    begin = graph.add_buffer(
        width=frame.width, height=frame.height, format="rgb24", time_base=clock
    )
    split, use = graph.add("split"), graph.add("paletteuse", "new=1")
    palette, end = graph.add("palettegen", "stats_mode=single"), graph.add("buffersink")
    for one, other, out, into in (
        (begin, split, 0, 0),
        (split, palette, 0, 0),
        (split, use, 1, 0),
        (palette, use, 0, 1),
        (use, end, 0, 0),
    ):
        one.link_to(other, out, into)
    graph.configure()

    def reduce(frame):
        graph.push(frame)
        return graph.pull()

    return reduce
