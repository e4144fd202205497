"""The app in a real browser: its tabs, phones, the dark, the keyboard, downloads and errors."""

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from apps.service.owners import owner_of
from rrstyle import examples, recipes
from rrstyle.pictures import images
from tests.support.app_client import GRADIO_WARNINGS
from tests.support.browser import (
    PATIENCE,
    PHONE,
    QUICK,
    TABS,
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


def test_the_default_pair_first_by_transport_then_refined(open_page):
    page = open_page()
    page.locator("#stylise").click()
    caption = page.locator("#stage figcaption")
    expect(caption).to_contain_text("first impression")
    shoot(page, "first-impression")
    expect(caption).to_have_text("Oil strokes, starry-swirls, seed 0")
    expect(page.locator("#job")).to_contain_text("Done: 2 pictures")
    expect(page.locator("#gallery button img")).to_have_count(2)
    page.locator("#gallery button").nth(0).click()
    expect(caption).to_have_text("Oil strokes, starry-swirls, seed 1")
    page.get_by_role("button", name="How this picture was made").click()
    expect(page.locator("#recipe")).to_contain_text("starry-swirls")
    page.get_by_role("button", name="How this picture was made").click()
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(0, 0)
    shoot(page, "wide")


def test_stop_ends_a_long_job_and_keeps_what_is_done(open_page):
    page = open_page(QUICK)
    stylise(page)
    page.goto(page.url.split("?")[0] + "?size=1024&variants=4")
    ready(page)
    page.locator("#stylise").click()
    expect(page.locator("#stage figcaption")).to_contain_text("first impression")
    expect(page.get_by_role("button", name="Stylise", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#job")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Stylise", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_settings_and_tab_survive_a_reload_and_belong_to_their_page(open_page):
    first, second = open_page(), open_page("?strength=0.3")
    first.get_by_text("Palette only").click()
    expect(first).to_have_url(re.compile("method=transport"))
    first.reload()
    ready(first)
    expect(first.get_by_label("Palette only")).to_be_checked()
    expect(slider(first, "Strength")).to_have_value("1")
    expect(slider(second, "Strength")).to_have_value("0.3")
    expect(second.get_by_label("Oil strokes")).to_be_checked()
    second.get_by_role("tab", name="Export").click()
    expect(second).to_have_url(re.compile("tab=export"))
    second.reload()
    ready(second)
    expect(second.get_by_role("tab", name="Export")).to_have_attribute("aria-selected", "true")


def test_a_download_carries_its_recipe_which_a_drop_loads_again(open_page, tmp_path):
    page = open_page(QUICK + "&seed=41&strength=0.8")
    page.get_by_role("button", name="waves").first.click()
    settle(page)
    stylise(page)
    png = downloaded(page, "Download PNG")
    recipe = recipes.read_recipe(io.BytesIO(png))
    assert (recipe.seed, recipe.config.strength, recipe.style.name) == (41, 0.8, "waves")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#gallery button img")).to_have_count(2)
    expect(page.locator("#stage figcaption")).to_contain_text("seed 42")

    (tmp_path / "picture.png").write_bytes(png)
    other = open_page()
    other.get_by_role("button", name="Load settings from a picture").click()
    other.locator("#recipe-file input[type=file]").set_input_files(tmp_path / "picture.png")
    expect(other.locator("#recipe-note")).to_contain_text("picture.png")
    expect(other).to_have_url(re.compile("seed=41"))
    expect(slider(other, "Strength")).to_have_value("0.8")
    settle(other)
    stylise(other)
    again = downloaded(other, "Download PNG")
    assert recipes.read_recipe(io.BytesIO(again)).to_json() == recipe.to_json()
    np.testing.assert_array_equal(images.read_image(again).pixels, images.read_image(png).pixels)


def test_the_style_goes_where_one_paints(open_page):
    page = open_page(QUICK)
    page.get_by_role("button", name="Paint where the style goes").click()
    canvas = page.locator("#paint canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#paint canvas').height < 512")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    page.mouse.up()
    shoot(page, "brush")
    stylise(page)
    recipe = recipes.read_recipe(io.BytesIO(png := downloaded(page, "Download PNG")))
    mask = recipe.mask_array()
    assert mask is not None
    assert mask[round(0.2 * len(mask)), round(0.3 * mask.shape[1])] == 1
    made = images.read_image(png).pixels
    before = page.locator("#stage img").first.get_attribute("src")
    photograph = images.read_image(page.request.get(page.url.split("?")[0] + before).body()).pixels
    changed = np.abs(made - photograph).max(axis=2)
    assert changed[: len(changed) // 3].max() > 0.1
    assert changed[len(changed) // 2 :].max() == 0


@pytest.mark.parametrize("tab", TABS)
def test_a_phone_scrolls_one_way_only(open_page, tab):
    page = open_page(QUICK, size=PHONE)
    if tab == "Stylise":
        stylise(page)
        page.locator("#stage").scroll_into_view_if_needed()
        shoot(page, "phone-result")
        page.evaluate("scrollTo(0, 0)")
        shoot(page, "phone")
    else:
        choose_tab(page, tab)
        shoot(page, f"phone-{tab.lower()}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def choose_tab(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).click()
    settle(page)


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_dark_is_dark_and_can_be_read(open_page):
    page = open_page(QUICK, scheme="dark")
    stylise(page)
    shoot(page, "dark")
    style = "(s) => { const e = getComputedStyle(document.querySelector(s)); return e.%s }"
    assert luminance(page.evaluate(style % "backgroundColor", "body")) < 0.1
    for text in ("#head h1", "#job p", "#stage figcaption", "#looks span"):
        assert luminance(page.evaluate(style % "color", text)) > 0.3, text


def test_the_keyboard_is_enough(open_page):
    page = open_page(QUICK)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to Stylise")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#stylise")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#job")).to_contain_text("Done")
    expect(page.locator("#stylise")).to_be_focused()  # back from Stop
    line = page.get_by_label("Line between the photograph and the picture")
    line.focus()
    page.keyboard.press("ArrowRight")
    expect(line).to_have_value("1")
    cut = "getComputedStyle(document.querySelector('#stage .after')).clipPath"
    assert " 1%" in page.evaluate(cut)
    page.locator("#gallery button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stage figcaption")).to_have_text("Palette only, starry-swirls, seed 0")


NAMELESS = """() => [...document.querySelectorAll("button, input, textarea, select, img")]
    .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
    .filter((e) => e.tagName === "IMG" ? !e.hasAttribute("alt")
        : !(e.ariaLabel || e.title || e.innerText?.trim() || e.labels?.length || e.placeholder))
    .map((e) => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("tab", TABS)
def test_every_control_has_a_name(open_page, tab):
    page = open_page(QUICK)
    if tab == "Stylise":
        stylise(page)
    choose_tab(page, tab)
    for folded in page.locator("button.label-wrap:visible").all():
        folded.click()
    settle(page)
    assert page.evaluate(NAMELESS) == []


def test_reconstruct_shows_what_comes_back(open_page):
    page = open_page("?tab=reconstruct&channels=8&side=96")
    expect(page.locator("#reconstruct")).to_be_visible()
    page.locator("#reconstruct").click()
    shown = page.locator("#reconstructions figcaption")
    expect(shown).to_have_count(3)
    expect(shown.nth(2)).to_contain_text(re.compile(r"ridge readout · SSIM 0\.\d+ · Pearson"))
    expect(page.locator("#maps img")).to_be_visible()
    shoot(page, "reconstruct")


def test_study_shows_figures_claims_and_rows(open_page):
    page = open_page("?tab=study")
    expect(page.locator("#figures img").first).to_be_visible()
    claims = page.locator("#claims article")
    expect(claims.first).to_be_visible()
    every = claims.count()
    page.get_by_label(re.compile("fails")).check()
    expect(page.locator("#claims li.holds")).to_have_count(0)
    assert 0 < claims.count() < every
    shoot(page, "study")
    page.get_by_role("button", name=re.compile("^Rows")).click()
    expect(page.get_by_text(re.compile(r"^(the first [\d,]+ of )?[\d,]+ rows$"))).to_be_visible()
    expect(page.get_by_role("columnheader").filter(has_text="ssim").first).to_be_visible()


def test_layer_and_experiment_stand_in_the_address(open_page):
    page = open_page("?tab=reconstruct&architecture=alexnet&layer=conv3_1")
    expect(page.get_by_label("Layer")).to_have_value("conv3_1")
    page.goto(page.url.split("?")[0] + "?tab=study&experiment=laws")
    ready(page)
    expect(page.get_by_label("Experiment")).to_have_value(re.compile("^laws: "))
    link = page.get_by_role("link", name="Measured by channels").first
    link.click()
    expect(page).to_have_url(re.compile("experiment=channels"))
    expect(page.get_by_label("Experiment")).to_have_value(re.compile("^channels: "))
    expect(page.locator("#figures img").first).to_be_visible()
    assert downloaded(page, "Download the chart (SVG)")[:5] == b"<?xml"
    assert downloaded(page, "Download the rows (CSV)").count(b"\n") > 10


def test_export_gives_a_zip(open_page):
    page = open_page("?tab=export&" + QUICK[1:])
    page.locator("#make-export").click()
    expect(page.locator("#export-job")).to_contain_text("Done: rrstyle-savedmodel-transport-seed-0")
    shoot(page, "export")
    assert downloaded(page, "Download the ZIP")[:2] == b"PK"


def test_another_browser_gets_none_of_the_pictures(open_page, url):
    page, other = open_page(QUICK), open_page()
    stylise(page)
    page.get_by_role("tab", name="Reconstruct", exact=True).click()
    page.locator("#reconstruct").click()
    expect(page.locator("#reconstruct-job")).to_contain_text("features", timeout=PATIENCE)
    shown = "[...document.querySelectorAll('img, a')].map((shown) => shown.src || shown.href)"
    own = {link for link in page.evaluate(shown) if re.search("[0-9a-f]{32}-[0-9a-f]{32}/", link)}
    assert len(own) >= 5
    for link in own:
        assert page.request.get(link).status == 200
        assert other.request.get(link).status == 403
    # All that the server keeps is somebody's, but what came with it; the other has sketches too.
    theirs = owner_of({one["name"]: one["value"] for one in other.context.cookies()})
    assert theirs is not None
    kept = [file for file in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if file.is_file()]
    assert [file for file in kept if "-preview" in file.name or "-seed-" in file.name]
    built_in = {f"{name}.png" for name in (*examples.PHOTOGRAPHS, *examples.STYLES)}
    for file in kept:
        if file.name not in built_in and f"-{theirs}/" not in str(file):
            assert other.request.get(f"{url}gradio_api/file={file}").status == 403, file


def test_a_bad_file_is_a_line_for_people(open_page, tmp_path):
    (tmp_path / "cat.png").write_bytes(b"only words")
    page = open_page(QUICK)
    page.get_by_role("button", name="Load settings from a picture").click()
    page.locator("#recipe-file input[type=file]").set_input_files(tmp_path / "cat.png")
    expect(page.get_by_test_id("toast-body")).to_contain_text("not a PNG")
