"""swd, edge, strokes and diversity of stylised pictures, with a contact sheet.

python benchmarks/quality.py --out DIR
python benchmarks/quality.py --content photos/ --style paintings/ --method paint --out DIR
"""

import argparse
import csv
import itertools
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from apps.batch.inputs import Source, find_pictures
from apps.quiet import quiet_start
from benchmarks.cases import CASES, configure
from recon.style_measures import (
    SMALLEST_SIDE,
    check_sides,
    diversity,
    edge,
    mean_and_spread,
    stroke_distance,
    swd,
)

BUILT_IN = "builtin"
_SAMPLING_SEED = 0  # of swd: the same patches and directions for all pictures


@dataclass(frozen=True)
class Score:
    """Of one picture; a row of pictures.csv."""

    content: str
    style: str
    method: str
    seed: int
    swd: float
    edge: float
    strokes: float


@dataclass(frozen=True)
class PairScore:
    """Of the variants of one pair by one method; a row of pairs.csv.

    Attributes:
        content: Name of the photograph.
        style: Name of the style picture.
        method: Name of the case.
        variants: How many.
        swd: Mean over the variants.
        swd_spread: Standard deviation over them.
        swd_floor: swd of the style picture and itself: nothing can come closer.
        edge: Mean over the variants.
        edge_spread: Standard deviation over them.
        strokes: Mean `stroke_distance` over the variants.
        diversity: Mean RMSE between variants.
    """

    content: str
    style: str
    method: str
    variants: int
    swd: float
    swd_spread: float
    swd_floor: float
    edge: float
    edge_spread: float
    strokes: float
    diversity: float


def choose_pairs(content: Sequence[str], style: Sequence[str]) -> list[tuple[Source, Source]]:
    """The pairs that two options stand for.

    Args:
        content: Files, folders, names of built-in pictures, or "builtin" alone for all built-in
            photographs.
        style: The same; "builtin" for all built-in style pictures.

    Returns:
        Every photograph with every style picture; but where both are "builtin", every style
        picture once, with the photographs in turn.

    Raises:
        ValueError: If a name stands for nothing.
        OSError: If a folder cannot be listed.
    """
    from rrstyle.examples import PHOTOGRAPHS, STYLES

    all_built_in = list(content) == list(style) == [BUILT_IN]
    photographs, pictures = (
        find_pictures(known if list(names) == [BUILT_IN] else names, argument=argument)
        for names, known, argument in (
            (content, PHOTOGRAPHS, "--content"),
            (style, STYLES, "--style"),
        )
    )
    if all_built_in:
        return list(zip(itertools.cycle(photographs), pictures, strict=False))
    return list(itertools.product(photographs, pictures))


def score_variants(
    images: Sequence[np.ndarray],
    content: np.ndarray,
    style: np.ndarray,
    names: tuple[str, str, str],
) -> tuple[list[Score], PairScore]:
    """Measures the variants of one pair, of the seeds 0, 1, ...

    Args:
        images: The variants, of the size of `content`.
        content: The photograph, (height, width, 3) in [0, 1].
        style: The style picture, brought to the same longer side as for the transfer.
        names: Of the photograph, the style picture and the method.

    Returns:
        The score of each, and those of all together.
    """
    scores = [
        Score(
            *names,
            seed,
            swd(image, style, seed=_SAMPLING_SEED),
            edge(image, content),
            stroke_distance(image, style),
        )
        for seed, image in enumerate(images)
    ]
    swd_mean, swd_spread = mean_and_spread([score.swd for score in scores])
    edge_mean, edge_spread = mean_and_spread([score.edge for score in scores])
    together = PairScore(
        *names,
        variants=len(images),
        swd=swd_mean,
        swd_spread=swd_spread,
        swd_floor=swd(style, style, seed=_SAMPLING_SEED),
        edge=edge_mean,
        edge_spread=edge_spread,
        strokes=float(np.mean([score.strokes for score in scores])),
        diversity=diversity(images),
    )
    return scores, together


HEADER = (
    f"{'content':16}{'style':16}{'method':18}{'swd':>6}{'±':>6}{'floor':>7}{'edge':>7}{'±':>6}"
    f"{'strokes':>9}{'diversity':>11}"
)


