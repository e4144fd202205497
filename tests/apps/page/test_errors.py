"""Errors of handlers reach the browser as one line, whatever kind of handler it is."""

import inspect
import logging
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


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("side must be large; received 1"), "side must be large; received 1"),
        (FileNotFoundError(2, "No such file", "/secret/folder/a.png"), "a.png: no such file"),
        (OSError("a.png: cannot be read"), "a.png: cannot be read"),
        (RuntimeError("tensor in /secret"), "something went wrong inside; see the server's log"),
    ],
)
def test_error_lines_hold_no_trace_and_no_folder(error, line, caplog):
    @in_words
    def fail():
        raise error

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        fail()
    assert caught.value.message == line
    # What people cannot mend is for the log, whole.
    assert bool(caplog.records) == isinstance(error, RuntimeError)
    assert all(record.exc_info for record in caplog.records)
