"""Pictures, seconds and flicker of a painter that `rrstyle learn` has made.

python benchmarks/painters.py painter/ --style painting.jpg --content photos/ --out DIR

Pictures: swd, edge and strokes beside `paint` and `optimise` on the same photographs. Seconds:
beside the bare convolutions of the painter's shapes, in turn. Flicker: of a panned photograph, the
mean absolute difference between a picture and the one before, moved along by the true motion,
beside `paint` of every picture by itself and beside the clip's own.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apps.quiet import quiet_start
from benchmarks.cases import configure
from benchmarks.timing import environment, timed
from benchmarks.video import panned, warping_error

_SIZES = ((341, 512), (1080, 1920))  # pictures that are timed, height and width
_BESIDE = ("paint", "optimise-pyramid")
_ROUNDS = 5
_CLIP = 12  # pictures


def bare_convolutions(model, size: tuple[int, int]) -> tuple[Callable[[], None], float]:
    """What runs the convolutions of a painter's model and nothing else, and its GFLOP."""
    import keras
    from keras import ops

    from rrstyle.painters.network import CELL

    runs, operations = [], 0.0
    inside = {id(layer): part.name for part in model.layers for layer in _layers(part)}
    for layer in (layer for part in model.layers for layer in _layers(part)):
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        full = inside[id(layer)] in ("cnn", "dcn", "lift") or layer.strides[0] > 1
        height, width = size if full else (-(-side // CELL) for side in size)
        side, _, given, made = layer.kernel.shape
        strides = layer.strides
        run = _convolution(strides)
        x = ops.zeros((1, height, width, given))
        runs.append(partial(run, x, ops.convert_to_tensor(layer.kernel)))
        places = height * width / strides[0] ** 2
        operations += 2e-9 * places * side**2 * given * made

    def run_all() -> None:
        for run in runs:
            ops.convert_to_numpy(run())

    return run_all, operations


def _convolution(strides: tuple[int, int]) -> Callable[[Any, Any], Any]:
    from keras import ops

    from rrstyle import backend

    return backend.jit(lambda x, w: ops.conv(x, w, strides, padding="same"), maps=(0,))


def _layers(part):
    """A layer, or the layers of a model."""
    inner = getattr(part, "layers", None)
    return [part] if inner is None else [layer for p in inner for layer in _layers(p)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("painter", type=Path)
    parser.add_argument("--style", required=True, help="the painting that it learnt")
    parser.add_argument("--content", nargs="+", required=True, help="photographs it has not seen")
    parser.add_argument("--side", type=int, default=384)
    parser.add_argument("--out", type=Path, help="folder for a sheet of the pictures")
    args = parser.parse_args()
    with quiet_start():
        from apps.batch.inputs import find_pictures
        from recon.style_measures import edge, stroke_distance, swd
        from rrstyle.painters.painter import load_painter
        from rrstyle.pictures.images import fit_within, resize, to_uint8
        from rrstyle.pictures.sheets import contact_sheet
        from rrstyle.pipeline import stylize

    print(*(f"{name}: {value}" for name, value in environment().items()), sep="\n")
    painter = load_painter(args.painter)
    (style,) = (source.read().pixels for source in find_pictures([args.style], argument="style"))
    small = resize(style, fit_within(style.shape[:2], args.side))
    rows: list[list[np.ndarray]] = []
    scores: dict[str, list[tuple[float, ...]]] = {name: [] for name in ("painter", *_BESIDE)}
    for source in find_pictures(args.content, argument="content"):
        photograph = source.read().pixels
        photograph = resize(photograph, fit_within(photograph.shape[:2], args.side))
        pictures = {"painter": painter.paint(photograph)} | {
            name: stylize(photograph, style, configure(name, args.side), seed=0) for name in _BESIDE
        }
        for name, picture in pictures.items():
            likeness = swd(picture, small, seed=0), edge(picture, photograph)
            scores[name].append((*likeness, stroke_distance(picture, small)))
        rows.append([photograph, *pictures.values()])
    print(f"\n{len(rows)} photographs, {args.side} px: mean and standard deviation")
    print(f"{'':18}{'swd':>14}{'edge':>14}{'strokes':>14}")
    for name, found in scores.items():
        columns = zip(np.mean(found, axis=0), np.std(found, axis=0), strict=True)
        print(f"{name:18}" + "".join(f"{mean:8.3f} ±{spread:.3f}" for mean, spread in columns))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        Image.fromarray(to_uint8(contact_sheet(rows))).save(args.out / "pictures.png")

    print(f"\n{'size':12}{'painter':>10}{'model':>10}{'bare':>10}{'GFLOP':>8}  seconds, least")
    for size in _SIZES:
        image = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
        bare, operations = bare_convolutions(painter.model, size)
        runs = partial(painter.paint, image), partial(painter._compiled, image), bare
        seconds = [[timed(run) for run in runs] for _ in range(_ROUNDS + 1)][1:]
        least = "".join(f"{value:10.3f}" for value in np.min(seconds, axis=0))
        print(f"{size[1]}x{size[0]:<8}{least}{operations:8.1f}", flush=True)

    size = args.side * 2 // 3, args.side
    (ground,) = (s.read().pixels for s in find_pictures(args.content[:1], argument="content")[:1])
    clip = list(panned(ground, size, _CLIP))
    config = configure("paint", args.side)
    kinds = {
        "the clip": [frame.picture for frame in clip],
        "painter": [painter.paint(frame.picture) for frame in clip],
        "paint": [stylize(frame.picture, style, config, seed=0) for frame in clip],
    }
    print("\nflicker of a panned photograph")
    for name, painted in kinds.items():
        print(f"{name:18}{warping_error(clip, painted):8.4f}")


if __name__ == "__main__":
    main()
