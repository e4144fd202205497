"""`rrstyle reconstruct`: what a CNN and a DCN give back of a picture, and how alike."""

import math

import numpy as np

from apps.batch.inputs import find_pictures
from apps.batch.outputs import choose_place, refusal
from apps.options.checks import check_least, refuse_beside_run
from apps.options.commands import Reconstruct
from apps.quiet import quiet_start
from rrstyle.config import NetworkConfig
from rrstyle.durable import write_whole
from rrstyle.pictures.images import encode_png, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet


def run(command: Reconstruct) -> None:
    """Writes the panel and prints the numbers.

    Raises:
        ValueError: If an option or the picture is wrong.
        OSError: If a file cannot be read or written.
    """
    config = command.network
    if command.decoder is not None:
        refuse_beside_run(config, NetworkConfig(), seed=command.seed)
    check_least("seed", command.seed, 0)
    check_least("side", command.side, 16)
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
        from recon import metrics, reconstruction
        from recon.training.run import load_run

    if command.decoder is None:
        found = reconstruction.reconstruct(image, config, seed=command.seed)
        back, kind = {"random": found.random, "ridge": found.ridge}, "readout"
        by = f"{config.law} weights, seed {command.seed}"
    else:
        pair = load_run(command.decoder, best=True)
        config = pair.config
        back, kind = {"trained": reconstruction.reconstruct_trained(image, pair)}, "DCN"
        by = f"{pair.about['weights']} weights, DCN trained for {pair.about['step']} steps"
    scores = {}
    for name, result in back.items():
        both = [metrics.luminance(x[None]) for x in (image, result)]
        scores[name] = _shown(metrics.ssim(*both)[0]), _shown(metrics.pearson(*both)[0])
    captions = [picture.name] + [
        f"{name} {kind}\nSSIM {ssim}\nPearson {pearson}" for name, (ssim, pearson) in scores.items()
    ]
    sheet = contact_sheet([[image, *back.values()]], [captions])
    write_whole(command.output, encode_png(sheet), overwrite=command.overwrite)
    height, width = image.shape[:2]
    print(
        f"{picture.name}, {width} x {height}, by {config.architecture} up to {config.layer}"
        f" ({config.tap}), {by}"
    )
    for note in picture.notes:
        print(note)
    print(f"{kind:10}{'SSIM':>10}{'Pearson':>10}")
    for name, (ssim, pearson) in scores.items():
        print(f"{name:10}{ssim:>10}{pearson:>10}")
    print(f"SSIM: {metrics.SSIM_SETTINGS}; Pearson: {metrics.PEARSON_SETTINGS}")
    print(f"written to {command.output}")


def _shown(value: np.floating | float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"
