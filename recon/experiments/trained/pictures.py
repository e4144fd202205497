"""What trained DCNs give back of pictures that they were not trained on.

    rrstyle evaluate pictures --images DIR

Random VGG16 and AlexNet at Conv1 to Conv5, and random VGG16 at Conv2 by the law of its weights.
The rows hold the reconstructions: nothing is trained again to draw them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon import metrics
from recon.experiments.experiment import Cell, Pictures, Row, rows_of
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.sheet import packed, sheet, unpacked
from recon.experiments.trained import trainings

BLOCK = 2  # of the laws
_KEYS = ("architecture", "block", "law", "std", "network")


@dataclass(frozen=True, kw_only=True)
class Reconstructions(trainings.TrainingSettings):
    shown: int  # pictures held out that are given back, the cat first
    blocks: tuple[int, ...] = (1, 2, 3, 4, 5)  # the k of Conv k
    stds: tuple[float, ...] = (0.005, 0.1, 1.0)  # of Gaussians beside the papers' own


_LAPTOP = {"networks": 1, "side": 64, "batch": 4, "steps": 160}
_SMALL = trainings.SMOKE | {"images": 2, "side": 32, "crop": 24, "steps": 6, "measured": 1}


class PicturesExperiment(trainings.TrainedSweep):
    name = "pictures"
    title = (
        "Reconstructions by DCNs trained on random VGG16 and AlexNet, Conv1 to Conv5, and by law"
    )
    reproduces = "Figs. 4 and 6 (first version: Figs. 4, 8 and 12)"
    printed = (
        "The deeper the coarser on both; VGG16 more accurate, even at Conv5; the laws cannot"
        " be told apart by eye, except for N(0, 1)."
    )
    settings = {
        "smoke": Reconstructions(**_SMALL, shown=1, blocks=(1, 2), stds=(1.0,)),
        "laptop": Reconstructions(**trainings.LAPTOP | _LAPTOP, shown=2),
        "paper": Reconstructions(**trainings.PAPER | {"networks": 1}, shown=3),
    }
    columns = (*_KEYS, "image", "ssim", "psnr", "picture", "reconstruction")

    def cells(self, settings: Reconstructions) -> list[Cell]:
        laws = [("gaussian", std) for std in settings.stds]
        laws += [(law, round(std, 6)) for law, std in PAPER_STDS.items() if law != "gaussian"]
        points = [
            (name, k, "gaussian", trainings.STD)
            for name in trainings.TITLES
            for k in settings.blocks
        ]
        points += [("vgg16", BLOCK, law, std) for law, std in laws]
        return [
            dict(zip(_KEYS, (*point, network), strict=True))
            for point in points
            for network in range(settings.networks)
        ]

    def rows(self, settings: Reconstructions, cell: Cell) -> int:
        return len(trainings.held_out(settings, cell, settings.shown))

    def measure(
        self, settings: Reconstructions, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        training = self.training(settings, cell, pictures, seed)
        training.run()
        names = [pictures.names[i] for i in trainings.held_out(settings, cell, settings.shown)]
        # In the size trained on: a DCN learns how bright its zero padding leaves the middle.
        truth = training.middle(training.held_out)[: len(names)] / np.float32(255)
        back = np.clip(training.trained.reconstruct(truth), 0, 1)
        ssim = metrics.ssim(metrics.luminance(truth), metrics.luminance(back))
        rows = rows_of(cell, names, ssim=ssim, psnr=metrics.psnr(truth, back))
        first = cell == self.cells(settings)[0]  # pictures are in its rows alone: once is enough
        for row, picture, image in zip(rows, truth, back, strict=True):
            row |= {"picture": packed(picture) if first else "", "reconstruction": packed(image)}
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        """A line a picture: of each architecture by depth, then by law."""
        first = frame[frame["network"] == frame["network"].min()]
        lines = []
        papers = first[(first["law"] == "gaussian") & (first["std"] == trainings.STD)]
        for image, of_image in papers.groupby("image", sort=False):
            named = ("picture", unpacked(of_image["picture"].iloc[0]))
            for architecture, part in of_image.groupby("architecture", sort=False):
                found = _captioned(part, "Conv{block}, SSIM {ssim:.2f}")
                lines.append((f"{image}\nrandom {trainings.TITLES[architecture]}", [named, *found]))
        laws = first[(first["architecture"] == "vgg16") & (first["block"] == BLOCK)]
        for image, part in laws.groupby("image", sort=False):
            found = _captioned(part, "{law} {std:.2g}, {ssim:.2f}")
            lines.append((f"{image}\nVGG16, Conv{BLOCK}", found))
        title = "Pictures held out, given back by trained DCNs; SSIM of luminance"
        return sheet(lines, title=title)


def _captioned(frame: pd.DataFrame, caption: str) -> list[tuple[str, np.ndarray]]:
    rows = frame.to_dict("records")
    return [(caption.format(**row), unpacked(row["reconstruction"])) for row in rows]


EXPERIMENT = PicturesExperiment()
