"""A painter that has learnt nothing, small enough for tests, and photographs to learn from."""

from pathlib import Path

import numpy as np

from rrstyle.config import NetworkConfig, PainterConfig
from rrstyle.examples import example
from rrstyle.painters.network import painter_model
from rrstyle.painters.painter import save_painter
from rrstyle.pictures.images import digest, encode_png, resize

CONFIG = PainterConfig(
    network=NetworkConfig(channels=4, kernel=3, decoder_activation="leaky_relu"), width=4, blocks=1
)
STYLE = resize(example("waves"), (64, 64))
TILES = np.stack([STYLE, STYLE[::-1]])
PHOTOGRAPH = resize(example("chelsea"), (40, 56))


def write_painter(folder: Path, *, seed: int = 0) -> Path:
    """A painter in a new folder, with weights that are not those it starts from."""
    model = painter_model(CONFIG, TILES, [STYLE], seed=seed)
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.02, variable.shape).astype(np.float32))
    folder.mkdir(parents=True)
    style = {"name": "waves", "digest": digest(STYLE)}
    save_painter(folder, model, STYLE, {"style": style, "seed": seed})
    return folder


def write_photographs(folder: Path, count: int = 3) -> Path:
    """Photographs of 64 x 80 pixels in a new folder."""
    folder.mkdir()
    for name in ("chelsea", "coffee", "astronaut")[:count]:
        picture = resize(example(name), (64, 80))
        (folder / f"{name}.png").write_bytes(encode_png(picture))
    return folder
