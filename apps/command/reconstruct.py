"""`rrstyle reconstruct`: what a CNN and a DCN give back of a picture, and how alike."""

from apps.batch.inputs import find_pictures
from apps.batch.outputs import choose_place, refusal
from apps.options.checks import check_range, refuse_beside_run
from apps.options.commands import Reconstruct
from apps.quiet import quiet_start
from rrstyle.config import NetworkConfig
from rrstyle.durable import write_whole
from rrstyle.networks.laws import check_seed
from rrstyle.pictures.images import encode_png
from rrstyle.pictures.sheets import contact_sheet


def run(command: Reconstruct) -> None:
    """Writes the panel and prints the numbers."""
    if command.decoder is not None:
        refuse_beside_run(command.network, NetworkConfig(), seed=command.seed)
    check_seed(command.seed)
    check_range("side", command.side, 16, 8192)
    if command.output.suffix.lower() != ".png":
        raise ValueError(f"output must be a .png file; received {command.output.name!r}")
    sources = find_pictures([command.image], argument="image")
    if len(sources) > 1:
        raise ValueError(f"image must be one picture; received a folder of {len(sources)}")
    if reason := refusal(command.output, overwrite=command.overwrite):
        raise FileExistsError(f"{command.output.name}: {reason}")
    choose_place(command.output, 1)
    picture = sources[0].read()
    with quiet_start():  # Keras, late: what is wrong above is reported at once
        from apps.panel import MEASURES, make_panel

    panel = make_panel(
        picture,
        command.network,
        side=command.side,
        seed=command.seed,
        readouts=("random", "ridge") if command.decoder is None else (),
        run=command.decoder,
    )
    scored = [f"{name}\nSSIM {s}\nPearson {p}" for name, (s, p) in panel.scores.items()]
    sheet = contact_sheet([[panel.image, *panel.back.values()]], [[picture.name, *scored]])
    write_whole(command.output, encode_png(sheet), overwrite=command.overwrite)
    height, width = panel.image.shape[:2]
    config = panel.config
    print(
        f"{picture.name}, {width} x {height}, by {config.architecture} up to {config.layer}"
        f" ({config.tap}), {panel.weights}"
    )
    for note in picture.notes:
        print(note)
    print(f"{'readout' if command.decoder is None else 'DCN':10}{'SSIM':>10}{'Pearson':>10}")
    for name, (ssim, pearson) in panel.scores.items():
        print(f"{name.split()[0]:10}{ssim:>10}{pearson:>10}")
    print(MEASURES)
    print(f"written to {command.output}")
