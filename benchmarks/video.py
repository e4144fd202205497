"""Flicker, speed and memory of painted clips whose motion is known exactly.

Two clips are drawn: a photograph panned and zoomed, and a thing that moves before a photograph that
stands still. The warping error is the mean absolute difference between a picture and the one
before, moved along by the true motion, where it was in sight. It is printed for the clip itself,
for `FramePainter`, and for every picture painted by itself.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from apps.quiet import quiet_start
from benchmarks.timing import environment, peak_memory

_MARGIN = 3  # pixels at the border that are not compared: they are interpolated from outside


@dataclass(frozen=True)
class Frame:
    """A picture, where its pixels were before, (height, width, 2) x before y, and which were."""

    picture: np.ndarray
    was: np.ndarray
    seen: np.ndarray


def panned(photograph: np.ndarray, size: tuple[int, int], count: int) -> Iterator[Frame]:
    """A photograph under a camera that moves to the right and closer, by parts of a pixel."""
    height, width = size
    y, x = np.indices(size).astype(np.float32)
    before = None
    for number in range(count):
        scale = (
            0.8
            / (1 + 0.003 * number)
            * min(photograph.shape[0] / height, photograph.shape[1] / width)
        )
        left = (photograph.shape[1] - scale * width) / 4 + 1.1 * number
        top = (photograph.shape[0] - scale * height) / 2
        map_x, map_y = left + scale * x, top + scale * y
        picture = cv2.remap(photograph, map_x, map_y, cv2.INTER_CUBIC)
        old = before or (scale, left, top)
        was = np.stack([(map_x - old[1]) / old[0], (map_y - old[2]) / old[0]], axis=-1)
        yield Frame(np.clip(picture, 0, 1), was, _inside(was))
        before = scale, left, top


def moving(ground: np.ndarray, thing: np.ndarray, size: tuple[int, int], count: int):
    """A disc of one picture that crosses another one, which stands still."""
    height, width = size
    y, x = np.indices(size).astype(np.float32)
    ground, radius = cv2.resize(ground, (width, height)), 0.22 * height
    thing = cv2.resize(thing, (round(2.2 * radius), round(2.2 * radius)))
    before = None
    for number in range(count):
        centre = np.array([0.25 * width + 2.3 * number, 0.5 * height + 0.9 * number])
        cover = np.clip(radius - np.hypot(x - centre[0], y - centre[1]) + 0.5, 0, 1)[..., None]
        corner = centre - 1.1 * radius
        shown = cv2.remap(
            thing, x - np.float32(corner[0]), y - np.float32(corner[1]), cv2.INTER_CUBIC
        )
        step = np.zeros(2) if before is None else centre - before
        was = np.stack([x, y], axis=-1) - (cover > 0.5) * step.astype(np.float32)
        hidden = np.hypot(x - (centre - step)[0], y - (centre - step)[1]) < radius + 2
        seen = _inside(was) & ((cover[..., 0] == 1) | ((cover[..., 0] == 0) & ~hidden))
        yield Frame(np.clip(cover * shown + (1 - cover) * ground, 0, 1), was, seen)
        before = centre


def _inside(was: np.ndarray) -> np.ndarray:
    limit = np.array(was.shape[1::-1]) - 1 - _MARGIN
    return np.all((was >= _MARGIN) & (was <= limit), axis=-1)


def warping_error(frames: Sequence[Frame], pictures: Sequence[np.ndarray]) -> float:
    """Mean over pictures of the absolute difference from the one before, moved along."""
    errors = []
    for frame, one, other in zip(frames[1:], pictures, pictures[1:], strict=False):
        moved = cv2.remap(one, frame.was[..., 0], frame.was[..., 1], cv2.INTER_LINEAR)
        errors.append(np.abs(moved - other)[frame.seen].mean())
    return float(np.mean(errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--content", default="chelsea", help="file or built-in photograph")
    parser.add_argument("--style", nargs="+", default=["waves", "brush-strokes"])
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--long", type=int, default=0, help="pictures of a run for its memory")
    parser.add_argument("--out", type=Path, help="folder for a strip of each clip")
    args = parser.parse_args()
    with quiet_start():
        from apps.batch.inputs import find_pictures
        from rrstyle.config import StyleConfig
        from rrstyle.pipeline import stylize
        from rrstyle.video.frames import FramePainter

    print(*(f"{name}: {value}" for name, value in environment().items()), sep="\n")
    photograph, thing, *styles = (
        source.read().pixels
        for source in find_pictures([args.content, "coffee", *args.style], argument="picture")
    )
    size = round(args.side * 2 / 3) // 2 * 2, args.side // 2 * 2
    config = StyleConfig(side=max(size))
    clips = {
        "panned": list(panned(photograph, size, args.pictures)),
        "moving": list(moving(photograph, thing, size, args.pictures)),
    }
    print(f"\n{'clip':8} {'style':16} input painted apart painted/apart pictures/s apart/s")
    for (name, frames), (word, style) in (
        (clip, pair) for clip in clips.items() for pair in zip(args.style, styles, strict=True)
    ):
        painter, started = FramePainter(style, config, seed=0), time.perf_counter()
        painted = [painter.paint(frame.picture) for frame in frames]
        between = time.perf_counter()
        apart = [stylize(frame.picture, style, config, seed=0) for frame in frames]
        rates = [len(frames) / t for t in (between - started, time.perf_counter() - between)]
        kinds = [[frame.picture for frame in frames], painted, apart]
        errors = [warping_error(frames, pictures) for pictures in kinds]
        print(
            f"{name:8} {Path(word).stem:16} {errors[0]:.4f} {errors[1]:.4f} {errors[2]:.4f}"
            f" {errors[1] / errors[2]:.2f} {rates[0]:.2f} {rates[1]:.2f}",
            flush=True,
        )
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            chosen = np.linspace(0, len(frames) - 1, 5).astype(int)
            rows = [np.concatenate([kind[i] for i in chosen], axis=1) for kind in kinds]
            sheet = np.rint(255 * np.concatenate(rows)).astype(np.uint8)
            Image.fromarray(sheet).save(args.out / f"{name}-{Path(word).stem}.png")
    if args.long:
        painter = FramePainter(styles[0], config, seed=0)
        for number, frame in enumerate(panned(photograph, size, args.long)):
            painter.paint(frame.picture)
            if number in (args.long // 5, args.long - 1):
                print(f"after {number + 1} pictures: {peak_memory():.0f} MiB at most")


if __name__ == "__main__":
    main()
