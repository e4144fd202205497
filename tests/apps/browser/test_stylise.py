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
    ready,
    settle,
    shoot,
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


LOOKS = """() => [...document.querySelectorAll("#looks label")]
    .map((label) => getComputedStyle(label, "::before").backgroundImage)"""


def test_each_look_is_a_picture_of_this_photograph_and_shown_at_a_press(open_page):
    page = open_page(QUICK)
    every = f"(before) => ({LOOKS})().every((url, i) => url !== 'none' && url !== before[i])"
    page.wait_for_function(every, arg=["none"] * 8)
    cat = page.evaluate(LOOKS)
    page.get_by_role("button", name="coffee").first.click()
    caption = page.locator("#stage figcaption")
    expect(caption).to_contain_text("Sketch: Palette only, starry-swirls")
    page.wait_for_function(every, arg=cat)
    page.get_by_text("Wild colours").click()
    expect(caption).to_contain_text("Sketch: Wild colours")
    shoot(page, "looks")
    stylise(page)
    expect(caption).to_have_text("Wild colours, starry-swirls, seed 0")


def test_a_reload_keeps_uploads_pictures_and_the_running_job(open_page, tmp_path):
    pixels = np.random.default_rng(0).random((60, 90, 3), np.float32)
    (tmp_path / "mine.png").write_bytes(images.encode_png(pixels))
    page = open_page(QUICK)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose your photo", exact=True).click()
    chooser.value.set_files(tmp_path / "mine.png")
    photograph = page.get_by_alt_text("Photograph: the picture chosen")
    expect(photograph).to_have_js_property("naturalWidth", 90)
    settle(page)
    stylise(page)
    caption = page.locator("#stage figcaption")
    expect(caption).to_have_text("Palette only, starry-swirls, seed 0")
    page.get_by_text("Oil strokes").click()
    settle(page)
    page.locator("#stylise").click()
    expect(caption).to_contain_text("first impression")
    page.reload()
    ready(page)
    expect(photograph).to_have_js_property("naturalWidth", 90)
    expect(page.locator("#job")).to_contain_text("Done: 1 picture")
    expect(page.locator("#gallery button img")).to_have_count(2)
    expect(caption).to_have_text("Oil strokes, starry-swirls, seed 0")
    recipe = recipes.read_recipe(io.BytesIO(downloaded(page, "Download PNG")))
    assert recipe.content.name == "mine.png"

    page.get_by_role("button", name="☆ Favourite").click()
    expect(page.get_by_role("button", name="★ Favourite")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#gallery button img")).to_have_count(1)
    page.get_by_role("button", name="Bring back what was removed").click()
    expect(page.locator("#gallery button img")).to_have_count(2)
    page.reload()
    ready(page)
    expect(page.locator("#gallery .caption-label").first).to_contain_text("★ Oil strokes")
    shoot(page, "history")
