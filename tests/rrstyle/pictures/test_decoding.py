"""Every odd file of docs/inputs, and what pixels the good ones give."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, ImageOps

from rrstyle.pictures import decoding
from rrstyle.pictures.images import ImageError, encode_png, read_image, to_uint8
from tests.support import bad_images as bad

DAMAGED = "incomplete or damaged"
FOREIGN = "not a PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF image"
KINDS = ("PNG", "JPEG", "WEBP", "HEIC", "AVIF", "GIF", "BMP", "TIFF")


def refusal(data, name="odd.png"):
    """The line with which a file is refused."""
    with pytest.raises(ImageError) as caught:
        read_image(data, name=name)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{name}: ")
    assert "; received " in line
    return line


def first_pixel(data):
    return read_image(data).pixels[0, 0].tolist()


# Files that are refused


@pytest.mark.parametrize("kind", bad.TEXTS)
def test_what_is_no_picture_is_refused_and_never_echoed(kind):
    line = refusal(bad.TEXTS[kind])
    assert FOREIGN in line
    for word in ("hello", "script", "alert", "echo", "obj"):
        assert word not in line


def test_a_video_is_refused():
    assert FOREIGN in refusal(b"\0\0\0\x18ftypisom" + b"\0\0\2\0isommp41" + bytes(40))


def test_a_plugin_outside_the_list_is_never_reached():
    with Image.open(io.BytesIO(bad.saved(bad.plain(), "PPM"))) as im:
        assert im.format == "PPM"  # Pillow would
    assert FOREIGN in refusal(bad.saved(bad.plain(), "PPM"))


def damaged_files():
    whole = {kind: bad.saved(Image.fromarray(bad.noise(20, 20, seed=1)), kind) for kind in KINDS}
    cases = {f"half a {kind}": data[: len(data) // 2] for kind, data in whole.items()}
    cases |= {f"magic of {kind}": data[:16] for kind, data in whole.items()}
    png = whole["PNG"]
    pixels = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[pixels - 4 : pixels])
    cases["header only"] = bad.png_header_only(4, 4)
    cases["bad checksum of the pixels"] = (
        png[: pixels + 4 + length] + b"oops" + png[pixels + 8 + length :]
    )
    cases["no pixel data"] = png[: pixels - 4] + png[-12:]
    cases["no end"] = png[:-12]
    cases["unknown depth"] = bad.png(1, 1, b"\0\0", depth=7)
    cases["npy cut short"] = bad.npy(np.zeros((4, 4)))[:-1]
    cases["npy header cut short"] = bad.npy(np.zeros((4, 4)))[:20]
    cases["npy version 3"] = b"\x93NUMPY\x03\x00" + bytes(40)
    header = b"(" * 3000
    cases["npy nested"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    cases["text bomb"] = bad.png(
        1,
        1,
        b"\0\0",
        extra=bad.chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**21))),
    )
    return cases


@pytest.mark.parametrize(("case", "data"), damaged_files().items(), ids=lambda v: str(v)[:30])
def test_damage_is_named(case, data):
    assert DAMAGED in refusal(data)


@pytest.mark.parametrize(
    ("width", "height"), [(0, 10), (10, 0), (60000, 60000), (12000, 12000), (8001, 8000)]
)
def test_size_is_refused_before_decoding_with_the_size_found(width, height):
    assert f"received {width} x {height}" in refusal(bad.png_header_only(width, height))


def test_81_megapixels_in_few_bytes_pass_pillow_and_are_refused_here():
    data = bad.bomb(9000, 9000)
    assert len(data) < 20_000
    assert Image.MAX_IMAGE_PIXELS > 81_000_000
    assert "1 to 64000000 pixels in all; received 9000 x 9000" in refusal(data)


def test_every_decoder_meets_the_cap(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 11)
    for kind in KINDS:
        assert "received 4 x 3" in refusal(bad.saved(bad.plain(), kind))
    assert "received 4 x 3" in refusal(bad.npy(np.zeros((3, 4))))


def test_jpeg_header_beyond_pillows_own_guard():
    data = bad.saved(bad.plain(), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    huge = data[:at] + struct.pack(">HH", 60000, 60001) + data[at + 4 :]
    assert "received 60001 x 60000" in refusal(huge)


def test_gif_headers_beyond_pillows_own_guard():
    data = bad.saved(bad.plain(), "GIF")
    frame = data.index(b"\x2c") + 5
    for at, side in ((6, 60000), (frame, 9000)):  # the screen, and a frame that is larger than it
        huge = data[:at] + struct.pack("<HH", side, side) + data[at + 4 :]
        assert f"received {side} x {side}" in refusal(huge)


def test_pillows_globals_are_left_alone():
    assert Image.MAX_IMAGE_PIXELS == 89478485
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.5, 1.5])
def test_float_tiff_and_npy_must_be_finite_and_in_range(value):
    values = np.array([[0.0, value], [0.5, 1.0]], np.float32)
    for data in (bad.saved(Image.fromarray(values), "TIFF"), bad.npy(values)):
        line = refusal(data)
        assert "finite and in [0, 1]" in line
        assert f"{value:g}" in line


def test_npy_of_objects_is_refused_without_unpickling():
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    assert "objects" in refusal(bad.npy(np.array([[Trap()]], dtype=object)))


def test_npy_header_of_a_huge_shape_allocates_nothing():
    assert "received 1000000 x 1000000" in refusal(bad.npy_header_only((1_000_000, 1_000_000, 3)))
    assert DAMAGED in refusal(bad.npy_header_only((10**12,)))
    assert DAMAGED in refusal(bad.npy_header_only((7000, 7000, 3)))


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2), np.int64), np.zeros(4), np.zeros((2, 2, 5)), np.zeros((1, 2, 2, 3))]
)
def test_npy_of_another_shape_or_type_is_refused(array):
    assert "not a picture" in refusal(bad.npy(array))


def test_lab_is_refused_by_name():
    assert "colour space is not supported; save it as RGB; received LAB" in refusal(
        bad.saved(Image.new("LAB", (2, 2)), "TIFF")
    )


def test_32_bit_integers_must_fit_16():
    values = np.array([[0, 70000]], "<i4")
    assert "0 to 70000" in refusal(bad.tiff(values, bits=32, sample_format=2))


# Files that work


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_slivers_are_read(size):
    picture = read_image(bad.saved(bad.plain(size=size), "PNG"))
    assert picture.pixels.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "HEIC", "AVIF"])
def test_lossless_files_are_exact(kind):
    pixels = bad.noise(5, 7, seed=2)
    image = Image.fromarray(pixels)
    picture = read_image(bad.saved(image, kind, **bad.LOSSLESS.get(kind, {})))
    np.testing.assert_allclose(to_uint8(picture.pixels), pixels, atol=2 * (kind == "AVIF"))
    assert picture.pixels.dtype == np.float32
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    assert picture.notes == ()


def test_16_bit_png_and_tiff_are_rescaled_by_257():
    ramp = np.array([[0, 257, 32768, 65535]], np.uint16)
    expected = [0, 1 / 255, 32768 / 65535, 1]
    for data in (bad.png16(ramp), bad.tiff(ramp, bits=16)):
        picture = read_image(data)
        np.testing.assert_allclose(picture.pixels[0, :, 0], expected, atol=1e-7)
        assert picture.notes == ("16-bit values rescaled",)


def test_16_bit_big_endian_and_signed_tiff():
    big = bad.saved(Image.new("I;16B", (1, 1), 32768), "TIFF")
    np.testing.assert_allclose(first_pixel(big), 32768 / 65535, atol=1e-7)
    wide = bad.tiff(np.array([[0, 65535]], "<i4"), bits=32, sample_format=2)
    np.testing.assert_array_equal(read_image(wide).pixels[0, :, 0], [0, 1])


def test_16_bit_white_is_zero_and_12_bit_tiff_are_refused():
    # Pillow would give a negative of one and a picture that is too dark of the other.
    ramp = np.array([[0, 65535]], np.uint16)
    for odd in (bad.tiff(ramp, bits=16, white_is_zero=True), bad.tiff(ramp, bits=12)):
        assert "this kind of TIFF is not supported; save it as PNG" in refusal(odd)


def test_16_bit_colour_keeps_8_bits_and_says_so():
    values = np.array([[[0, 257, 65535], [32768, 32767, 1]]], np.uint16)
    picture = read_image(bad.png16(values))
    np.testing.assert_array_equal(to_uint8(picture.pixels), values >> 8)
    assert picture.notes == ("16-bit colour read at 8 bits a channel",)


@pytest.mark.parametrize(
    ("mode", "colour", "kind", "expected"),
    [
        ("L", 51, "PNG", [0.2, 0.2, 0.2]),
        ("1", 1, "PNG", [1, 1, 1]),
        ("P", 0, "PNG", [1, 0, 0]),
        ("CMYK", (0, 255, 255, 0), "TIFF", [1, 0, 0]),
        ("CMYK", (0, 0, 0, 0), "JPEG", [1, 1, 1]),
        ("L", 0, "JPEG", [0, 0, 0]),
    ],
)
def test_other_modes_work_as_rgb(mode, colour, kind, expected):
    image = bad.plain(mode, colour)
    if mode == "P":
        image.putpalette([255, 0, 0, 0, 255, 0])
    picture = read_image(bad.saved(image, kind))
    np.testing.assert_allclose(picture.pixels, np.broadcast_to(expected, (3, 4, 3)), atol=1e-6)
    assert picture.notes == ()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "AVIF", "HEIC"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_does(kind, orientation):
    shades = np.array([[0, 50, 100], [150, 200, 250]], np.uint8)
    pixels = np.repeat(shades[..., None], 3, axis=2)
    with Image.open(io.BytesIO(bad.oriented(pixels, orientation, "PNG"))) as im:
        expected = np.asarray(ImageOps.exif_transpose(im))
    found = to_uint8(read_image(bad.oriented(pixels, orientation, kind)).pixels)
    np.testing.assert_allclose(found, expected, atol=0 if kind in ("PNG", "TIFF") else 2)
    if orientation == 6:  # by hand: a quarter turn clockwise
        by_hand = [[150, 0], [200, 50], [250, 100]]
        np.testing.assert_allclose(found[..., 0], by_hand, atol=2)


def test_an_unreadable_exif_leaves_the_picture():
    data = bad.saved(bad.plain(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_image(data).pixels.shape == (3, 4, 3)


def display_p3():
    """The sRGB profile with the primaries of Display P3: its tags are big-endian 16.16 numbers."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "P3  ".encode("utf-16-be"))
    for tag, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), P3_TO_XYZ.T, strict=True):
        at = struct.unpack_from(">I", profile, profile.index(tag) + 4)[0] + 8
        numbers = struct.pack(">3i", *np.rint(xyz * 65536).astype(int).tolist())
        profile = profile[:at] + numbers + profile[at + 12 :]
    return profile


