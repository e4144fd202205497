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
from recon.experiments.experiment import Cell, Pictures, Row
from recon.experiments.random.laws import PAPER_STDS
from recon.experiments.sheet import packed, sheet, unpacked
from recon.experiments.trained.cells import (
    PAPER,
    STD,
    TITLES,
    TrainedSweep,
    TrainingSettings,
    half_of,
)

BLOCK = 2  # of the laws


@dataclass(frozen=True, kw_only=True)
class Reconstructions(TrainingSettings):
    shown: int
    """Pictures held out that are given back, the cat first."""
    blocks: tuple[int, ...] = (1, 2, 3, 4, 5)
    """The k of Conv k."""
    stds: tuple[float, ...] = (0.005, 0.1, 1.0)
    """Of Gaussians beside the papers' own."""


def _shown(settings: Reconstructions, cell: Cell) -> range:
    """Which pictures a cell gives back."""
    held_out, _ = half_of(settings.images, int(cell["network"]))
    return range(settings.images)[held_out][: settings.shown]


class PicturesExperiment(TrainedSweep):
    name = "pictures"
    title = (
        "Reconstructions by DCNs trained on random VGG16 and AlexNet, Conv1 to Conv5, and by law"
    )
    reproduces = "Figs. 4 and 6"
    printed = (
        "The deeper the coarser on both; VGG16 more accurate, even at Conv5; the laws cannot"
        " be told apart by eye, except for N(0, 1)."
    )
    cost = {
        "smoke": "20 s",
        "laptop": "5 min on 2 cores",
        "paper": "not measured",
    }
    settings = {
        "smoke": Reconstructions(
            networks=1,
            images=2,
            side=32,
            crop=24,
            batch=2,
            steps=6,
            measured=1,
            channels=8,
            shown=1,
            blocks=(1, 2),
            stds=(1.0,),
        ),
        "laptop": Reconstructions(
            networks=1, images=200, side=64, crop=48, batch=4, steps=160, measured=16, shown=2
        ),
        "paper": Reconstructions(**PAPER | {"networks": 1, "side": 227}, shown=3),
    }
    columns = (
        "architecture",
        "block",
        "law",
        "std",
        "network",
        "image",
        "ssim",
        "psnr",
        "picture",
        "reconstruction",
    )

    def cells(self, settings: Reconstructions) -> list[Cell]:
        laws = [("gaussian", std) for std in settings.stds]
        laws += [(law, std) for law, std in PAPER_STDS.items() if law != "gaussian"]
        return [
            {
                "architecture": architecture,
                "block": block,
                "law": law,
                "std": std,
                "network": network,
            }
            for architecture, block, law, std in (
                *((name, block, "gaussian", STD) for name in TITLES for block in settings.blocks),
                *(("vgg16", BLOCK, law, round(std, 6)) for law, std in laws),
            )
            for network in range(settings.networks)
        ]

    def rows(self, settings: Reconstructions, cell: Cell) -> int:
        return len(_shown(settings, cell))

    def measure(
        self, settings: Reconstructions, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        training = self.training(settings, cell, pictures, seed)
        training.run()
        shown = _shown(settings, cell)
        # In the size trained on: a DCN learns how bright its zero padding leaves the middle.
        squares = training.middle(training.held_out)[: len(shown)]
        truth = squares / np.float32(255)
        back = np.clip(training.trained.reconstruct(squares / np.float32(255)), 0, 1)
        ssim = metrics.ssim(metrics.luminance(truth), metrics.luminance(back))
        rows = []
        for i, psnr in enumerate(metrics.psnr(truth, back)):
            scores = {"ssim": float(ssim[i]), "psnr": float(psnr)}
            picture = packed(truth[i]) if cell == self.cells(settings)[0] else ""  # once is enough
            pictured = {"picture": picture, "reconstruction": packed(back[i])}
            rows.append({**cell, "image": pictures.names[shown[i]], **scores, **pictured})
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        """A line a picture: of each architecture by depth, then by law."""
        first = frame[frame["network"] == frame["network"].min()]
        papers = first[(first["law"] == "gaussian") & (first["std"] == STD)]
        lines = []
        for image, of_image in papers.groupby("image", sort=False):
            named = ("picture", unpacked(of_image["picture"].iloc[0]))
            for architecture, part in of_image.groupby("architecture", sort=False):
                found = [
                    (
                        f"Conv{row.block}, SSIM {row.ssim:.2f}",
                        unpacked(str(row.reconstruction)),
                    )
                    for row in part.itertuples()
                ]
                lines.append((f"{image}\nrandom {TITLES[str(architecture)]}", [named, *found]))
        laws = first[(first["architecture"] == "vgg16") & (first["block"] == BLOCK)]
        for image, part in laws.groupby("image", sort=False):
            found = [
                (
                    f"{row.law} {row.std:.2g}, {row.ssim:.2f}",
                    unpacked(str(row.reconstruction)),
                )
                for row in part.itertuples()
            ]
            lines.append((f"{image}\nVGG16, Conv{BLOCK}", found))
        title = "Pictures held out, given back by trained DCNs; SSIM of luminance"
        return sheet(lines, title=title)


EXPERIMENT = PicturesExperiment()
