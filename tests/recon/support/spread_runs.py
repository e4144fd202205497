"""Runs CONVOLUTION in one process and spread out: `python -m ... processes|ray FOLDER`.

A process of its own, since limits to one thread hold for good, and Ray leaves threads behind.
"""

import sys
from pathlib import Path

import pytest

from recon.sweep.run import evaluate

NAME = "tests.recon.support.tiny_experiment:CONVOLUTION"


def main(how: str, folder: Path) -> None:
    evaluate(NAME, scale="smoke", out=folder / "alone", workers=1, one_thread=True)
    if how == "processes":
        evaluate(NAME, scale="smoke", out=folder / "spread", workers=2)
        return
    import ray

    # As small as it gets: Ray takes a third of the memory otherwise.
    ray.init(
        num_cpus=2, object_store_memory=80 * 2**20, include_dashboard=False, log_to_driver=False
    )
    evaluate(NAME, scale="smoke", out=folder / "spread", ray_address="auto")
    for wrong, words in (("REFUSING", "cells must not be the fourth"), ("STUMBLING", "a bug")):
        name = NAME.replace("CONVOLUTION", wrong)
        with pytest.raises((ValueError, RuntimeError), match=words):
            evaluate(name, scale="smoke", out=folder / wrong, ray_address="auto")
        assert (folder / wrong / "tiny.csv").read_text().count("\n") == 13  # three cells
    assert ray.is_initialized()  # whoever joined it leaves it
    ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
