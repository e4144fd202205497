"""Loss of a DCN during its training, on random VGG16 of several Gaussians: Conv2-DeConv2.

    rrstyle evaluate init-std --images DIR

The papers' deviations are 0.015, 0.1 and 1 (003, section 2.3); 0.005 is ours: a smaller one still.
"""

from dataclasses import dataclass

from recon.experiments.experiment import Cell, grid
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    LAPTOP,
    PAPER,
    SMOKE,
    STD,
    CourseSweep,
    TrainingSettings,
)


@dataclass(frozen=True, kw_only=True)
class InitStd(TrainingSettings):
    stds: tuple[float, ...] = (0.005, STD, 0.1, 1.0)
    """True standard deviations of the Gaussian weights."""


class InitStdExperiment(CourseSweep):
    name = "init-std"
    title = "Loss of a DCN during its training, on random VGG16 of four Gaussians, Conv2"
    reproduces = "Fig. 2 (b)"
    printed = (
        "The Gaussian affects the initial loss, but the loss converges to the same magnitude;"
        " N(0, 1) does not converge to a low value."
    )
    cost = {"smoke": "15 s", "laptop": "3 min on 2 cores", "paper": "not measured"}
    settings = {
        "smoke": InitStd(**SMOKE, stds=(STD, 1.0)),
        "laptop": InitStd(**LAPTOP),
        "paper": InitStd(**PAPER),
    }
    columns = ("std", "network", *COURSE_COLUMNS)
    lines, label, varied = ("std",), "N(0, {:g})", "Gaussian of its weights"

    def cells(self, settings: InitStd) -> list[Cell]:
        return grid(std=settings.stds, network=range(settings.networks))


EXPERIMENT = InitStdExperiment()
