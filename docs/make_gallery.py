"""Draw docs/gallery.png, the README's gallery: `make gallery`, about two minutes on two cores."""

from pathlib import Path

from rrstyle import StyleConfig, example, variants
from rrstyle.durable import write_whole
from rrstyle.pictures.images import encode_png, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet

SIDE = 320
PAIRS = (
    ("astronaut", "starry-swirls"),
    ("rocket", "woodcut"),
    ("coffee", "stained-glass"),
    ("chelsea", "brush-strokes"),
)
SEEDS = 3


def main() -> None:
    """Paint every pair by every seed and write the sheet beside this file."""
    rows, captions = [], []
    for photograph, style in PAIRS:
        content, painting = example(photograph), example(style)
        inputs = [resize(x, fit_within(x.shape[:2], SIDE)) for x in (content, painting)]
        found = variants(content, painting, StyleConfig(side=SIDE), n=SEEDS, seed=0)
        pictures = {f"seed {v.seed}": v.image for v in found}
        height = inputs[0].shape[0]
        square = resize(inputs[1], (height, height))
        rows.append([inputs[0], square, *pictures.values()])
        captions.append([photograph, style, *pictures])
    path = Path(__file__).with_name("gallery.png")
    write_whole(path, encode_png(contact_sheet(rows, captions)), overwrite=True)
    print(path.name)


if __name__ == "__main__":
    main()
