"""Settings in the page's address."""

import gradio as gr
import pytest

from apps.page.address import read_address


@pytest.fixture(scope="module")
def settings():
    return {
        "method": gr.Radio(["paint", "adain"], value="paint"),
        "kernel": gr.Dropdown([("the architecture's own", 0), ("3 × 3", 3)], value=0),
        "strength": gr.Slider(0, 1, value=1.0),
        "seed": gr.Number(0, precision=0, minimum=0, maximum=2**31 - 1),
        "colours": gr.Checkbox(False),
    }


def is_left_alone(value) -> bool:
    return value == gr.skip()


def test_good_values_are_taken(settings):
    query = {"method": "adain", "strength": "0.25", "seed": "42", "colours": "true", "else": "x"}
    query["kernel"] = "3"
    assert read_address(settings, query) == ["adain", 3, 0.25, 42, True]
    assert isinstance(read_address(settings, query)[3], int)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"kernel": "4"},
        {"method": "magic", "strength": "2", "seed": "-1", "colours": "yes"},
        {"method": "<script>", "strength": "nan", "seed": "inf", "colours": "1"},
        {"method": "", "strength": "", "seed": "1e400", "colours": ""},
        {"strength": "9" * 100_000, "seed": "abc"},
    ],
)
def test_what_is_missing_or_no_good_is_left_alone(settings, query):
    assert all(map(is_left_alone, read_address(settings, query)))
