"""Sketches: small pictures made quickly, to choose by before anybody waits for the real ones.

Nothing here knows Gradio.
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.service.jobs import HeedStop, Progress, Report, run_work
from apps.service.limits import Limits
from rrstyle.config import StyleConfig
from rrstyle.pictures.images import encode_png
from rrstyle.pipeline import stylize

SIDE = 144  # pixels: eight looks take two cores some three seconds
# A tenth of the search of `paint` and a dozen steps of `optimise` show what becomes of a picture.
_KEYS, _ROUNDS, _STEPS = 1500, (2, 1), (12,)
_MOST_KEPT = 512  # PNGs of some 40 KB

_kept: dict[Hashable, bytes] = {}  # by subject and settings, oldest first


@dataclass(frozen=True)
class Subject:
    """What is sketched: photograph, style pictures and their shares, mask."""

    key: Hashable  # the same for the same subject
    held: int  # bytes of its pictures
    load: Callable[[], tuple[np.ndarray, list[np.ndarray], np.ndarray | None]]
    weights: tuple[float, ...]


def sketch_config(config: StyleConfig) -> StyleConfig:
    """The settings of a sketch of what `config` makes."""
    return replace(
        config,
        side=SIDE,
        paint=replace(config.paint, keys=_KEYS, rounds=_ROUNDS),
        optimise=replace(config.optimise, steps=_STEPS),
    )


def sketches(
    subject: Subject, configs: Sequence[StyleConfig], stop: threading.Event, limits: Limits
) -> Iterator[tuple[StyleConfig, bytes]]:
    """Each of the settings with its sketch, a PNG: first those that were made before.

    Args:
        stop, limits: Arguments of `run_work`, whose errors are raised.
    """
    for config in configs:
        if png := _kept.get((subject.key, sketch_config(config))):
            yield config, png
    rest = [config for config in configs if (subject.key, sketch_config(config)) not in _kept]

    def work(report: Report, heed_stop: HeedStop) -> None:
        content, styles, mask = subject.load()
        blend: dict[str, Any] = {"weights": subject.weights, "mask": mask}
        for config in rest:
            heed_stop()
            quick = sketch_config(config)
            png = encode_png(stylize(content, styles, quick, seed=0, **blend))
            while len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)), None)
            _kept[subject.key, quick] = png
            report((config, png))

    if rest:
        found = run_work(work, stop, limits, held=subject.held)
        yield from (report for report in found if not isinstance(report, Progress))
