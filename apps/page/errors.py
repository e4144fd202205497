"""Errors of the app's handlers as one line in the browser."""

import functools
import html
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from apps.service.jobs import error_line

Values = ParamSpec("Values")
Answer = TypeVar("Answer")


def in_words(handler: Callable[Values, Answer]) -> Callable[Values, Answer]:
    """The handler, whose errors reach the browser as one line without a trace.

    A generator stays one, since Gradio asks which handlers are; the errors of its whole run count.
    """
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def guarded_steps(*values: Values.args, **others: Values.kwargs) -> Iterator[Any]:
            try:
                yield from handler(*values, **others)
            except Exception as error:
                raise _said(error) from None

        return guarded_steps  # type: ignore[return-value]

    @functools.wraps(handler)
    def guarded(*values: Values.args, **others: Values.kwargs) -> Answer:
        try:
            return handler(*values, **others)
        except Exception as error:
            raise _said(error) from None

    return guarded


def _said(error: Exception) -> gr.Error:
    """The error for Gradio to show, which takes it for HTML."""
    return gr.Error(html.escape(error_line(error), quote=False), print_exception=False)
