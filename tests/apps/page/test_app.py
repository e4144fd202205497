"""The page as it is built: its controls, its events and its looks. Browsers are in test_ui.py."""

import gradio as gr
import pytest

from apps.page import app as web
from apps.page.status import compare_html, facts_html, nothing_html, pictures_html, status_html
from apps.service import uploads
from apps.service.limits import Folders, Limits
from rrstyle import examples
from rrstyle.pictures import images
from tests.support.app_client import GRADIO_WARNINGS

pytestmark = GRADIO_WARNINGS

# What has words of its own on it.
_PLAIN = (gr.Button, gr.DownloadButton, gr.HTML, gr.Markdown, gr.State, gr.Dataset)


@pytest.fixture(scope="module")
def app():
    return web.build_app(Limits(max_side=512, max_variants=3), Folders())


def blocks(app: gr.Blocks, *kinds: type) -> list:
    return [block for block in app.blocks.values() if isinstance(block, kinds)]


def test_every_control_has_a_label_and_those_to_set_a_hint(app):
    controls = [b for b in blocks(app, gr.components.Component) if not isinstance(b, _PLAIN)]
    kinds = (gr.Slider, gr.Radio, gr.Dropdown, gr.Number, gr.Checkbox, gr.CheckboxGroup)
    seen = [control for control in controls if getattr(control, "render", True)]
    assert len([c for c in seen if isinstance(c, kinds)]) > 20
    nameless = [c for c in seen if not c.label and type(c).__name__ not in ("Api", "ApiComponent")]
    assert nameless == []
    silent = [c.label for c in seen if isinstance(c, kinds) and not c.info]
    assert silent == []


def test_sliders_end_at_the_server_s_limits(app):
    ends = {slider.label: slider.maximum for slider in blocks(app, gr.Slider)}
    assert ends["Variants"] == 3
    sizes = [slider.maximum for slider in blocks(app, gr.Slider) if slider.label == "Size"]
    assert 512 in sizes


def test_the_page_s_own_events_are_no_endpoints(app):
    named = app.get_api_info()["named_endpoints"]
    assert {"/stylise", "/reconstruct"} <= set(named)
    for name in named:
        # An endpoint is for programs, documented: an event of the page would be neither.
        assert named[name]["description"], name
    assert app.get_api_info()["unnamed_endpoints"] == {}


def test_pictures_stay_as_they_are(app):
    # Gradio's default is lossy WebP.
    assert {block.format for block in blocks(app, gr.Image, gr.Gallery)} == {"png"}


def test_the_looks_need_no_network():
    assert web.LOOK["theme"]._stylesheets == []
    for part in ("css", "js"):
        assert "http" not in web.LOOK[part]
        assert "@import" not in web.LOOK[part]


def test_a_folder_without_results_is_told_at_the_start(tmp_path):
    with pytest.raises(ValueError, match="DIR must hold results"):
        web.build_app(Limits(), Folders(results=tmp_path))


def test_built_in_pictures_are_recognised_without_being_drawn_again(app, monkeypatch, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(images.encode_png(examples.example("waves")))

    def drawn(name):
        raise AssertionError(name)

    monkeypatch.setattr(examples, "example", drawn)
    assert uploads.read_picture(path, "waves.png").name == "waves"


def test_texts_cannot_be_markup(tmp_path):
    bad = '<img src=x onerror=alert(1)> " ${1 + 1}'
    path = tmp_path / 'a"b.png'
    for page in (
        status_html(bad, 0.5),
        nothing_html(bad),
        facts_html([(bad, bad)]),
        compare_html(path, path, bad),
        pictures_html([(bad, path)]),
    ):
        assert "<img src=x" not in page
        assert 'a"b' not in page
    assert 'value="0.500"' in status_html(bad, 0.5)
