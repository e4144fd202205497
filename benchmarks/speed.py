"""Seconds and memory of every method at several sizes, and GFLOP/s against a bare convolution.

    python benchmarks/speed.py --sizes 256 512 1024 --csv speed.csv

Each method and size runs in a process of its own, one after another, so that the peak memory of
one does not hide another's. This process imports nothing heavy: on Linux a child starts with its
parent's peak.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.timing import CONTENT, MANY, STYLE, stage_totals

_ROOT = Path(__file__).parents[1]
_LEAST_SIDE = 32  # pixels: the vgg statistics network needs as many
COLUMNS = ("method", "side", "runs", "best_s", "median_s", "variants_ratio", "peak_mib")


def run_child(module: str, *arguments: object) -> dict[str, Any]:
    """What a script of this folder prints as its last line, as JSON.

    Args:
        module: Its name.
        arguments: Of its command line.

    Returns:
        The object; under "error" the last line of its complaint if it failed.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        complaint = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return {"error": complaint[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def processor() -> str:
    """Name of the processor, cores this process may use, and which bfloat16 instructions it has."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # no Linux
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    fields = [line.split(":", 1) for line in text.splitlines() if ":" in line]
    known = {key.strip(): value.strip() for key, value in reversed(fields)}
    flags = {"amx_bf16", "avx512_bf16"} & set(known.get("flags", "").split())
    name = known.get("model name", platform.machine())
    cores = len(os.sched_getaffinity(0))
    return f"{name}, {cores} cores, {', '.join(sorted(flags)) or 'no bfloat16 instructions'}"


def summary(case: str, side: int, found: dict[str, Any]) -> dict[str, Any]:
    """A row of the table.

    Args:
        case: Name of the method.
        side: Of the result, in pixels.
        found: What `timing.time_case` measured.

    Returns:
        Values by `COLUMNS`; the ratio, of the best times, is None where it was not measured.
    """
    seconds = found["seconds"]
    ratio = min(found["many"]) / min(found["one"]) if "many" in found else None
    values = (case, side, len(seconds), min(seconds), statistics.median(seconds))
    return dict(zip(COLUMNS, (*values, ratio, found["peak"]), strict=True))


def print_machine(found: dict[str, Any], precision: str) -> None:
    """What the numbers hold for."""
    environment = dict(found.get("environment", {}))
    auto = environment.pop("auto precision", "?")
    print(f"processor  {processor()}")
    print(f"load       {os.getloadavg()[0]:.1f} processes waited for it in the last minute")
    print(f"versions   {', '.join(f'{k} {v}' for k, v in environment.items())}")
    print(f"precision  {auto if precision == 'auto' else precision} ({precision} asked for)")
    print(f"pictures   {CONTENT} in the style of {STYLE}, both built in")


def print_roofline(found: dict[str, Any], side: int) -> None:
    """GFLOP/s of an optimisation step, beside those of its convolutions alone."""
    print(f"\nGFLOP/s at {side} px: an optimisation step (forward and back), and bare convolutions")
    print(f"{'network':10}{'precision':>10}{'GFLOP/step':>12}{'step s':>9}", end="")
    print(f"{'step':>8}{'bare':>8}{'step / bare':>13}")
    for row in found["rows"]:
        forward = row["operations"] / 1e9
        step, bare = 2 * forward / row["step"], forward / row["bare"]
        print(f"{row['network']:10}{row['dtype']:>10}{2 * forward:12.2f}{row['step']:9.3f}", end="")
        print(f"{step:8.0f}{bare:8.0f}{step / bare:13.2f}")


def print_row(row: dict[str, Any]) -> None:
    """One line of the table of seconds."""
    ratio = "" if row["variants_ratio"] is None else f"{row['variants_ratio']:.2f}"
    print(f"{row['method']:18}{row['side']:6}{row['runs']:6}{row['best_s']:10.3f}", end="")
    print(f"{row['median_s']:10.3f}{ratio:>10}{row['peak_mib']:10.0f}", flush=True)


def print_growth(rows: Sequence[dict[str, Any]]) -> None:
    """How time grows from the smallest to the largest size, a method a line."""
    by_key = {(row["method"], row["side"]): row for row in rows}
    low, high = min(r["side"] for r in rows), max(r["side"] for r in rows)
    if low == high:
        return
    pixels = (high / low) ** 2
    print(f"\ntime at {high} px / time at {low} px ({pixels:.0f} times the pixels)")
    for case in dict.fromkeys(row["method"] for row in rows):
        pair = by_key.get((case, low)), by_key.get((case, high))
        if pair[0] and pair[1]:
            aim = "  (aim: at most 20)" if (case, low, high) == ("paint", 256, 1024) else ""
            print(f"{case:18}{pair[1]['best_s'] / pair[0]['best_s']:6.1f}{aim}")


def print_stages(stages: dict[str, float], side: int) -> None:
    """Where the time of `paint` goes."""
    totals = stage_totals(stages)
    whole = sum(totals.values())
    print(f"\npaint at {side} px, its last run by stage")
    for name, seconds in totals.items():
        print(f"{name:28}{seconds:9.2f} s{100 * seconds / whole:6.0f} %")
        if name == "matching":
            for stage, spent in stages.items():
                if stage.startswith("matching"):
                    print(f"  at {stage.split()[-1]:23}{spent:9.2f} s{100 * spent / whole:6.0f} %")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], metavar="PIXELS")
    parser.add_argument("--methods", nargs="+", choices=CASES, default=CASES, metavar="METHOD")
    parser.add_argument("--repeats", type=int, default=3, help="runs that count, at most")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument(
        "--budget",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="for the runs of one method and size together; one is always made",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="writes the table of seconds")
    options = parser.parse_args(arguments)
    if min(options.sizes) < _LEAST_SIDE:
        parser.error(f"--sizes must be at least {_LEAST_SIDE}; received {min(options.sizes)}")
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1; received {options.repeats}")
    options.sizes = sorted(set(options.sizes))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 if a process failed."""
    options = parse(arguments)
    side = options.sizes[0]
    roofline = run_child("roofline", side, "--repeats", options.repeats)
    print_machine(roofline, options.precision)
    failed = "error" in roofline
    if failed:
        print(f"\nGFLOP/s: failed: {roofline['error']}")
    else:
        print_roofline(roofline, side)
        print(f"\npeak memory includes the {roofline['idle']:.0f} MiB of the libraries", end="")
    print(f"\n{'method':18}{'px':>6}{'runs':>6}{'best s':>10}{'median s':>10}", end="")
    print(f"{f'{MANY} / 1':>10}{'peak MiB':>10}", flush=True)
    rows: list[dict[str, Any]] = []
    stages: dict[str, float] = {}
    limits = ("--repeats", options.repeats, "--budget", options.budget)
    for size in options.sizes:
        for case in options.methods:
            found = run_child("timing", case, size, *limits, "--precision", options.precision)
            if "error" in found:
                failed = True
                print(f"{case:18}{size:6}  failed: {found['error']}", flush=True)
                continue
            rows.append(summary(case, size, found))
            print_row(rows[-1])
            if case == "paint":
                stages, side = found["stages"], size
    print(f"{MANY} / 1: time of {MANY} variants over time of one picture (aim: at most 4)")
    if rows:
        print_growth(rows)
    if stages:
        print_stages(stages, side)
    if options.csv:
        write_csv(options.csv, rows)
    return int(failed)


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """The table of seconds, a row a method and size."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
