"""Five hundred damaged files of every kind: refused in one line, or read without a fault."""

import re

import numpy as np
import pytest
from PIL import Image

from rrstyle.pictures import decoding, libtiff
from rrstyle.pictures.images import ImageError, read_image
from tests.support import bad_images as bad

NOISE = Image.fromarray(bad.noise(20, 24, seed=1))
WHOLE = {
    **{kind: bad.saved(NOISE, kind) for kind in ("PNG", "JPEG", "WEBP", "HEIC", "AVIF")},
    **{kind: bad.saved(NOISE, kind) for kind in ("GIF", "BMP", "TIFF")},
    **{f"animated {kind}": bad.animated(kind) for kind in ("PNG", "WEBP", "AVIF", "GIF")},
    **{
        f"TIFF by {name}": bad.saved(NOISE, "TIFF", compression=name)
        for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    },
    "TIFF by group4": bad.saved(NOISE.convert("1"), "TIFF", compression="group4"),
    "npy": bad.npy(np.random.default_rng(0).random((8, 9, 3), np.float32)),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_damage_is_refused_in_a_line_or_read_without_a_fault(kind, monkeypatch, capfd):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1_000_000)  # some announce sizes that take seconds
    rng = np.random.default_rng(7)
    read_image(WHOLE[kind])
    refusals = []
    for _ in range(500):
        try:
            pixels = read_image(bad.damaged(WHOLE[kind], rng), name="x").pixels
        except ImageError as error:
            refusals.append(str(error))
        else:
            assert pixels.ndim == 3
            assert 0 <= pixels.min() <= pixels.max() <= 1
    assert len(refusals) > 150  # of the halves, most
    assert all(re.fullmatch(r"x: .+; received .+", line) for line in refusals)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(libtiff._set_handler is None, reason="Pillow hides libtiff here")
def test_what_libtiff_complains_of_is_refused_though_pillow_reads_on():
    whole = WHOLE["TIFF by group4"]
    start = Image.open(bad.io.BytesIO(whole)).tag_v2[273][0]
    bent = whole[:start] + bytes(20) + whole[start + 20 :]
    with pytest.raises(ImageError, match="incomplete or damaged"):
        read_image(bent)
