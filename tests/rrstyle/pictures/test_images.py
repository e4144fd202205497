"""Arrays checked and resized, pictures through PNG and back, and fuzz."""

import hashlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from rrstyle.pictures.images import (
    ImageError,
    as_image,
    digest,
    encode_png,
    fit_within,
    read_image,
    read_png_text,
    resize,
    to_uint8,
)
from tests.support import bad_images as bad

DAMAGED = "incomplete or damaged"

# Arrays


def test_as_image_by_hand():
    grey = np.array([[0, 51], [102, 255]], np.uint8)
    expected = np.repeat(np.array([[0, 0.2], [0.4, 1]], np.float32)[..., None], 3, axis=2)
    for array in (grey, grey[..., None], np.stack([grey] * 3, -1), expected.astype(np.float64)):
        image = as_image(array)
        np.testing.assert_array_equal(image, expected)
        assert image.dtype == np.float32
        assert image.flags.c_contiguous
    source = expected.copy()
    as_image(source)[:] = 0
    np.testing.assert_array_equal(source, expected)  # a new array, always


def test_alpha_over_white_by_hand():
    rgba = np.array([[[0, 0, 0, 0], [0, 0, 0, 51], [255, 0, 51, 255]]], np.uint8)
    np.testing.assert_allclose(
        as_image(rgba)[0], [[1, 1, 1], [0.8, 0.8, 0.8], [1, 0, 0.2]], atol=1e-7
    )


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 4, 3)),
        np.zeros((4, 4, 2)),
        np.zeros((2, 2), bool),
        np.zeros((2, 2), complex),
        np.full((2, 2), 2.0),
        np.full((2, 2), np.nan),
        np.full((2, 2), 1e300),
        None,
        "text",
    ],
)
@pytest.mark.parametrize("function", [as_image, to_uint8, encode_png])
def test_unfit_arrays_are_refused_by_name(array, function):
    with pytest.raises(ValueError, match=r"^image: .*; received "):
        function(array)
    with pytest.raises(ValueError, match=r"^style: "):
        as_image(array, argument="style")


def test_to_uint8_rounds_halves_to_even():
    halves = np.array([[0.5, 1.0, 0.0]])  # 127.5 -> 128
    np.testing.assert_array_equal(to_uint8(halves)[0, :, 0], [128, 255, 0])


def test_digest_tells_pixels_and_shapes_apart():
    image = as_image(bad.noise(2, 6, seed=3))
    assert digest(image) == digest(image.copy())
    assert digest(image) == digest(np.asfortranarray(image).astype(">f4"))
    assert digest(image) != digest(image.reshape(6, 2, 3))
    assert digest(image) != digest(1 - image)
    assert digest(np.zeros((1, 1, 3))) == digest(-np.zeros((1, 1, 3)))
    assert len(digest(image)) == 64
    # By hand, so that an identity noted down today is found again later.
    expected = hashlib.sha256(b"(1, 1, 3)" + struct.pack("<3f", 0, 0.5, 1)).hexdigest()
    assert digest(np.array([[[0, 0.5, 1]]], np.float32)) == expected


def test_fit_within_by_hand():
    assert fit_within((1280, 1920), 256) == (171, 256)
    assert fit_within((1920, 1280), 256) == (256, 171)
    assert fit_within((3, 3), 7) == (7, 7)
    assert fit_within((1, 4000), 256) == (1, 256)
    for shape, side in (((0, 4), 5), ((4, 4), 0), ((4, -1), 5)):
        with pytest.raises(ValueError, match="received"):
            fit_within(shape, side)


@given(
    st.tuples(st.integers(1, 10**5), st.integers(1, 10**5)),
    st.integers(1, 10**4),
)
def test_fit_within_keeps_the_aspect(shape, side):
    height, width = fit_within(shape, side)
    assert max(height, width) == side
    assert min(height, width) >= 1
    for new, old in zip((height, width), shape, strict=True):
        assert new == 1 or abs(new - old * side / max(shape)) <= 0.5 + 1e-6


# Resizing


