"""Draw docs/clip.webp and docs/clip.jpg, the README's clip: a photograph panned, and painted."""

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.video import panned
from rrstyle import StyleConfig, example, stylize
from rrstyle.pictures.images import resize, to_uint8
from rrstyle.video.clips import open_clip, pictures
from rrstyle.video.run import stylize_video
from rrstyle.video.writing import join, write_segment

PHOTOGRAPH, STYLE = "rocket", "starry-swirls"
SIZE, COUNT, RATE, SHOWN = (192, 288), 36, 12, 10


def main() -> None:
    """Pan the photograph, paint the clip, and write it and a sheet beside this file."""
    folder, style, config = Path(__file__).parent, example(STYLE), StyleConfig(side=max(SIZE))
    frames = [frame.picture for frame in panned(example(PHOTOGRAPH), SIZE, COUNT)]
    with tempfile.TemporaryDirectory() as name:
        part, clip = Path(name, "part.mkv"), Path(name, "clip.webp")
        write_segment(part, [to_uint8(frame) for frame in frames], ".webp")
        second = Fraction(1, RATE)
        times = [number * second for number in range(COUNT)]
        join(clip, [part], times, second, suffix=".webp", audio=None)
        made = stylize_video(clip, style, folder / "clip.webp", config, seed=0, overwrite=True)
    painted = [picture / np.float32(255) for picture, _ in pictures(open_clip(made))]
    rows = []
    chosen = range(0, 2 * SHOWN, 2)
    apart = {i: stylize(frames[i], style, config, seed=0) for i in chosen}
    for row in (frames, painted, apart):
        small = [resize(row[i], (SIZE[0] // 2, SIZE[1] // 2)) for i in chosen]
        rows += [np.concatenate(small[i : i + 5], axis=1) for i in (0, 5)]
    Image.fromarray(to_uint8(np.concatenate(rows))).save(folder / "clip.jpg", quality=88)


if __name__ == "__main__":
    main()