def line(score: PairScore) -> str:
    """A line of the table under `HEADER`."""
    names = f"{score.content[:15]:16}{score.style[:15]:16}{score.method:18}"
    distances = (
        f"{_number(score.swd, 6)}{_number(score.swd_spread, 6)}{_number(score.swd_floor, 7)}"
    )
    edges = f"{_number(score.edge, 7, 2)}{_number(score.edge_spread, 6, 2)}"
    rest = f"{_number(score.strokes, 9, 2)}{_number(score.diversity, 11)}"
    return f"{names}{distances}{edges}{rest}"


def _number(value: float, width: int, digits: int = 3) -> str:
    """.031 rather than 0.031, and a dash where there is no number."""
    text = "-" if math.isnan(value) else f"{value:.{digits}f}".replace("0.", ".", 1)
    return f"{text:>{width}}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    sources: dict[str, Any] = {"nargs": "+", "default": [BUILT_IN], "metavar": "NAME"}
    parser.add_argument("--content", help="folders, files, built-in names, or builtin", **sources)
    parser.add_argument("--style", help="the same", **sources)
    parser.add_argument("--side", type=int, default=256, metavar="PIXELS")
    parser.add_argument("--variants", type=int, default=3, metavar="N")
    parser.add_argument(
        "--method", nargs="+", choices=CASES, default=["paint"], metavar="METHOD", dest="methods"
    )
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    for name, least in (("side", SMALLEST_SIDE), ("variants", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} must be at least {least}; received {getattr(options, name)}")
    try:
        options.pairs = choose_pairs(options.content, options.style)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Stylises each pair by each method; prints scores, writes sheet and CSVs; 1 if any failed."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_start():
        from rrstyle.pipeline import variants
    from rrstyle.durable import write_whole
    from rrstyle.pictures.images import encode_png, fit_within, resize
    from rrstyle.pictures.sheets import contact_sheet

    options.out.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    pair_scores: list[PairScore] = []
    sheet: list[list[np.ndarray]] = []
    captions: list[list[str]] = []
    skipped = 0
    print(HEADER, flush=True)
    for pair, method in itertools.product(options.pairs, options.methods):
        names = (pair[0].name, pair[1].name, method)
        config = configure(method, options.side, options.precision)
        try:
            photograph, picture = (source.read().pixels for source in pair)
            # As the transfer itself does: what it sees is what a result is measured against.
            content, style = (
                resize(p, fit_within(p.shape[:2], options.side)) for p in (photograph, picture)
            )
            check_sides(content, style)
            made = variants(photograph, picture, config, n=options.variants, seed=0)
            images = [variant.image for variant in made]
        except (ValueError, OSError) as error:
            skipped += 1
            print(f"{names[0]}, {names[1]}: skipped: {error}", flush=True)
            continue
        found, together = score_variants(images, content, style, names)
        scores += found
        pair_scores.append(together)
        sheet.append([content, style, *images])
        numbers = [f"{s.seed}: {_number(s.swd, 0)} / {_number(s.edge, 0, 2)}" for s in found]
        captions.append([names[0], f"{method}: {names[1]}", *numbers])
        print(line(together), flush=True)
    if not pair_scores:
        return 1
    for method in dict.fromkeys(score.method for score in pair_scores):
        print(line(overall([s for s in pair_scores if s.method == method])))
    image = encode_png(contact_sheet(sheet, captions))
    write_whole(options.out / "contact-sheet.png", image, overwrite=True)
    write_csv(options.out / "pictures.csv", Score, scores)
    write_csv(options.out / "pairs.csv", PairScore, pair_scores)
    print(f"\nThe pictures, over each its swd / edge: {options.out / 'contact-sheet.png'}")
    return int(skipped > 0)


def overall(scores: Sequence[PairScore]) -> PairScore:
    """The mean of every column over the pairs of one method, spreads included."""
    means = {
        f.name: float(np.mean([getattr(score, f.name) for score in scores]))
        for f in fields(PairScore)
        if f.type is float
    }
    return PairScore("all", f"{len(scores)} pairs", scores[0].method, scores[0].variants, **means)


def write_csv(path: Path, kind: type, rows: Sequence[Score] | Sequence[PairScore]) -> None:
    """Scores of one kind, a row each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(kind)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
