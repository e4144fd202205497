"""Errors of the app's handlers as one line in the browser."""

import functools
import html
from collections.abc import Callable
from typing import TypeVar

import gradio as gr

from apps.service.jobs import error_line

Answer = TypeVar("Answer")


def in_words(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """The handler, whose errors reach the browser as one line without a trace."""

    @functools.wraps(handler)
    def guarded(*values, **others) -> Answer:
        try:
            return handler(*values, **others)
        except Exception as error:
            raise said(error) from None

    return guarded


def said(error: Exception) -> gr.Error:
    """The error for Gradio to show, which takes it for HTML."""
    return gr.Error(html.escape(error_line(error), quote=False), print_exception=False)
