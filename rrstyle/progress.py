"""Progress of long computations."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Step:
    """`fraction` (0 to 1) of the whole is done; `stage` says in a few words what goes on.

    Attributes:
        preview: Small picture of the result so far, (height, width, 3), float32 in [0, 1], if the
            caller asked for previews.
        features: Features so far, (height, width, channels), float32, of a method's step; the
            pipeline turns them into `preview` or drops the step.
    """

    stage: str
    fraction: float
    preview: np.ndarray | None = field(default=None, kw_only=True, compare=False, repr=False)
    features: np.ndarray | None = field(default=None, kw_only=True, compare=False, repr=False)


# Called after every step. An exception it raises ends the computation: that is how to stop one.
OnStep = Callable[[Step], None]


def ignore(step: Step) -> None:
    """The default callback, which does nothing."""


def within(on_step: OnStep, start: float, end: float) -> OnStep:
    """A callback for a part of the whole that covers its fractions `start` to `end`."""

    def inner(step: Step) -> None:
        on_step(replace(step, fraction=start + (end - start) * step.fraction))

    return inner
