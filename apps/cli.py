"""The command `rrstyle`. What it imports here is light: help must not wait for TensorFlow."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from apps.errors import explain
from apps.options.commands import NAMES
from apps.options.parse import parse
from apps.scratch import scratch_folder
from apps.signals import ending_by_exceptions, was_interrupted

_INTERRUPTED, _NOBODY_READS = 130, 141  # as shells have it: 128 + SIGINT, 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the words after `rrstyle`, by default those of this process.

    Returns:
        0; 1 if something could not be done; 2 if the words make no sense; 130 on Ctrl-C; 141 if
        nobody reads on, as `head` does; 143 on SIGTERM.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOBODY_READS
    return status


def _run(words: list[str]) -> int:
    try:
        if words == ["--version"]:
            print(f"rrstyle {_version()}")
            return 0
        with ending_by_exceptions():
            command = parse(words or ["--help"], version=_version())
            with scratch_folder():
                # Every command has a module of its own, and none waits for another's packages.
                return import_module(f"apps.command.{words[0]}").run(command) or 0
    except SystemExit as stop:  # tyro's, after help or a usage error; or on SIGTERM
        return stop.code if isinstance(stop.code, int) else 0
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, ValueError, OSError) as error:
        if isinstance(error, KeyboardInterrupt) or was_interrupted():
            print("rrstyle: interrupted", file=sys.stderr)
            return _INTERRUPTED
        setting, space, rule = explain(error).partition(" ")
        print(f"rrstyle: {NAMES.get(setting, setting)}{space}{rule}", file=sys.stderr)
        return 1


def _version() -> str:
    from importlib.metadata import version

    return version("rrstyle")
