"""Runs TINY, kills it again and again, and says what was left: `python -m ... FOLDER`.

A process that has imported everything forks one that runs; so many kills cost one import.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from recon.sweep import rows, run, workers

NAME = "tests.recon.support.tiny_experiment:TINY"
KILLS = 14


def _slowly(self: rows.RowFile, text: str) -> None:
    """Writes byte by byte, so that a kill falls into a line."""
    for byte in text.encode():
        self._file.write(bytes([byte]))
        time.sleep(2e-4)


def _started(out: Path) -> int:
    child = os.fork()
    if child == 0:
        rows.RowFile._write = _slowly  # type: ignore[method-assign]
        run.evaluate(NAME, scale="smoke", out=out, workers=1)
        os._exit(0)
    return child


def main(folder: Path) -> None:
    workers.computing()  # once, before the forks
    run.evaluate(NAME, scale="smoke", out=folder / "whole", workers=1)
    whole = (folder / "whole/tiny.csv").read_bytes()
    rng = np.random.default_rng(0)
    rounds = torn = kills = 0
    same = True
    while kills < KILLS:
        out = folder / f"round{rounds}"
        child = _started(out)
        # Half of them soon after there is a file, the others at any time of a run.
        if rng.random() < 0.5:
            deadline = time.monotonic() + 30
            while not (out / "tiny.csv").exists() and time.monotonic() < deadline:
                time.sleep(1e-3)
            time.sleep(rng.uniform(0, 0.3))
        else:
            time.sleep(rng.uniform(0, 1.0))
        os.kill(child, signal.SIGKILL)  # a zombie at worst: it is waited for below
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            left = (out / "tiny.csv").read_bytes() if (out / "tiny.csv").exists() else b""
            torn += bool(left) and not left.endswith(b"\n")
            if kills < KILLS:
                continue
            run.evaluate(NAME, scale="smoke", out=out, workers=1)
        same &= all(
            (out / f"tiny{end}").read_bytes() == (folder / f"whole/tiny{end}").read_bytes()
            for end in (".csv", ".png", ".svg", "-pictures.png")
        )
        rounds += 1
    print(
        json.dumps(
            {
                "same": same,
                "kills": kills,
                "torn": torn,
                "rounds": rounds,
                "rows": whole.count(b"\n") - 1,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
