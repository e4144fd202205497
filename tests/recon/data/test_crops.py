"""Squares cut from files: exact pixels, the quick way against the careful one, odd files."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from recon.data import crops
from recon.data.crops import Cut, read_square
from rrstyle.pictures.images import ImageError, read_image, to_uint8
from tests.rrstyle.pictures.test_decoding import display_p3
from tests.support import bad_images as bad

AS_IT_IS = Cut(3, 10**6)  # pictures with a side of 3 pixels or more are not scaled


@pytest.fixture
def square(tmp_path):
    """Cuts from a file of these bytes."""

    def cut_from(data, cut, *place, flip=False):
        path = tmp_path / "picture.bin"
        path.write_bytes(data)
        return read_square(str(path), cut, *place, flip=flip)

    return cut_from


def careful_square(square, monkeypatch, *arguments):
    with monkeypatch.context() as patch:
        patch.setattr(crops, "_ordinary", lambda data, needed: None)
        return square(*arguments)


def whole_square(square, data):
    """All of a small square picture, as bytes."""
    side = read_image(data).pixels.shape[0]
    return square(data, Cut(side, side))


# Where the square lies


def test_crop_and_flip_by_hand(square):
    # Pixel (y, x) is 10 y + x, in red.
    pixels = np.zeros((3, 5, 3), np.uint8)
    pixels[..., 0] = 10 * np.arange(3)[:, None] + np.arange(5)
    for kind in ("PNG", "BMP"):  # the quick way and the careful one
        data = bad.saved(Image.fromarray(pixels), kind)
        cut = Cut(2, 3)
        assert square(data, cut, 0.0, 0.0)[..., 0].tolist() == [[0, 1], [10, 11]]
        assert square(data, cut, 0.0, 0.0, flip=True)[..., 0].tolist() == [[1, 0], [11, 10]]
        # Four places across and two down: [0, 1/4), ..., [3/4, 1) and [0, 1/2), [1/2, 1).
        assert square(data, cut, 0.249, 0.5)[..., 0].tolist() == [[10, 11], [20, 21]]
        assert square(data, cut, 0.25, 0.499)[..., 0].tolist() == [[1, 2], [11, 12]]
        assert square(data, cut, 1 - 2**-53, 1 - 2**-53)[..., 0].tolist() == [[13, 14], [23, 24]]
        assert square(data, cut)[..., 0].tolist() == [[1, 2], [11, 12]]  # the middle
        assert square(data, cut, flip=True)[..., 0].tolist() == [[2, 1], [12, 11]]


def test_scaled_by_hand():
    papers = Cut(227, 256)
    assert papers.scaled(500, 375) == (341, 256)  # larger: down to 256
    assert papers.scaled(375, 500) == (256, 341)
    assert papers.scaled(240, 300) == (240, 300)  # between: as it is
    assert papers.scaled(100, 50) == (454, 227)  # smaller: up to the crop
    assert papers.scaled(1, 4000) == (227, 908000)
    assert Cut(3, 3).scaled(2, 5) == (3, 8)  # 7.5, halves up


@given(*[st.integers(1, 9000)] * 2, st.integers(1, 300), st.integers(0, 100))
def test_scaled_keeps_the_aspect_and_holds_the_square(width, height, crop, more):
    cut = Cut(crop, crop + more)
    new = cut.scaled(width, height)
    assert cut.crop <= min(new) <= max(cut.resize, cut.crop)
    target = min(new)
    assert max(new) == pytest.approx(target * max(width, height) / min(width, height), abs=0.5)


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.3, 0.9), (1 - 2**-53, 1 - 2**-53), (None, None)])
@pytest.mark.parametrize("size", [(90, 61), (61, 90), (20, 31), (48, 47)])
def test_what_is_cut_equals_the_whole_resized_then_cut(square, size, place):
    image = Image.fromarray(bad.noise(size[1], size[0], seed=1))
    cut = Cut(32, 36)
    width, height = cut.scaled(*size)
    whole = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    left, top = (
        room // 2 if part is None else int(part * (room + 1))
        for room, part in zip((width - 32, height - 32), place, strict=True)
    )
    found = square(bad.saved(image, "PNG"), cut, *place)
    np.testing.assert_allclose(found, whole[top : top + 32, left : left + 32], atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (7, 5)])
def test_small_pictures_are_enlarged(square, size):
    data = bad.saved(bad.plain(colour=(10, 200, 30), size=size), "PNG")
    found = square(data, Cut(9, 12), 0.99, 0.99)
    assert found.shape == (9, 9, 3)
    np.testing.assert_array_equal(found, np.broadcast_to([10, 200, 30], (9, 9, 3)))


# What pixels a file gives


def ordinary_files():
    """Files that are read the quick way, 8 by 8."""
    image = Image.fromarray(bad.noise(8, 8, seed=2))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = {
        "JPEG": bad.saved(image, "JPEG"),
        "progressive JPEG": bad.saved(image, "JPEG", progressive=True),
        "grey JPEG": bad.saved(image.convert("L"), "JPEG"),
        "sRGB JPEG": bad.saved(image, "JPEG", icc_profile=srgb),
        "JPEG, odd profile": bad.saved(image, "JPEG", icc_profile=b"odd"),
        "grey JPEG, its profile": bad.saved(image.convert("L"), "JPEG", icc_profile=display_p3()),
        "JPEG, odd Exif": bad.saved(image, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
        "JPEG, no Exif": bad.saved(image, "JPEG", exif=b"Exif\0\0"),
        "PNG": bad.saved(image, "PNG"),
        "grey PNG": bad.saved(image.convert("L"), "PNG"),
        "sRGB PNG": bad.saved(image, "PNG", icc_profile=srgb),
    }
    for turn in range(10):  # of these, 0 and 9 mean nothing
        files[f"JPEG turned {turn}"] = bad.oriented(bad.noise(8, 8, seed=3), turn, "JPEG")
    return files


@pytest.mark.parametrize("kind", ordinary_files())
def test_the_quick_way_equals_the_careful_one(square, monkeypatch, kind):
    data = ordinary_files()[kind]
    found = whole_square(square, data)
    np.testing.assert_array_equal(found[..., [0, -1]], to_uint8(read_image(data).pixels)[..., ::2])
    for arguments in ((Cut(5, 6), 0.4, 0.6), (Cut(11, 12), 0.4, 0.6), (AS_IT_IS, 0.99, 0.4)):
        quick = square(data, *arguments)
        careful = careful_square(square, monkeypatch, data, *arguments)
        np.testing.assert_array_equal(np.broadcast_to(quick, careful.shape), careful)
    # And it was the quick way.
    monkeypatch.setattr(crops, "decode", None)
    whole_square(square, data)


def odd_files():
    """Files that are read the careful way, 8 by 8."""
    image = Image.fromarray(bad.noise(8, 8, seed=4))
    rgba = image.copy()
    rgba.putalpha(Image.fromarray(bad.noise(8, 8, seed=5)[..., 0]))
    turned = b"<x tiff:Orientation='6'/>".replace(b"'", b'"')
    return {
        "RGBA": bad.saved(rgba, "PNG"),
        "transparent colour": bad.saved(image, "PNG", transparency=tuple(image.getpixel((0, 0)))),
        "CMYK": bad.saved(image.convert("CMYK"), "JPEG"),
        "palette": bad.saved(image.quantize(16), "PNG"),
        "one bit": bad.saved(image.convert("1"), "PNG"),
        "16 bits": bad.png16(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000),
        "floats": bad.npy(np.linspace(0, 1, 192).reshape(8, 8, 3)),
        "WebP": bad.saved(image, "WEBP"),
        "TIFF": bad.saved(image, "TIFF"),
        "animated": bad.saved(image, "PNG", save_all=True, append_images=[image.rotate(90)]),
        "Display P3 JPEG": bad.saved(image, "JPEG", icc_profile=display_p3()),
        "Display P3 PNG": bad.saved(image, "PNG", icc_profile=display_p3()),
        "JPEG turned by XMP": bad.saved(image, "JPEG", xmp=turned),
        "PNG turned": bad.oriented(np.asarray(image), 6, "PNG"),
    }


@pytest.mark.parametrize("kind", odd_files())
def test_other_files_are_read_as_read_image_does(square, kind):
    data = odd_files()[kind]
    expected = to_uint8(read_image(data).pixels)
    np.testing.assert_array_equal(whole_square(square, data), expected)


def smooth(height, width):
    y, x = np.mgrid[:height, :width] / 100
    return np.stack([np.sin(y + x), np.cos(y - 2 * x), np.sin(3 * x)], -1) * 120 + 128


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(("side", "bound"), [(200, 0.0), (80, 1.0), (40, 1.0), (20, 1.0)])
def test_a_large_jpeg_is_shrunk_while_decoding(square, monkeypatch, side, bound, turn):
    # 407 and 601 are no multiples of 2, 4 and 8.
    data = bad.oriented(smooth(601, 407).astype(np.uint8), turn, "JPEG")
    arguments = data, Cut(side, side + side // 8), 0.7, 0.8
    quick = square(*arguments).astype(float)
    careful = careful_square(square, monkeypatch, *arguments)
    assert np.sqrt(np.mean((quick - careful) ** 2)) <= bound  # of 255


# Files that are refused


def damaged_files():
    image = Image.fromarray(bad.noise(64, 64, seed=6))
    files = {f"truncated {kind}": bad.saved(image, kind)[:-500] for kind in ("JPEG", "PNG", "BMP")}
    flipped = bytearray(bad.saved(image, "PNG"))
    flipped[-20] ^= 1
    files |= {"wrong checksum": bytes(flipped), "large": bad.bomb(10_000, 10_000)}
    files["large PNG"] = bad.png(9000, 9000, b"", colour=2)
    return files | bad.TEXTS


@pytest.mark.parametrize("kind", damaged_files())
def test_what_is_no_sound_picture_is_refused(square, kind):
    with pytest.raises(ImageError, match=r"^picture\.bin: .*; received "):
        square(damaged_files()[kind], Cut(4, 4))


def test_missing_files_and_folders_are_named(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(OSError, match=f"^{path.name}: cannot be read, "):
            read_square(str(path), Cut(4, 4))


@pytest.mark.parametrize("kind", ["JPEG", "JPEG turned 6", "PNG"])
def test_altered_files_are_read_or_refused_without_a_warning(square, monkeypatch, kind):
    data = ordinary_files()[kind]
    rng = np.random.default_rng(7)
    outcomes = set()
    for _ in range(300):
        altered = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(altered), rng.integers(1, 4))
        altered[places] = rng.integers(0, 256, len(places))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                assert square(altered.tobytes(), Cut(4, 4)).shape[:2] == (4, 4)
                outcomes.add("read")
            except ImageError:
                outcomes.add("refused")
        assert not caught
    assert outcomes == {"read", "refused"}