# Under D50, as profiles have it: the columns are red, green and blue.
P3_TO_XYZ = np.array([[0.5151, 0.292, 0.1571], [0.2412, 0.6922, 0.0666], [-0.001, 0.0419, 0.7841]])
XYZ_TO_SRGB = np.array(
    [[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.229, 1.4052]]
)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "HEIC", "AVIF", "TIFF"])
def test_a_wide_gamut_is_converted_to_srgb(kind):
    colour = np.array([0.6, 0.4, 0.3])
    linear = XYZ_TO_SRGB @ P3_TO_XYZ @ ((colour + 0.055) / 1.055) ** 2.4
    expected = 1.055 * linear ** (1 / 2.4) - 0.055
    image = bad.plain(colour=tuple(np.rint(colour * 255).astype(int).tolist()))
    picture = read_image(bad.saved(image, kind, icc_profile=display_p3()))
    assert abs(expected - colour).max() > 0.02
    np.testing.assert_allclose(picture.pixels[0, 0], expected, atol=3 / 255)
    assert picture.notes == ("colours converted to sRGB",)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_srgb_and_unfit_profiles_leave_the_colours(mode):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profiles = [b"odd", srgb] if mode == "RGB" else [b"odd", srgb, display_p3()]
    image = Image.fromarray(bad.noise(4, 3, seed=1)).convert(mode)
    bare = read_image(bad.saved(image, "TIFF"))
    for profile in profiles:
        picture = read_image(bad.saved(image, "TIFF", icc_profile=profile))
        np.testing.assert_array_equal(picture.pixels, bare.pixels)
        assert picture.notes == ()


