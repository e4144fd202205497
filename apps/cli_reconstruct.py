"""`rrstyle reconstruct`: what an untrained CNN and DCN give back of a picture, and how alike."""

import math

import numpy as np

from apps.cli_options import Reconstruct, checked
from apps.inputs import find_pictures
from apps.outputs import choose_place, refusal
from apps.quiet import quiet_start
from rrstyle.config import NetworkConfig
from rrstyle.images import encode_png, fit_within, resize, write_whole
from rrstyle.sheets import contact_sheet


def run_reconstruct(command: Reconstruct) -> None:
    """Writes the panel and prints the numbers.

    Raises:
        ValueError: If an option or the picture is wrong.
        OSError: If a file cannot be read or written.
    """
    config = checked(NetworkConfig, command.network)
    for name, value, least in (("seed", command.seed, 0), ("side", command.side, 16)):
        if value < least:
            raise ValueError(f"{name} must be an integer of at least {least}; received {value}")
    if command.output.suffix.lower() != ".png":
        raise ValueError(f"output must be a .png file; received {command.output.name!r}")
    sources = find_pictures([command.image], argument="image")
    if len(sources) > 1:
        raise ValueError(f"image must be one picture; received a folder of {len(sources)}")
    if reason := refusal(command.output, overwrite=command.overwrite):
        raise FileExistsError(f"{command.output.name}: {reason}")
    choose_place(command.output, 1)
    picture = sources[0].read()
    image = resize(picture.pixels, fit_within(picture.pixels.shape[:2], command.side))

    with quiet_start():  # Keras, late: what is wrong above is told at once
        from recon import metrics
        from recon.reconstruction import reconstruct

    found = reconstruct(image, config, seed=command.seed)
    scores = {}
    for name in ("random", "ridge"):
        pair = [metrics.luminance(x[None]) for x in (found.image, getattr(found, name))]
        scores[name] = _shown(metrics.ssim(*pair)[0]), _shown(metrics.pearson(*pair)[0])
    captions = [picture.name] + [
        f"{name} readout\nSSIM {ssim}\nPearson {pearson}"
        for name, (ssim, pearson) in scores.items()
    ]
    sheet = contact_sheet([[found.image, found.random, found.ridge]], [captions])
    write_whole(command.output, encode_png(sheet), overwrite=command.overwrite)
    height, width = image.shape[:2]
    print(
        f"{picture.name}, {width} x {height}, by {config.architecture} up to {config.layer}"
        f" ({config.tap}), {config.law} weights, seed {command.seed}"
    )
    for note in picture.notes:
        print(note)
    print(f"{'readout':10}{'SSIM':>10}{'Pearson':>10}")
    for name, (ssim, pearson) in scores.items():
        print(f"{name:10}{ssim:>10}{pearson:>10}")
    print(f"SSIM: {metrics.SSIM_SETTINGS}; Pearson: {metrics.PEARSON_SETTINGS}")
    print(f"written to {command.output}")


def _shown(value: np.floating | float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"