def test_a_matching_size_is_the_input_itself():
    image = as_image(bad.noise(4, 5, seed=4))
    assert resize(image, (4, 5)) is image


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (17, 9), (40, 60)])
def test_a_constant_stays_constant(size):
    out = resize(np.full((23, 31, 3), 0.3, np.float32), size)
    assert out.shape == (*size, 3)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, 0.3, atol=1e-6)


def test_a_ramp_halved_stays_a_ramp():
    # Pixel i stands at (i + 1/2) / n: inside, the halved ramp is the mean of each pair.
    ramp = as_image(np.broadcast_to(np.linspace(0, 1, 64)[None, :], (8, 64)))
    out = resize(ramp, (4, 32))[2, :, 0]
    np.testing.assert_allclose(out[4:-4], ramp[0, :, 0].reshape(32, 2).mean(1)[4:-4], atol=1e-6)


@pytest.mark.parametrize("size", [(9, 40), (37, 53), (100, 3), (1, 1)])
def test_resize_equals_pillows_lanczos(size):
    image = as_image(bad.noise(37, 41, seed=5))
    channels = [
        np.asarray(Image.fromarray(image[..., c]).resize(size[::-1], Image.Resampling.LANCZOS))
        for c in range(3)
    ]
    expected = np.clip(np.stack(channels, axis=-1), 0, 1)
    np.testing.assert_allclose(resize(image, size), expected, atol=2e-6)


def test_resize_does_not_alias():
    stripes = as_image(np.tile([0.0, 1.0], (60, 60)))
    np.testing.assert_allclose(resize(stripes, (15, 30))[5:10, 5:25], 0.5, atol=0.02)


def test_resize_clips_the_overshoot_of_an_edge():
    edge = as_image(np.repeat([[0.0, 1.0]], 8, axis=1).repeat(4, axis=0))
    out = resize(edge, (16, 64))
    assert out.min() == 0
    assert out.max() == 1


def test_resize_refuses():
    image = np.zeros((4, 4, 3), np.float32)
    for size in ((0, 4), (10**5, 10**5)):
        with pytest.raises(ValueError, match=r"size .* received"):
            resize(image, size)
    with pytest.raises(ValueError, match=r"image .* received"):
        resize(image[..., 0], (2, 2))


# PNG out, and its texts


@settings(deadline=None, max_examples=40)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_round_trip_is_exact(pixels):
    picture = read_image(encode_png(pixels))
    np.testing.assert_array_equal(to_uint8(picture.pixels), pixels)
    np.testing.assert_array_equal(picture.pixels, as_image(pixels))


def test_alpha_is_written_at_the_size_of_the_picture():
    alpha = np.array([[0.0, 0.2], [0.6, 1.0]])
    picture = read_image(encode_png(np.zeros((2, 2, 3)), alpha=alpha))
    np.testing.assert_allclose(picture.alpha, alpha, atol=1e-6)
    larger = read_image(encode_png(np.zeros((4, 6, 3)), alpha=alpha))
    assert larger.alpha.shape == (4, 6)
    np.testing.assert_allclose(larger.alpha[[0, -1], [0, -1]], [0, 1], atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50))
def test_texts_return(text):
    data = encode_png(np.zeros((1, 1, 3)), text={"rrstyle": text, "other": "x"})
    assert read_png_text(data, "rrstyle") == text
    assert read_png_text(data, "other") == "x"
    assert read_png_text(data, "absent") is None


def test_texts_of_every_chunk_kind():
    packed = zlib.compress("café".encode("latin-1"))
    extra = (
        bad.chunk(b"tEXt", "a\0café".encode("latin-1"))
        + bad.chunk(b"zTXt", b"b\0\0" + packed)
        + bad.chunk(b"iTXt", b"c\0\1\0fr\0titre\0" + zlib.compress("café ✓".encode()))
    )
    data = bad.png(1, 1, b"\0\0", extra=extra)
    assert [read_png_text(data, key) for key in "abc"] == ["café", "café", "café ✓"]
    read_image(data)


def test_unfit_texts_are_refused_on_writing():
    image = np.zeros((1, 1, 3))
    for text in ({"": "x"}, {"k" * 80: "x"}, {"é": "x"}, {" k": "x"}, {"a\nb": "x"}):
        with pytest.raises(ValueError, match=r"keywords .* received"):
            encode_png(image, text=text)
    for value in ("a\0b", "\ud800", "x" * (2**20 + 1)):
        with pytest.raises(ValueError, match=r"text must be .* received"):
            encode_png(image, text={"k": value})


