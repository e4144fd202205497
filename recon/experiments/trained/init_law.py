"""Loss of a DCN during its training, on random VGG16 of the four laws: Conv2-DeConv2.

    rrstyle evaluate init-law --images DIR

The laws have the papers' parameters, and so different true deviations (see `laws`).
"""

from recon.experiments.experiment import Cell
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.trained.cells import (
    COURSE_COLUMNS,
    LAPTOP,
    PAPER,
    SMOKE,
    CourseSweep,
    TrainingSettings,
)


class InitLawExperiment(CourseSweep):
    name = "init-law"
    title = "Loss of a DCN during its training, on random VGG16 of four laws, Conv2"
    reproduces = "Fig. 2 (c)"
    printed = "The four laws with appropriate parameters acquire similar loss."
    cost = {"smoke": "15 s", "laptop": "3 min on 2 cores", "paper": "not measured"}
    settings = {
        "smoke": TrainingSettings(**SMOKE),
        "laptop": TrainingSettings(**LAPTOP),
        "paper": TrainingSettings(**PAPER),
    }
    columns = ("law", "std", "network", *COURSE_COLUMNS)
    lines, label, varied = ("law", "std"), "{}, std {:.4f}", "law of its weights"

    def cells(self, settings: TrainingSettings) -> list[Cell]:
        return [
            {"law": law, "std": round(std, 6), "network": network}
            for law, std in PAPER_STDS.items()
            for network in range(settings.networks)
        ]


EXPERIMENT = InitLawExperiment()
