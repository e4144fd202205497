"""The app in a real browser: Debian's chromium, driven by Playwright.

Screenshots go to tests/artefacts. With RRSTYLE_SCREENSHOTS=1 those of the README are drawn anew.
"""

import gc
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from apps.service import server
from apps.service.limits import ServerConfig
from tests.support.app_client import free_port

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "tests" / "artefacts"
PATIENCE = 120_000  # milliseconds: for a machine that has much else to do
QUICK = "?look=palette-only&method=transport&size=192&variants=1"
TABS = ("Stylise", "Reconstruct", "Study", "Export")
pending: dict[Page, set[Request]] = {}  # what each page has asked for and not got yet
_LOOKS_ARE_DRAWN = """[...document.querySelectorAll("#looks label")].every(
    (look) => getComputedStyle(look, "::before").backgroundImage !== "none")"""
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 1000}


@pytest.fixture(scope="module")
def url():
    with server.serving(ServerConfig(port=free_port())) as address:
        yield address
    gc.collect()  # here, where the warnings of Gradio's leftovers are filtered


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium")
    assert program, "chromium is not there: apt-get install chromium"
    with sync_playwright() as playwright:
        # As root, and in containers whose shared memory is small.
        words = ["--no-sandbox", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=program, args=words)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, url):
    """Opens a page of its own session; at the end, nothing outside was asked for, nothing broke."""
    opened, wrong = [], []

    def look_at(request) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            wrong.append(request.url)
        if not request.url.startswith(
            (f"{url}gradio_api/heartbeat", f"{url}gradio_api/queue/data")
        ):
            pending[request.frame.page].add(request)  # Gradio's streams stay open

    def look_after(request) -> None:
        pending[request.frame.page].discard(request)

    def open_it(query: str = "", *, size=WIDE, scheme="light") -> Page:
        context = browser.new_context(
            viewport=size, color_scheme=scheme, has_touch=size is PHONE, accept_downloads=True
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        pending[page] = set()
        page.on("request", look_at)
        page.on("requestfinished", look_after)
        page.on("requestfailed", look_after)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        opened.append(context)
        page.goto(url + query)
        ready(page)
        return page

    expect.set_options(timeout=PATIENCE)
    yield open_it
    for context in opened:
        context.close()
    assert wrong == []


def ready(page: Page) -> None:
    """Waits until settings from the address are there."""
    page.locator("#stylise, #reconstruct, #figures, #make-export").first.wait_for(state="attached")
    settle(page)


def settle(page: Page) -> None:
    """Waits until nothing has been under way from or to the server for a while."""
    quiet = 0
    while quiet < 5:
        page.wait_for_timeout(100)
        quiet = 0 if pending[page] else quiet + 1


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    path = SHOTS / f"{name}.png"
    for_readme = os.environ.get("RRSTYLE_SCREENSHOTS") and name in ("wide", "phone", "dark")
    if for_readme:
        page.wait_for_function(_LOOKS_ARE_DRAWN)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.screenshot(path=path)
    if for_readme:
        with Image.open(path) as shot:
            shot.convert("RGB").save(ROOT / "docs" / f"app-{name}.jpg", quality=85)


def stylise(page: Page, done: str = "Done") -> None:
    page.locator("#stylise").click()
    expect(page.locator("#job")).to_contain_text(done)
    expect(page.locator("#stylise")).to_be_enabled()


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as caught:
        page.get_by_role("button", name=button).or_(page.get_by_role("link", name=button)).click()
    return Path(caught.value.path()).read_bytes()


def slider(page: Page, label: str):
    return page.get_by_label(f"number input for {label}", exact=True)