def test_unfit_texts_are_refused_on_reading():
    long = {
        "too long; at most 1048576 characters": bad.chunk(b"tEXt", b"k\0" + bytes(2**20 + 1)),
        DAMAGED: bad.chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**24))),
    }
    for words, extra in long.items():
        with pytest.raises(ImageError, match=words):
            read_png_text(bad.png(1, 1, b"\0\0", extra=extra), "k")
    with pytest.raises(ImageError, match="not a PNG"):
        read_png_text(bad.saved(bad.plain(), "JPEG"), "k")
    with pytest.raises(ImageError, match=DAMAGED):
        read_png_text(encode_png(np.zeros((1, 1, 3)))[:-5], "k")


def test_what_is_no_readable_text_is_none():
    for body in (b"k\0\1\0", b"k", b"k\0\0\0\0\0\xff\xfe"):
        extra = bad.chunk(b"iTXt", body)
        assert read_png_text(bad.png(1, 1, b"\0\0", extra=extra), "k") is None
    assert read_png_text(bad.saved(bad.plain(), "PNG", dpi=(72, 72)), "dpi") is None


# Fuzz: an ImageError or a valid picture, nothing else (a warning would be an error here)


def is_picture_or_refused(data):
    try:
        picture = read_image(data)
    except ImageError:
        return False
    assert as_image(picture.pixels).shape == picture.pixels.shape
    return True


def small_files():
    image = Image.fromarray(bad.noise(6, 6, seed=6))
    files = {kind: bad.saved(image, kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF")}
    files["APNG"] = bad.animated("PNG")
    files["JPEG, Exif"] = bad.oriented(bad.noise(4, 4, seed=7), 6, "JPEG")
    files["TIFF, LZW"] = bad.saved(image, "TIFF", compression="tiff_lzw")
    files["npy"] = bad.npy(np.zeros((2, 2, 3), np.float32))
    return files


@pytest.mark.parametrize("kind", small_files())
def test_files_truncated_anywhere(kind):
    data = small_files()[kind]
    for end in range(len(data)):
        whole = is_picture_or_refused(data[:end])
        if kind in ("PNG", "APNG", "npy"):  # only a PNG's end may lack its own checksum
            assert not whole or (kind != "npy" and end >= len(data) - 4)
    assert is_picture_or_refused(data)


@pytest.mark.parametrize("kind", small_files())
def test_files_with_altered_bytes(kind):
    data = small_files()[kind]
    rng = np.random.default_rng(8)
    for _ in range(300):
        altered = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(altered), rng.integers(1, 4))
        altered[places] = rng.integers(0, 256, len(places))
        is_picture_or_refused(altered.tobytes())


@pytest.mark.parametrize("kind", small_files())
def test_random_bytes_behind_every_magic(kind):
    data = small_files()[kind]
    rng = np.random.default_rng(9)
    for kept in (4, 8, 12, 30):
        for _ in range(30):
            is_picture_or_refused(data[:kept] + rng.bytes(rng.integers(0, 200)))


def test_altered_png_with_right_checksums():
    # Checksums stop most damage early; here the decoder itself is reached.
    rng = np.random.default_rng(10)
    for _ in range(300):
        header = bytes(rng.integers(0, 20, 13, dtype=np.uint8))
        text = bad.chunk(
            bytes(rng.choice([b"tEXt", b"eXIf", b"tRNS", b"PLTE", b"acTL"])), rng.bytes(9)
        )
        body = bad.chunk(b"IDAT", zlib.compress(rng.bytes(60)))
        size = struct.pack(">II", *rng.integers(1, 5, 2).tolist())
        depth = bytes(
            [int(rng.choice([1, 2, 4, 8, 16])), int(rng.choice([0, 2, 3, 4, 6])), 0, 0, 0]
        )
        for head in (header, size + depth):
            is_picture_or_refused(
                bad.PNG_MAGIC + bad.chunk(b"IHDR", head) + text + body + bad.chunk(b"IEND", b"")
            )
