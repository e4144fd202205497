"""Transparency of files: composited on white, kept beside the pixels, refused where all is."""

import struct

import numpy as np
import pytest

from rrstyle.pictures.images import ImageError, read_image, to_uint8
from tests.support import bad_images as bad


def transparent_files():
    palette = bad.plain("P", 0)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((1, 0), 1)
    palette_alpha = palette.copy()
    palette_alpha.putalpha(51)
    key = bad.chunk(b"tRNS", b"\0\0")
    key16 = bad.chunk(b"tRNS", struct.pack(">H", 257))
    colour_key16 = bad.chunk(b"tRNS", struct.pack(">HHH", 257, 257, 257))
    grey = np.array([[257, 514]], np.uint16)
    return {  # file -> first pixel
        "RGBA": (bad.saved(bad.plain("RGBA", (255, 0, 0, 51)), "PNG"), [1, 0.8, 0.8]),
        "RGBA WebP": (
            bad.saved(bad.plain("RGBA", (255, 0, 0, 51)), "WEBP", lossless=True),
            [1, 0.8, 0.8],
        ),
        "LA": (bad.saved(bad.plain("LA", (0, 51)), "PNG"), [0.8, 0.8, 0.8]),
        "PA": (bad.saved(palette_alpha, "TIFF"), [1, 0.8, 0.8]),
        "P index": (bad.saved(palette, "PNG", transparency=0), [1, 1, 1]),
        "P alphas": (bad.saved(palette, "PNG", transparency=b"\x33\xff"), [1, 0.8, 0.8]),
        "1 bit": (bad.png(8, 1, b"\0\x0f", depth=1, extra=key), [1, 1, 1]),
        "2 bits": (bad.png(4, 1, b"\0\x1b", depth=2, extra=key), [1, 1, 1]),
        "RGB key": (
            bad.png(2, 1, b"\0\1\2\3\4\5\6", colour=2, extra=bad.chunk(b"tRNS", b"\0\1\0\2\0\3")),
            [1, 1, 1],
        ),
        "16-bit key": (bad.png16(grey, extra=key16), [1, 1, 1]),
        "16-bit RGB key": (
            bad.png16(np.stack([grey] * 3, axis=-1), extra=colour_key16),
            [1, 1, 1],
        ),
        "16-bit LA": (bad.png16(np.array([[[0, 0], [0, 65535]]], np.uint16)), [1, 1, 1]),
        "npy": (bad.npy(np.array([[[1.0, 0.0, 0.0, 0.2]]])), [1, 0.8, 0.8]),
    }


@pytest.mark.parametrize("case", transparent_files())
def test_transparency_is_composited_on_white(case):
    data, expected = transparent_files()[case]
    picture = read_image(data)
    np.testing.assert_allclose(picture.pixels[0, 0], expected, atol=1e-6)
    assert "transparency composited on white" in picture.notes
    assert picture.alpha is not None
    assert picture.alpha.shape == picture.pixels.shape[:2]
    assert 0 <= picture.alpha.min() < 1


def test_a_fully_transparent_picture_is_refused():
    data = bad.saved(bad.plain("RGBA", (255, 0, 0, 0)), "PNG")
    with pytest.raises(ImageError, match="must not be fully transparent; received 4 x 3"):
        read_image(data, name="ghost.png")


def test_a_two_bit_grey_key_hides_its_own_shade_only():
    # Shades 0, 1/3, 2/3, 1 with 2/3 transparent: Pillow compares the unscaled key 2 and hides none.
    data = bad.png(4, 1, b"\0\x1b", depth=2, extra=bad.chunk(b"tRNS", b"\0\2"))
    np.testing.assert_allclose(read_image(data).pixels[0, :, 0], [0, 1 / 3, 1, 1], atol=1e-6)


def test_an_opaque_alpha_is_no_news():
    picture = read_image(bad.saved(bad.plain("RGBA", (1, 2, 3, 255)), "PNG"))
    np.testing.assert_array_equal(to_uint8(picture.pixels)[0, 0], [1, 2, 3])
    assert picture.notes == ()
