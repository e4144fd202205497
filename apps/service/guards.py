"""Guards around Gradio: no links, clean uploads, files for their owners, closed routes, limits.

Gradio fetches links that a client passes as files, keeps uploads as they came, and has routes that
this app does not use. None of that can be switched off, so it is replaced or refused here.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import anyio
import fastapi
import gradio as gr
from gradio import processing_utils, route_utils, routes
from jinja2 import ChoiceLoader, DictLoader
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.service import owners, uploads
from apps.service.limits import LOOPBACK
from rrstyle.pictures.files import MAX_BYTES

_MIB = 2**20
# Bytes of an upload, with the overhead of multipart; and of any other request, of which a painted
# mask is the largest.
_MOST_UPLOADED = MAX_BYTES + _MIB
_MOST_POSTED = 4 * _MIB

# Development, sharing, statistics; recordings and streams of components that are not used.
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
    # Only its secret name protects a program's file: the name must not reach other sites.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def restrict_gradio(files: Path, spool: Path, hosts: frozenset[str] | None) -> None:
    """Replaces what Gradio has for links, uploads, files and pages of other sites.

    Args:
        files: Folder for what clients upload and make; Gradio would choose one that all share.
        spool: Folder, not served, for uploads until `apps.service.uploads` has cleaned them.
        hosts: Hosts that the app answers to, see `ServerConfig.hosts`.
    """

    async def receive(request: Any, upload_dir: Any, *args: Any, **kwargs: Any) -> tuple:
        with TemporaryDirectory(dir=spool) as name:
            uploaded, _, _ = await route_utils.upload_fn(request, name, *args, **kwargs)
            owner = owners.owner_of(request.cookies)
            kept = []
            for file in uploaded:
                folder = owners.new_folder(Path(upload_dir), owner)
                kept.append(str(await anyio.to_thread.run_sync(uploads.keep, Path(file), folder)))
        return kept, [], []

    _forget_gradio_s_preview()
    routes.DEFAULT_TEMP_DIR = str(files)
    routes.upload_fn = receive
    routes.file_fetch = _fetch_own
    # Gradio's own, the outermost, lets pages of other sites read answers.
    routes.CustomCORSMiddleware = lambda app, **_: Guard(app, hosts)  # type: ignore[misc, assignment]
    # By itself Gradio downloads any link that a client passes as a file.
    processing_utils.async_ssrf_protected_get = _refuse_link
    route_utils.safehttpx.async_validate_url = _refuse_link


def _forget_gradio_s_preview() -> None:
    """Takes Gradio's name and pictures out of what other programs show of a link to the page."""
    environment, name = routes.templates.env, "frontend/index.html"
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, name)
    page = re.sub(r'<meta\s+(?:property="og|name="twitter):[^>]*>', "", source)
    page = page.replace("<head>", '<head><meta property="og:title" content="rrstyle">', 1)
    environment.loader = ChoiceLoader([DictLoader({name: page}), environment.loader])
    if environment.cache is not None:
        environment.cache.clear()


async def _refuse_link(url: str) -> NoReturn:
    raise gr.Error("links are not fetched; upload the picture itself", print_exception=False)


def _fetch_own(path_or_url: str, request: Any, *args: Any) -> Any:
    """Serves a file to the browser that uploaded or made it, and to no other."""
    try:
        allowed = owners.may_have(Path(path_or_url), owners.owner_of(request.cookies))
    except (OSError, ValueError):  # a NUL, a name too long, or a loop of links
        allowed = False
    if not allowed:
        raise fastapi.HTTPException(403, "this file is not yours, or there is none")
    return route_utils.file_fetch(path_or_url, request, *args)


class Guard:
    """ASGI middleware: refuses strangers' hosts and pages, closed routes and large requests.

    It adds headers and the cookie to answers.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := _foreign(Headers(scope=scope), self._hosts) or _refusal(scope):
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
    """The cookie of `apps.service.owners`, with the page, for a browser without one.

    It lasts until the browser is closed, and no script can read it.
    """
    if _path(scope) not in ("", "/") or owners.owner_of(HTTPConnection(scope).cookies):
        return None
    # Lax: after a link from another site the browser must send its cookie, or it would get another.
    cookie = f"{owners.COOKIE}={owners.new_key()}; Path=/; HttpOnly; SameSite=Lax"
    return f"{cookie}; Secure" if scope["scheme"] == "https" else cookie


def _foreign(headers: Headers, hosts: frozenset[str] | None) -> tuple[int, str] | None:
    """The refusal of a request that names another host, or comes from a page of another site.

    A name that a stranger's server resolves to this machine makes the stranger's page one of this
    host (DNS rebinding); and a form of any page may post here without asking first.
    """
    host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
    if hosts is not None and _name(host) not in hosts:
        return 421, "this host is not served here; rrstyle app --allow-host names those that are"
    scheme, _, netloc = origin.partition("://")
    named = frozenset() if hosts is None else hosts - LOOPBACK
    own = netloc == host or _name(netloc) in named
    if origin and not (scheme in ("http", "https") and own):
        return 403, "pages of other sites may not use this app; see rrstyle app --allow-host"
    return None


def _name(netloc: str) -> str:
    """A host without its port."""
    return re.sub(r":\d*$", "", netloc)


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
