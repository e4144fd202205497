"""The demonstration: two built-in photographs in two built-in styles by every method."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

from apps.quiet import quiet_start

SIDE = 256
SEED = 0
PHOTOGRAPHS = ("chelsea", "rocket")
STYLES = ("starry-swirls", "waves")


def main(argv: list[str]) -> int:
    """Write the demonstration's pictures and their contact sheet into a folder."""
    if len(argv) != 1:
        print("usage: python -m apps.demo FOLDER", file=sys.stderr)
        return 2
    with quiet_start():
        from rrstyle.config import StyleConfig
        from rrstyle.durable import write_whole
        from rrstyle.examples import example
        from rrstyle.pictures import images
        from rrstyle.pictures.sheets import contact_sheet
        from rrstyle.pipeline import stylize
        from rrstyle.recipes import encode_picture, make_recipe

    folder = Path(argv[0])
    folder.mkdir(parents=True, exist_ok=True)
    base = StyleConfig(side=SIDE)
    configs = {m: replace(base, method=m) for m in get_args(get_type_hints(StyleConfig)["method"])}
    configs["optimise-vgg-random"] = replace(
        base, method="optimise", network="vgg", decoder="random"
    )
    pictures = {n: images.Picture(example(n), n, ()) for n in (*PHOTOGRAPHS, *STYLES)}
    started, rows, captions = time.monotonic(), [], []
    for photograph in PHOTOGRAPHS:
        for style in STYLES:
            content, painting = pictures[photograph], pictures[style]
            row = [
                images.resize(p.pixels, images.fit_within(p.pixels.shape[:2], SIDE))
                for p in (content, painting)
            ]
            for name, config in configs.items():
                image = stylize(content.pixels, painting.pixels, config, seed=SEED)
                recipe = make_recipe(config, SEED, content, painting)
                path = folder / f"{photograph}-{style}-{name}.png"
                write_whole(path, encode_picture(image, recipe), overwrite=True)
                seconds = time.monotonic() - started
                print(f"{seconds:5.0f} s  {path}", flush=True)
                row.append(image)
            rows.append(row)
            captions.append([photograph, style, *configs])
    sheet = folder / "contact-sheet.png"
    write_whole(sheet, images.encode_png(contact_sheet(rows, captions)), overwrite=True)
    print(f"\nAll pictures side by side: {sheet}")
    print("The app, with your own pictures: make app, then open http://127.0.0.1:7860")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
