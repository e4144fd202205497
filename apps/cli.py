"""The command `rrstyle`. What it imports here is light: help must not wait for TensorFlow."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from apps.errors import explain
from apps.options.commands import NAMES
from apps.options.parse import parse

_INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the words after `rrstyle`, by default those of this process.

    Returns:
        0; 1 if something could not be done; 2 if the words make no sense; 130 on Ctrl-C; 143 on
        SIGTERM.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported
    try:
        if words == ["--version"]:
            print(f"rrstyle {_version()}")
            return 0
        with _exiting_on_sigterm():
            command = parse(words or ["--help"], version=_version())
            # Every command has a module of its own, and none waits for another's packages.
            return import_module(f"apps.command.{words[0]}").run(command) or 0
    except SystemExit as stop:  # tyro's, after help or a usage error; or on SIGTERM
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print("rrstyle: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except (ValueError, OSError) as error:
        setting, space, rule = explain(error).partition(" ")
        print(f"rrstyle: {NAMES.get(setting, setting)}{space}{rule}", file=sys.stderr)
        return 1


@contextmanager
def _exiting_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the command as an exception does: its temporary files go with it."""

    def stop(number, frame) -> None:
        raise SystemExit(128 + number)  # as shells have it

    if threading.current_thread() is not threading.main_thread():
        yield  # no signal can be caught there
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _version() -> str:
    from importlib.metadata import version

    return version("rrstyle")
