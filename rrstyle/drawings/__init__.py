"""Style pictures drawn by code; `rrstyle.examples` is their public face."""

from rrstyle.drawings import painted, printed

# By name. Each takes a side in pixels and the generator of its composition; its docstring is what
# listings say of it.
DRAWINGS = {
    draw.__name__.replace("_", "-"): draw
    for draw in (
        printed.waves,
        printed.mosaic,
        printed.stained_glass,
        painted.brush_strokes,
        painted.hatching,
        printed.marbling,
        printed.woodcut,
        painted.pointillism,
        painted.starry_swirls,
    )
}
