"""From a thumbnail to a poster or a folder, and a way back, in a real browser."""

import io
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from rrstyle import recipes
from rrstyle.pictures import images
from tests.support.app_client import GRADIO_WARNINGS
from tests.support.browser import (
    PHONE,
    QUICK,
    browser,
    downloaded,
    open_page,
    settle,
    shoot,
    slider,
    stylise,
    url,
)

pytestmark = [pytest.mark.ui, *GRADIO_WARNINGS]
__all__ = ["browser", "open_page", "url"]
PAINT = "?size=64&variants=1&tile=true"


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE])
def test_a_liked_picture_is_made_larger(open_page, size):
    page = open_page(PAINT, size=size)
    expect(page.get_by_role("button", name="Tiles and turned strokes: a tile")).to_be_visible()
    expect(page.locator("#enlarge")).to_be_hidden()
    stylise(page)
    sizes = page.get_by_label("Larger", exact=True)
    expect(sizes).to_have_value(re.compile(r"^1024 × \d+: about \d+ s, \d\.\d GiB$"))
    page.locator("#enlarge").scroll_into_view_if_needed()
    shoot(page, f"larger-{size['width']}")
    page.locator("#larger").click()
    expect(page.locator("#larger")).to_be_disabled()
    expect(page.locator("#stage figcaption")).to_contain_text("1024 px")
    expect(page.locator("#larger")).to_be_enabled()
    expect(sizes).to_have_value(re.compile("^2048 × "))
    shown = downloaded(page, "Download PNG")
    assert images.read_image(shown).pixels.shape[1] == 1024
    config = recipes.read_recipe(io.BytesIO(shown)).config
    assert (config.composed_at, config.tile) == (64, True)


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE])
def test_many_photographs_come_back_as_a_zip(open_page, tmp_path, size):
    for name in ("sea.png", "hill.png"):
        pixels = np.random.default_rng(0).random((60, 90, 3), np.float32)
        (tmp_path / name).write_bytes(images.encode_png(pixels))
    (tmp_path / "words.png").write_bytes(b"only words")
    page = open_page(QUICK, size=size)
    page.get_by_role("button", name="Many photographs at once").click()
    names = ("sea.png", "words.png", "hill.png")
    page.locator("#photographs input").set_input_files([tmp_path / name for name in names])
    settle(page)
    page.locator("#stylise-all").click()
    expect(page.locator("#job")).to_contain_text("Done: 2 of 3 photographs")
    expect(page.locator("#job")).to_contain_text("words.png: not a PNG")
    page.locator("#stylise-all").scroll_into_view_if_needed()
    shoot(page, f"many-{size['width']}")
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "Download ZIP"))) as archive:
        assert archive.namelist() == ["sea.png", "hill.png"]


def test_a_change_of_a_setting_can_be_undone(open_page):
    page = open_page(QUICK)
    strength, back = slider(page, "Strength"), page.locator("#back")
    page.wait_for_timeout(1600)
    strength.fill("0.5")
    strength.press("Enter")
    page.wait_for_timeout(1600)
    page.get_by_text("Bold shapes").click()
    expect(strength).to_have_value("1")
    back.click()
    expect(strength).to_have_value("0.5")
    back.click()
    expect(strength).to_have_value("1")
    expect(page.get_by_label("Palette only")).to_be_checked()
    back.click()
    expect(strength).to_have_value("1")
