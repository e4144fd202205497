"""The server of the app: its start, the files it keeps and removes, its end."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from apps.errors import one_line
from apps.page import app as web
from apps.page.stylise import opening
from apps.scratch import scratch_folder
from apps.service import guards
from apps.service.jobs import turns
from apps.service.limits import ServerConfig
from rrstyle.pictures.files import MAX_BYTES

# For jobs that run when the server is told to end; and for their clients to fetch the pictures.
GRACE_SECONDS = 20.0
_FETCH_SECONDS = 2.0

# Gradio keeps .3 MiB for each, and every call of the API is one; the longest unused are dropped.
_SESSIONS = 200

# Of all that clients uploaded and made together; the oldest files are removed.
_MOST_BYTES = 4 * 2**30

# What Gradio and FastAPI raise of a body that fits no function: the last of wrong names of values.
_MISSHAPEN = (RequestValidationError, FnIndexInferError, TypeError)
log = logging.getLogger(__name__)


@contextmanager
def serving(config: ServerConfig) -> Iterator[str]:
    """Serves the app in the background until the context is left.

    Gradio serves every file of the working directory that is not hidden, so this changes into an
    empty one. All that clients upload and make lies beside it and is removed with it.

    Yields:
        The app's address; OSError if the server cannot listen there.
    """
    _check_free(config.host, config.port)
    with scratch_folder() as home, chdir(_made(home / "empty")):
        files = _made(home / "files")
        os.environ["GRADIO_TEMP_DIR"] = str(files)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        guards.restrict_gradio(files, _made(home / "spool"), config.hosts)
        turns.open()
        app = web.build_app(config.limits, config.folders, login=config.auth is not None)
        _, url, _ = app.queue(max_size=config.limits.events).launch(
            server_name=config.host,
            server_port=config.port,
            root_path=config.root_path,
            auth=config.auth,
            app_kwargs={
                "routes": [Route("/health", partial(_health, config.limits.queue))],
                "exception_handlers": dict.fromkeys(_MISSHAPEN, _misshapen),
            },
            max_threads=config.limits.events,
            state_session_capacity=_SESSIONS,
            max_file_size=MAX_BYTES,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=["api"],
            **web.LOOK,
        )
        over = threading.Event()
        own = {path for path in files.rglob("*") if path.is_file()}
        expiring = (over, app, files, config.limits.keep_hours * 3600, own)
        threading.Thread(target=_expire_until, args=expiring, daemon=True).start()
        try:
            yield url
        finally:
            if turns.close(GRACE_SECONDS):
                time.sleep(_FETCH_SECONDS)
            over.set()
            app.close(verbose=False)


def launch(config: ServerConfig) -> None:
    """Serves the app until Ctrl+C or SIGTERM; to be called in the main thread.

    New and waiting jobs are refused then, and running ones have GRACE_SECONDS to end. A second
    Ctrl+C does not wait for them. OSError as of `serving`.
    """
    with suppress(KeyboardInterrupt), serving(config) as url:
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        print(f"The app is at {url} (Ctrl+C ends it)", flush=True)
        opening.start()
        told.wait()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        if any(turns.load()):
            most = f"{GRACE_SECONDS:g} s at most"
            print(f"ending as soon as what runs is done, in {most}", flush=True)


async def _health(places: int, request: Request) -> JSONResponse:
    """The health endpoint: that the server answers, its load, and how many `places` are free."""
    running, waiting = turns.load()
    load = {"running": running, "waiting": waiting, "free": max(0, places - waiting)}
    return JSONResponse({"status": "ok", "version": version("rrstyle"), **load})


async def _misshapen(request: Request, error: Exception) -> JSONResponse:
    """A body that no function here takes, refused in a line, of which the log has no traceback."""
    line = str(error)
    if isinstance(error, RequestValidationError):  # FastAPI repeats the body, and fails at a NaN
        first = error.errors()[0]
        line = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    log.warning("a request was refused: %s", line := one_line(line))
    return JSONResponse({"detail": line}, 422)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _check_free(host: str, port: int) -> None:
    """Raises OSError for an address that is taken, before the app is built."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise OSError(
            f"the app cannot listen on {host}:{port}; choose another port, or end what listens "
            f"there; received {getattr(error, 'strerror', None) or error}"
        ) from error


def _expire_until(
    over: threading.Event, app: gr.Blocks, folder: Path, seconds: float, own: set[Path]
) -> None:
    """Removes old files now and then, but never the app's own."""
    while not over.wait(min(60.0, seconds / 4)):
        _expire(folder, seconds, own)
        for names in app.temp_file_sets:  # Gradio's lists of files, which would only grow
            names.clear()


def _expire(folder: Path, seconds: float, own: set[Path]) -> None:
    """Removes files older than `seconds`, and the oldest beyond _MOST_BYTES in all."""
    found = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            if path.is_file() and path not in own:
                found.append((path.stat().st_mtime, path.stat().st_size, path))
    total = 0
    for modified, size, path in sorted(found, reverse=True):
        total += size
        if total > _MOST_BYTES or time.time() - modified > seconds:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty
                path.parent.rmdir()
