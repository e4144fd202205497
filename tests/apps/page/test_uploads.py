"""What clients send: only uploads are opened, masks are small pictures."""

import base64
import struct

import numpy as np
import pytest

from apps.page.uploads import MASK_START, offer_example, read_mask, read_upload, upload_path
from rrstyle import examples
from rrstyle.pictures import images


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def address(mask: np.ndarray) -> str:
    png = images.encode_png(np.repeat(mask[:, :, None], 3, axis=2).astype(np.float32))
    return MASK_START + base64.b64encode(png).decode()


def test_an_upload_is_read_by_its_client_s_name(cache):
    pixels = np.random.default_rng(0).random((20, 30, 3), np.float32)
    path = cache / "a" / "picture.png"
    path.parent.mkdir()
    path.write_bytes(images.encode_png(pixels))
    picture = read_upload({"path": str(path), "orig_name": "cat.png"}, "style")
    assert picture.name == "cat.png"
    assert picture.pixels.shape == (20, 30, 3)
    assert upload_path({"path": str(path)}, "style") == (path, "picture.png")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "a.png",
        {},
        {"path": None, "url": "https://example.com/a.png"},
        {"path": "/etc/passwd"},
        {"path": "../secret.png"},
        {"path": "a\0b"},
        {"path": "file:///etc/passwd"},
    ],
)
def test_nothing_else_is_opened(cache, value):
    with pytest.raises(ValueError, match=r"style: (no picture|not an uploaded file)"):
        read_upload(value, "style")


def test_a_link_out_of_the_folder_is_not_followed(cache, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(images.encode_png(np.zeros((20, 20, 3), np.float32)))
    (cache / "link.png").symlink_to(secret)
    with pytest.raises(ValueError, match="not an uploaded file"):
        read_upload({"path": str(cache / "link.png")}, "style")


def test_a_painted_mask_is_white_where_the_style_goes():
    mask = np.zeros((4, 6))
    mask[1, 2:5] = 1
    read = read_mask(address(mask))
    np.testing.assert_array_equal(read, mask)
    assert read.dtype == np.float32


@pytest.mark.parametrize("nothing", [None, "", address(np.zeros((4, 4)))])
def test_without_a_stroke_there_is_no_mask(nothing):
    assert read_mask(nothing) is None


def huge() -> str:
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 60_000, 60_000)
    return MASK_START + base64.b64encode(header + bytes(64)).decode()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "mask must be a PNG"),
        ({"path": "/etc/passwd"}, "mask must be a PNG"),
        ("https://example.com/a.png", "mask must be a PNG"),
        (MASK_START + "!!!", "it is damaged"),
        (MASK_START, "it is damaged"),
        (MASK_START + base64.b64encode(b"GIF89a" * 10).decode(), "mask"),
        (MASK_START + "A" * 2**21, "at most 1048576 characters"),
        (huge(), "at most 4096 pixels a side; received 60000 x 60000"),
    ],
)
def test_other_masks_are_refused(value, message):
    with pytest.raises(ValueError, match=message):
        read_mask(value)


def test_a_built_in_picture_is_offered_under_its_name(cache):
    first, second = offer_example("waves"), offer_example("waves")
    assert first != second
    picture = read_upload({"path": first, "orig_name": "waves.png"}, "style")
    assert picture.name == "waves"
    assert images.digest(picture.pixels) == images.digest(examples.example("waves"))
