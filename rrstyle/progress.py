"""What long computations report."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`fraction` (0 to 1) of the whole is done; `stage` says in a few words what goes on."""

    stage: str
    fraction: float


# Called after every step. An exception it raises ends the computation: that is how to stop one.
OnStep = Callable[[Step], None]


def ignore(step: Step) -> None:
    """The callback of a caller who does not listen."""


def within(on_step: OnStep, start: float, end: float) -> OnStep:
    """A callback for a part of the whole that covers its fractions `start` to `end`."""
    return lambda step: on_step(Step(step.stage, start + (end - start) * step.fraction))
