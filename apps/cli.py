"""The command `rrstyle`. What it imports here is light: help must not wait for TensorFlow."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from apps.errors import explain
from apps.options.parse import (
    App,
    Classify,
    Command,
    Evaluate,
    Examples,
    Export,
    Reconstruct,
    Report,
    Stylize,
    Train,
    parse,
)

_INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Args:
        argv: Words after `rrstyle`; by default those of this process.

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
            return _run(parse(words or ["--help"], version=_version()), words)
    except SystemExit as stop:  # tyro's, after help or a usage error; or on SIGTERM
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print("rrstyle: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except (ValueError, OSError) as error:
        # The setting `weights` is given by the option --encoder.
        line = re.sub("^weights must ", "encoder must ", explain(error))
        print(f"rrstyle: {line}", file=sys.stderr)
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


def _run(command: Command, words: list[str]) -> int:
    # Each case imports what it needs, and no other's heavy packages.
    match command:
        case Stylize():
            from apps.command.stylize import run_stylize

            return run_stylize(command, words)
        case Examples():
            from apps.command.examples import run_examples

            run_examples(command)
        case Reconstruct():
            from apps.command.reconstruct import run_reconstruct

            run_reconstruct(command)
        case Export():
            from apps.command.export import run_export

            run_export(command)
        case Evaluate():
            from apps.command.evaluate import run_evaluate

            run_evaluate(command)
        case Report():
            from apps.command.report import run_report

            return run_report(command)
        case Train():
            from apps.command.train import run_train

            run_train(command, words)
        case Classify():
            from apps.command.classify import run_classify

            run_classify(command, words)
        case App():
            from apps.command.app import run_app

            run_app(command)
    return 0
