"""The picture that the page opens with: of the first pair, made once as the server starts."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace

from apps.page.settings import DEFAULTS
from apps.service.jobs import Finished, turns
from apps.service.queue import ServerEnding
from rrstyle import examples, recipes
from rrstyle.pictures.images import Picture
from rrstyle.pipeline import variants
from rrstyle.progress import Step

FIRST_PAIR = ("chelsea", "starry-swirls")

_first: Future[Finished] | None = None


def start() -> None:
    """Makes the picture in a thread that the program waits for, and compiles what jobs need."""
    global _first
    _first = Future()
    threading.Thread(target=_paint, args=(_first,), name="rrstyle-warm-up").start()


def first_picture(seconds: float = 0) -> Finished | None:
    """The picture, once it is there; None if it is not after some seconds, or will not be."""
    try:
        return None if _first is None else _first.result(seconds)
    except (TimeoutError, ServerEnding):
        return None


def _paint(first: Future[Finished]) -> None:
    try:
        content, style = (Picture(examples.example(name), name, ()) for name in FIRST_PAIR)
        for config in (replace(DEFAULTS, method="transport"), DEFAULTS):  # as a first job would
            pair = content.pixels, style.pixels
            (made,) = variants(*pair, config, n=1, seed=0, on_step=_give_way)
        png = recipes.encode_picture(
            made.image, recipes.make_recipe(DEFAULTS, made.seed, content, [style])
        )
        first.set_result(Finished(made.seed, made.image, png))
    except Exception as error:  # for those who ask for it
        first.set_exception(error)


def _give_way(step: Step) -> None:
    """Waits while anybody's job runs."""
    while any(turns.load()) and not turns.closed:
        time.sleep(0.1)
    if turns.closed:
        raise ServerEnding("the server is ending")
