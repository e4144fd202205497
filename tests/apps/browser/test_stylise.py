"""The Stylise tab in a real browser, as somebody new to it uses it."""

import io

import numpy as np
import pytest
from playwright.sync_api import expect

from rrstyle import recipes
from rrstyle.pictures import images
from tests.support.app_client import GRADIO_WARNINGS
from tests.support.browser import (
    QUICK,
    browser,
    downloaded,
    open_page,
    settle,
    slider,
    stylise,
    url,
)

pytestmark = [pytest.mark.ui, *GRADIO_WARNINGS]
__all__ = ["browser", "open_page", "url"]


def test_one_s_own_picture_is_one_click_away(open_page, tmp_path):
    pixels = np.random.default_rng(0).random((60, 90, 3), np.float32)
    (tmp_path / "mine.png").write_bytes(images.encode_png(pixels))
    page = open_page(QUICK)
    for label, slot in (("Choose your photo", "Photograph"), ("Choose a style", "Style")):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name=label, exact=True).click()
        chooser.value.set_files(tmp_path / "mine.png")
        shown = page.get_by_alt_text(f"{slot}: the picture chosen")
        expect(shown).to_have_js_property("naturalWidth", 90)
    settle(page)
    stylise(page)
    recipe = recipes.read_recipe(io.BytesIO(downloaded(page, "Download PNG")))
    assert (recipe.content.name, recipe.style.name) == ("mine.png", "mine.png")


def test_the_result_stays_in_sight_beside_long_settings(open_page):
    page = open_page(QUICK)
    for name in ("More settings", "Blend with more styles", "Paint where the style goes"):
        page.get_by_role("button", name=name).click()
    settle(page)
    page.evaluate("scrollTo(0, 1200)")
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") > 500
    top = page.locator("#stylise").bounding_box()["y"]
    assert 0 <= top < 100


def test_a_changed_setting_puts_its_look_out_and_folded_sections_say_what_they_hold(open_page):
    page = open_page(QUICK)
    expect(page.get_by_label("Palette only")).to_be_checked()
    slider(page, "Strength").fill("0.5")
    slider(page, "Strength").press("Enter")
    expect(page.locator("#looks input:checked")).to_have_count(0)
    slider(page, "Strength").fill("1")
    slider(page, "Strength").press("Enter")
    expect(page.get_by_label("Palette only")).to_be_checked()
    blend = page.get_by_role("button", name="Blend with more styles")
    blend.click()
    page.locator("#examples-style-2 button").first.click()
    expect(blend).to_contain_text("1 more")
