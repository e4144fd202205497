"""How a painter learns: its settings, and a preset. This file imports nothing heavy."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from recon.training.config import Schedule
from rrstyle.config import PainterConfig


@dataclass(frozen=True)
class LearnConfig(Schedule):
    """What a painter learns from: photographs, and what `paint` makes of them."""

    task: ClassVar[str] = "painting"

    painter: PainterConfig = field(default_factory=PainterConfig)
    """Its networks."""
    side: int = 288
    """Longer side of photographs and painting, in pixels: it sets the size of strokes."""
    photographs: int = 100
    """At most so many photographs are painted to learn from."""
    sample_every: int = 1000
    """Steps between two sheets of pictures."""
    crop: int = 128
    """Side of the pieces of photographs that a step takes, in pixels."""
    batch: int = 8
    """Pieces a step, over all devices."""
    steps: int = 20_000
    """Steps in all."""
    learning_rate: float = 1e-3
    milestones: tuple[int, ...] = (14_000, 18_000)
    weight_decay: float = 0.0
    checkpoint_every: int = 250

    def check(self) -> None:
        self.require_whole(64, 2048, "side")
        self.require_whole(2, 100_000, "photographs")
        self.require_whole(1, 10**9, "sample_every")
        self.require_whole(64, 1024, "crop")
        super().check()


SMALL = replace(LearnConfig(), crop=112, batch=3, steps=1500, milestones=(1000, 1300))
"""A quarter of an hour on two processor cores, with the painting of the photographs."""
