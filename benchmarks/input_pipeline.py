"""Images per second and memory of the training data, by crop and number of threads.

    python benchmarks/input_pipeline.py [FOLDER] [--crops 64 227] [--threads 1 2]

Without a folder, photographs are imitated: JPEGs of 500 by 375 pixels, as many of ImageNet's are.
Each row is measured in a process of its own, so that the peak memory of one does not hide
another's. After the first row the files are in the system's cache: what a slow disk costs does
not show.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.speed import processor, run_child
from benchmarks.timing import peak_memory

BATCH = 64
_WARM_UP = 6  # batches: as many as are under way at once, and some
_DRAWN = 128  # files


def draw_photographs(folder: Path, count: int, *, seed: int = 0) -> None:
    """Writes JPEGs of noise with a photograph's spectrum, about 120 kB each, in four classes.

    Args:
        folder: Where to; it must exist.
        count: Files.
        seed: Names the noise.
    """
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    height, width = 375, 500
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    amplitude = 1 / np.maximum(frequency, 1 / width)
    for i in range(count):
        waves = amplitude * np.exp(2j * np.pi * rng.random((3, *amplitude.shape)))
        grey, *colours = np.fft.irfft2(waves, (height, width))
        pixels = np.stack([grey + 0.3 * colour for colour in (*colours, -colours[0])], axis=-1)
        pixels = 128 + 55 * pixels / pixels.std()
        place = folder / f"class {i % 4}"
        place.mkdir(exist_ok=True)
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        picture.save(place / f"{i}.jpg", quality=90)


def measure(folder: Path, crop: int, threads: int, *, seconds: float) -> dict[str, float]:
    """Draws batches in this process for a while.

    Args:
        folder: Of pictures.
        crop: Side of the squares in pixels.
        threads: That decode.
        seconds: To measure for, after a few batches to warm up.

    Returns:
        "scan", seconds per 1000 files; "rate", images per second; "core_rate", images per second
        of processor time; "images", how many; "early" and "late", peak memory in MiB after the
        warm-up and at the end.
    """
    from concurrent.futures import ThreadPoolExecutor

    from recon.data.batches import Batches
    from recon.data.index import scan

    start = time.perf_counter()
    index = scan(folder)
    scanned = time.perf_counter() - start
    batches, number = Batches(index, batch=BATCH, crop=crop, seed=0), 0

    def read(pool: ThreadPoolExecutor) -> int:
        """Images of one batch for each thread, as `recon.training.fit` reads ahead."""
        nonlocal number
        found = list(pool.map(batches.__getitem__, range(number, number + threads)))
        number += threads
        return sum(len(batch.names) for batch in found)

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_WARM_UP):
            read(pool)
        early = peak_memory()
        images, start, worked = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            images += read(pool)
        took, worked = time.perf_counter() - start, time.process_time() - worked
    return {
        "scan": 1000 * scanned / (len(index.names) + len(index.bad)),
        "rate": images / took,
        "core_rate": images / worked,
        "images": images,
        "early": early,
        "late": peak_memory(),
    }


def print_row(crop: int, threads: int, row: dict[str, Any]) -> None:
    """One line of the table."""
    if "error" in row:
        print(f"{crop:6}{threads:9}  failed: {row['error']}", flush=True)
        return
    print(f"{crop:6}{threads:9}{row['rate']:12.0f}{row['core_rate']:16.0f}", end="")
    print(f"{row['images']:10}{row['late']:11.0f}{row['late'] - row['early']:9.1f}", end="")
    print(f"{row['scan']:16.2f}", flush=True)


@contextmanager
def photographs(folder: Path | None) -> Iterator[Path]:
    """The folder, or one of drawn files that goes away afterwards."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as drawn:
        draw_photographs(Path(drawn), _DRAWN)
        yield Path(drawn)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--crops", type=int, nargs="+", default=[64, 227], metavar="PIXELS")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--seconds", type=float, default=5.0, help="to measure for, a row")
    parser.add_argument("--json", action="store_true", help="one row only, as a line of JSON")
    options = parser.parse_args(arguments)
    for name in ("crops", "threads"):
        least = min(getattr(options, name))
        if least < 1:
            parser.error(f"--{name} must be at least 1; received {least}")
    if options.json and (options.folder is None or len(options.crops + options.threads) != 2):
        parser.error("--json takes a folder, one crop and one number of threads")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 if a process failed."""
    options = parse(arguments)
    if options.json:
        crop, threads = options.crops[0], options.threads[0]
        print(json.dumps(measure(options.folder, crop, threads, seconds=options.seconds)))
        return 0
    print(f"processor  {processor()}")
    print(f"load       {os.getloadavg()[0]:.1f} processes waited for it in the last minute")
    print(f"\n{'crop':>6}{'threads':>9}{'images/s':>12}{'images/core s':>16}", end="")
    print(f"{'images':>10}{'peak MiB':>11}{'growth':>9}{'scan s/1000':>16}", flush=True)
    failed = False
    with photographs(options.folder) as folder:
        for crop in options.crops:
            for threads in options.threads:
                row = run_child(
                    "input_pipeline",
                    folder.absolute(),
                    *("--crops", crop, "--threads", threads),
                    *("--seconds", options.seconds, "--json"),
                )
                failed |= "error" in row
                print_row(crop, threads, row)
    print(f"batches of {BATCH}; growth: of the peak, in MiB, since batch {_WARM_UP}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
