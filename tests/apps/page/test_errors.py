"""Errors of handlers reach the browser as one line, whatever kind of handler it is."""

import inspect
from collections.abc import Iterator

import gradio as gr
import pytest

from apps.page.errors import in_words


@in_words
def answer(value: int) -> int:
    raise ValueError(f"value must be <b>\nreceived {value}")


@in_words
def steps(value: int) -> Iterator[int]:
    yield value
    raise ValueError(f"value must be <b>\nreceived {value}")


def test_an_error_is_one_line_that_is_no_html():
    with pytest.raises(gr.Error, match=r"^'value must be &lt;b&gt; received 3'$"):
        answer(3)


def test_a_generator_stays_one_and_its_late_error_is_said():
    assert inspect.isgeneratorfunction(steps)
    found = steps(3)
    assert next(found) == 3
    with pytest.raises(gr.Error, match=r"^'value must be &lt;b&gt; received 3'$"):
        next(found)
