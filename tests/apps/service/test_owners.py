"""What one browser uploads or makes is neither served to nor opened for another."""

import io
import os
import secrets
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio.context import LocalContext
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from starlette.requests import Request

from apps.page.uploads import upload_path
from apps.service import owners
from apps.service.limits import ServerConfig
from apps.service.server import serving
from rrstyle.pictures import images
from tests.support.app_client import (
    GRADIO_WARNINGS,
    connect,
    free_port,
    offline,
    request,
    write_pair,
)

pytestmark = [*GRADIO_WARNINGS, pytest.mark.usefixtures("offline")]
__all__ = ["offline"]

KEY, OTHER = "k" * 32, "o" * 32
PICTURE = images.encode_png(np.random.default_rng(0).random((30, 40, 3), np.float32))


def owner(key: str | None) -> str | None:
    return owners.owner_of({} if key is None else {owners.COOKIE: key})


def test_an_owner_is_a_key_s_digest():
    assert owner(KEY) == owner(KEY)
    assert owner(KEY) != owner(OTHER)
    assert KEY not in str(owner(KEY))
    assert owner(owners.new_key()) is not None
    assert owners.new_key() != owners.new_key()


@pytest.mark.parametrize("key", [None, "", "short", "k" * 129, "k" * 31 + "/", "k" * 31 + "ß"])
def test_what_is_no_key_names_nobody(key):
    assert owner(key) is None


def test_files_are_their_owner_s_or_whoever_s_knows_them(tmp_path):
    mine, theirs, free = (
        owners.new_folder(tmp_path, owner(key)) / "x.png" for key in (KEY, OTHER, None)
    )
    assert len({mine.parent.name[:32], theirs.parent.name[:32], free.parent.name}) == 3
    answers = [
        [owners.may_have(path, owner(key)) for key in (KEY, OTHER, None)]
        for path in (mine, theirs, free)
    ]
    assert answers == [[True, False, False], [False, True, False], [True, True, True]]


def test_other_spellings_of_a_path_are_its_owner_s_too(tmp_path, monkeypatch):
    folder = owners.new_folder(tmp_path, owner(KEY))
    (folder / "x.png").write_bytes(b"")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    for path in (
        Path("x.png"),
        tmp_path / "link" / "x.png",
        tmp_path / "." / folder.name / ".." / folder.name / "x.png",
        tmp_path / folder.name.upper() / "x.png",  # the same where case does not count
    ):
        assert owners.may_have(path, owner(KEY)), path
        assert not owners.may_have(path, owner(OTHER)), path
        assert not owners.may_have(path, None), path


def test_a_handler_opens_no_other_s_upload(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = owners.new_folder(tmp_path, owner(KEY)) / "x.png"
    path.write_bytes(PICTURE)
    value = {"path": str(path)}
    for key in (OTHER, None):
        headers = [(b"cookie", f"{owners.COOKIE}={key}".encode())] if key else []
        token = LocalContext.request.set(Request({"type": "http", "headers": headers}))
        with pytest.raises(ValueError, match="photograph: not an uploaded file"):
            upload_path(value, "photograph")
        LocalContext.request.reset(token)
    headers = [(b"cookie", f"a=b; {owners.COOKIE}={KEY}".encode())]
    token = LocalContext.request.set(Request({"type": "http", "headers": headers}))
    assert upload_path(value, "photograph") == (path, "x.png")
    LocalContext.request.reset(token)


@pytest.fixture(scope="module")
def url():
    with serving(ServerConfig(port=free_port())) as address:
        yield address


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def browsers(url):
    """Two of them, with the page open, and a program."""
    options = {"base_url": url, "trust_env": False, "timeout": 60}
    with (
        httpx.Client(**options) as one,
        httpx.Client(**options) as two,
        httpx.Client(**options) as program,
    ):
        for browser in (one, two):
            assert browser.get("").status_code == 200
        yield one, two, program


def upload(http: httpx.Client) -> str:
    answer = http.post("gradio_api/upload", files={"files": ("x.png", io.BytesIO(PICTURE))})
    (path,) = answer.json()
    return path


def fetch(http: httpx.Client, path: str) -> int:
    forms = ("gradio_api/file=", "gradio_api/file/")
    (code,) = {http.get(form + path).status_code for form in forms}
    assert http.head(forms[0] + path).status_code == code
    return code


def test_the_page_s_cookie_is_out_of_reach_and_stays(url):
    with httpx.Client(base_url=url, trust_env=False) as http:
        set_by = http.get("").headers["set-cookie"]
        assert set_by.startswith(f"{owners.COOKIE}=")
        for word in ("HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in set_by
        for path in ("", "?tab=study", "health", "config"):
            assert owners.COOKIE not in http.get(path).headers.get("set-cookie", "")


def test_an_upload_is_served_to_its_browser_only(browsers):
    one, two, program = browsers
    path = upload(one)
    assert [fetch(http, path) for http in (one, two, program)] == [200, 403, 403]
    assert b"PNG" not in two.get(f"gradio_api/file={path}").content
    folder = Path(path).parent
    for spelling in (f"{folder}/./picture.png", f"{folder}/../{folder.name}/picture.png"):
        assert two.get(f"gradio_api/file={spelling}").status_code >= 400
    # It is no other picture than one that is not there.
    missing = two.get(f"gradio_api/file={folder}/none.png")
    assert missing.text == two.get(f"gradio_api/file={path}").text
    # A program has its own by its name, and so has whoever is told the name.
    path = upload(program)
    assert [fetch(http, path) for http in (one, two, program)] == [200, 200, 200]


@pytest.mark.parametrize("endpoint", ["stylise", "reconstruct", "recipe"])
def test_no_endpoint_opens_another_s_upload(browsers, endpoint):
    one, two, _ = browsers
    value = {"path": upload(one), "meta": {"_type": "gradio.FileData"}}
    network = ["vgg16", "conv1", "post_pool", "gaussian", 0.015, 8, 3, "zero"]
    data = {
        "stylise": [value, ["waves"], None, "transport", 1, 0, False, 1, 48, 1, 0, None],
        "reconstruct": [value, *network, ["random"], 48, 0, None],
        "recipe": [value],
    }[endpoint]
    call = f"gradio_api/call/{endpoint}"
    event = two.post(call, json={"data": data}).json()["event_id"]
    answer = two.get(f"{call}/{event}").text
    assert "event: error" in answer
    assert "not an uploaded file" in answer


def test_a_program_with_a_cookie_keeps_its_results_for_itself(url, browsers, pair):
    one, _, program = browsers
    cookies = {owners.COOKIE: secrets.token_hex(16)}
    client = connect(url, cookies=cookies)
    (result,) = client.predict(**request(pair))
    assert images.read_image(Path(result)).pixels.ndim == 3
    example = client.predict("waves", api_name="/example")
    assert Path(example).is_file()
    of_it = owners.owner_of(cookies)
    its = list(Path(os.environ["GRADIO_TEMP_DIR"]).glob(f"*-{of_it}/*.png"))
    assert len(its) == 4  # two uploads, the result and the example
    for path in its:
        assert fetch(one, str(path)) == fetch(program, str(path)) == 403
    # Without one it works as well, and its files are not those of the browsers.
    (result,) = connect(url).predict(**request(pair))
    assert handle_file(result)
    content = {"path": str(its[0]), "orig_name": "x.png"}
    with pytest.raises(AppError, match="not an uploaded file"):
        connect(url).predict(**request(pair) | {"content": content})