def test_metadata_does_not_reach_the_output():
    exif = Image.Exif()
    exif[0x010F] = "secret maker"
    data = bad.saved(bad.plain(), "JPEG", exif=exif, comment=b"secret")
    assert b"secret" not in encode_png(read_image(data).pixels)


@pytest.mark.parametrize(
    ("kind", "options", "count"),
    [
        ("PNG", {}, "3"),
        ("PNG", {"default_image": True}, "3"),
        ("WEBP", {"lossless": True}, "3"),
        ("TIFF", {}, "several"),
        ("GIF", {}, "several"),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, "3"),
        ("MPO", {"quality": 100, "subsampling": 0}, "3"),
    ],
)
def test_animation_gives_its_first_frame_and_a_note(kind, options, count):
    picture = read_image(bad.animated(kind, **options))
    np.testing.assert_allclose(picture.pixels[0, 0], [1, 0, 0], atol=0.01)
    assert picture.notes == (f"first of {count} frames used",)


def test_a_jpeg_with_a_zip_behind_it_works():
    data = bad.saved(bad.plain(), "JPEG")
    zipped = data + b"PK\x03\x04" + bytes(100)
    np.testing.assert_array_equal(read_image(zipped).pixels, read_image(data).pixels)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2"])
def test_npy_of_floats_is_read(dtype):
    array = np.array([[0, 0.5], [0.25, 1]], dtype)
    picture = read_image(bad.npy(np.asfortranarray(array)))
    np.testing.assert_array_equal(picture.pixels[..., 1], array)


def test_float_tiff_is_read():
    values = np.array([[0, 0.25, 1]], np.float32)
    picture = read_image(bad.saved(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(picture.pixels[0, :, 2], values[0])
