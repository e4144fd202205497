"""What Gradio does by itself and this server must not, and how much a request may hold.

Gradio fetches links that a client passes as files, keeps uploads as they came, and has routes for
things that this app does not have. None of that can be switched off, so it is replaced here.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import anyio
import fastapi
import gradio as gr
from gradio import processing_utils, route_utils, routes
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.service import owners, uploads
from rrstyle.pictures.files import MAX_BYTES

_MIB = 2**20
# Bytes of a request: one file of the largest size, or several smaller ones, with what multipart
# adds; and of any other request, in which a painted mask is the largest part.
_MOST_UPLOADED = MAX_BYTES + _MIB
_MOST_POSTED = 4 * _MIB

# Development, sharing and statistics; recordings and streams of components that are not used.
_CLOSED = (
    "/gradio_api/component_server",
    "/gradio_api/custom_component",
    "/gradio_api/deep_link",
    "/gradio_api/dev/",
    "/gradio_api/process_recording",
    "/gradio_api/profiling",
    "/gradio_api/proxy=",
    "/gradio_api/run-history",
    "/gradio_api/runs",
    "/gradio_api/stream",
    "/gradio_api/undo-vibe-edit",
    "/gradio_api/vibe-",
    "/monitoring",
    "/pwa_icon",
)

_HEADERS = {
    # The name of a program's file is all that protects it: it must not travel to other sites.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def refuse_links() -> None:
    """Lets Gradio fetch nothing: by itself it downloads any link that a client passes as a file."""
    processing_utils.async_ssrf_protected_get = _no_links
    route_utils.safehttpx.async_validate_url = _no_links


async def _no_links(url: str) -> NoReturn:
    raise gr.Error("links are not fetched; upload the picture itself", print_exception=False)


def keep_inside(folder: Path) -> None:
    """Lets Gradio use this folder where it would make one of its own among all temporary files."""
    routes.DEFAULT_TEMP_DIR = str(folder)


def clean_uploads(spool: Path) -> None:
    """Lets Gradio keep of uploads what `apps.service.uploads` makes of them.

    Args:
        spool: Folder, not served, where they lie until then.
    """

    async def receive(request: Any, upload_dir: Any, *args: Any, **kwargs: Any) -> tuple:
        with TemporaryDirectory(dir=spool) as name:
            files, _, _ = await route_utils.upload_fn(request, name, *args, **kwargs)
            owner = owners.owner_of(request.cookies)
            kept = []
            for file in files:
                place = owners.new_folder(Path(upload_dir), owner)
                kept.append(str(await anyio.to_thread.run_sync(uploads.keep, Path(file), place)))
        return kept, [], []

    routes.upload_fn = receive


def serve_owners_only() -> None:
    """Lets Gradio serve what one browser uploaded or made to that browser only."""

    def fetch(path_or_url: str, request: Any, *args: Any) -> Any:
        try:
            allowed = owners.may_have(Path(path_or_url), owners.owner_of(request.cookies))
        except (OSError, ValueError):  # a NUL, a name too long, or a loop of links
            allowed = False
        if not allowed:
            raise fastapi.HTTPException(403, "this file is not yours, or there is none")
        return route_utils.file_fetch(path_or_url, request, *args)

    routes.file_fetch = fetch


class Guard:
    """Refuses closed routes and large requests, and adds headers; ASGI middleware.

    The page comes with the cookie of `apps.service.owners` for a browser that has none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _refusal(scope):
            status, line = refusal
            await PlainTextResponse(line, status)(scope, receive, send)
            return

        cookie = _new_cookie(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
                if cookie:
                    MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _path(scope: Scope) -> str:
    return scope["path"].removeprefix(scope.get("root_path", ""))


def _new_cookie(scope: Scope) -> str | None:
    """Of the page, for a browser that has none; until it is closed, and out of scripts' reach."""
    if _path(scope) not in ("", "/") or owners.owner_of(HTTPConnection(scope).cookies):
        return None
    # Lax: a link from elsewhere must find the browser's own, or the page would give it another.
    cookie = f"{owners.COOKIE}={owners.new_key()}; Path=/; HttpOnly; SameSite=Lax"
    return f"{cookie}; Secure" if scope["scheme"] == "https" else cookie


def _refusal(scope: Scope) -> tuple[int, str] | None:
    path = _path(scope)
    if path.startswith(_CLOSED):
        return 404, "there is nothing here"
    if scope["method"] not in ("POST", "PUT", "PATCH"):
        return None
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdecimal():
        return 411, "a request must state its length"
    most = _MOST_UPLOADED if path.startswith("/gradio_api/upload") else _MOST_POSTED
    if int(length) > most:
        return 413, f"a request must be at most {most} bytes; received {length}"
    return None
