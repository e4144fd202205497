"""The app for tests: served in this process or in one of its own, and its clients."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import numpy as np
import pytest
from gradio_client import Client, handle_file

from rrstyle.pictures import images
from tests.support.command import Forked, started

SIDE = 48

# anyio imports its modules when they are used, and pytest parses them then: in the server's thread,
# which CPython 3.11 cannot do while another thread parses too.
_LOADED = anyio.open_file, anyio.Path

# All Gradio 6.31's own: event loops that it leaves to the garbage collector, sockets with them,
# and options of pandas that are on their way out.
GRADIO_WARNINGS = [
    pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting':DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


def _watch() -> None:
    """Writes down every address outside this machine that anything asks for, by name or number."""

    def watch(event, arguments) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        if host not in (None, "", b"", "127.0.0.1", "::1", "localhost"):
            with Path(os.environ["TMPDIR"], "..", "outgoing.log").open("a") as log:
                print(event, host, file=log)

    sys.addaudithook(watch)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(url: str, *, cookies: dict[str, str] | None = None, **options) -> Client:
    # A machine that is busy with other things may take long.
    patient = {"timeout": 120, "trust_env": False, "cookies": cookies}
    return Client(url, verbose=False, analytics_enabled=False, httpx_kwargs=patient, **options)


@pytest.fixture(scope="module")
def offline():
    """The client, not the app, would ask Hugging Face for a list of agents' names."""
    patch = pytest.MonkeyPatch()
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    yield
    patch.undo()


def write_pair(folder: Path) -> tuple[Path, Path]:
    """A photograph and a style picture as files."""
    rng = np.random.default_rng(0)
    paths = folder / "photo.png", folder / "style.png"
    for path in paths:
        path.write_bytes(images.encode_png(rng.random((40, SIDE, 3), np.float32)))
    return paths


def request(pair: tuple[Path, Path], **others) -> dict:
    """Arguments of a cheap job."""
    content, style = map(handle_file, pair)
    values = {"content": content, "styles": [style], "method": "transport", "size": SIDE}
    return values | {"api_name": "/stylise"} | others


@contextmanager
def app_process(folder: Path, *options: str) -> Iterator[tuple[Forked, str]]:
    """`rrstyle app` in a process of its own, killed at the end if it still runs.

    Args:
        folder: Becomes its folder for temporary files; `outgoing.log` beside it holds what it
            asked of other machines.
        options: More words of the command line.

    Yields:
        The process, and the app's address.
    """
    folder.mkdir(exist_ok=True)
    words = ("app", "--port", str(free_port()), *options)
    with started(*words, first=_watch, TMPDIR=str(folder), HF_HUB_OFFLINE="1") as process:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.match(r"The app is at (\S+)", line):
                yield process, found[1]
                break
        else:
            raise AssertionError("the app did not start: " + "".join(said))
