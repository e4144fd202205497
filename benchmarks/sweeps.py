"""Processor time of sweeps here and in another checkout, in turn; see `benchmarks/README.md`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from recon.experiments import EXPERIMENTS

HERE = Path(__file__).parents[1]
# The start of the process, and what is drawn, are not in it.
_CHILD = """
import json, os, sys, tempfile, time
from pathlib import Path
try:
    from recon.sweep.run import evaluate
except ImportError:  # 0.1.0
    from recon.sweeps import evaluate

name, scale = sys.argv[1:]
marks = []
def mark(step):
    marks.append(time.process_time())
with tempfile.TemporaryDirectory() as out:
    run = evaluate(name, scale=scale, out=Path(out), workers=1, one_thread=True, on_step=mark)
print(json.dumps([marks[-1] - marks[0], run.rows]))
"""


def measure(folder: Path, name: str, scale: str) -> tuple[float, int]:
    """Processor seconds of the cells of a sweep by the code in a folder, and rows."""
    environment = os.environ | {"PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _CHILD, name, scale]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, rows = json.loads(done.stdout.splitlines()[-1])
    return seconds, rows


def line(name: str, ours: list[tuple[float, int]], theirs: list[tuple[float, int]]) -> str:
    """Medians of both, ours over theirs, and the same for each row."""
    (a, rows), (b, others) = ((median(s for s, _ in runs), runs[0][1]) for runs in (ours, theirs))
    per_row = a / rows / (b / others)
    return f"{name:18}{a:9.2f}{b:9.2f}{a / b:9.2f}{rows:9}{others:9}{per_row:9.2f}"


def main(arguments: list[str]) -> None:
    """Prints a line a sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="another checkout")
    parser.add_argument("names", nargs="*", default=EXPERIMENTS, help="experiments")
    parser.add_argument("--scale", default="smoke")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    heads = ("ours s", "theirs s", "ratio", "rows", "theirs", "a row")
    print(f"{'':18}{''.join(f'{head:>9}' for head in heads)}")
    for name in options.names:
        folders = [HERE, options.folder.resolve()] * options.runs
        found = [measure(folder, name, options.scale) for folder in folders]
        print(line(name, found[::2], found[1::2]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
