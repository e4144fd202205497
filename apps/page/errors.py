"""Errors of the app's handlers as one line in the browser."""

import functools
import html
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from apps.errors import explain

log = logging.getLogger(__name__)
Values = ParamSpec("Values")
Answer = TypeVar("Answer")


def in_words(handler: Callable[Values, Answer]) -> Callable[Values, Answer]:
    """The handler, whose errors reach the browser as one line without a trace.

    A ValueError or an OSError is shown: by this project's rules its message names the input, the
    rule and what was received. Any other error is only logged. A generator stays one, since Gradio
    asks which handlers are.
    """
    if not inspect.isgeneratorfunction(handler):
        return _one_line()(handler)

    @functools.wraps(handler)
    def steps(*values: Values.args, **others: Values.kwargs) -> Iterator[Any]:
        with _one_line():
            yield from handler(*values, **others)

    return steps  # type: ignore[return-value]


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        line = "something went wrong inside; see the server's log"
        if isinstance(error, ValueError | OSError):
            line = explain(error)
        else:
            log.error("a handler failed", exc_info=error)
        # Gradio takes the message for HTML.
        raise gr.Error(html.escape(line, quote=False), print_exception=False) from None
