"""What a hostile client can do: nothing but what the app is for."""

import io
import json
import os
import re
import socket
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client.exceptions import AppError
from PIL import Image

from apps.service import guards, uploads
from apps.service.limits import ServerConfig
from apps.service.server import serving
from rrstyle import recipes
from rrstyle.pictures import images
from rrstyle.pictures.files import MAX_BYTES
from tests.support.app_client import (
    GRADIO_WARNINGS,
    connect,
    free_port,
    offline,
    request,
    write_pair,
)
from tests.support.bad_images import TEXTS, bomb, npy_header_only, plain, png_header_only, saved

pytestmark = [*GRADIO_WARNINGS, pytest.mark.usefixtures("offline")]
__all__ = ["offline"]

META = {"_type": "gradio.FileData"}
SECRET = "a line of a file that is nobody's business"


@pytest.fixture(scope="module")
def url():
    with serving(ServerConfig(port=free_port())) as address:
        yield address


@pytest.fixture(scope="module")
def client(url, offline):
    return connect(url)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def http(url):
    # Each request on a connection of its own: some are answered, and closed, before their body.
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=url, trust_env=False, timeout=60, limits=alone) as client:
        yield client


def upload(http: httpx.Client, data: bytes, name: str = "x.png") -> str:
    """The path under which the server keeps a file."""
    answer = http.post("gradio_api/upload", files={"files": (name, data)})
    assert answer.status_code == 200, answer.text
    (path,) = answer.json()
    return path


def kept_files() -> set[Path]:
    return {p for p in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if p.is_file()}


WHOLE = images.encode_png(np.random.default_rng(0).random((30, 40, 3), np.float32))
BAD = {
    **{name: (data, "not a PNG, JPEG, WebP") for name, data in TEXTS.items()},
    "cut": (WHOLE[:-40], "incomplete or damaged"),
    "checksum": (WHOLE[:-20] + b"xxxx" + WHOLE[-16:], "incomplete or damaged"),
    "header": (png_header_only(60_000, 60_000), "pixels"),
    "bomb": (bomb(9_000, 9_000), "pixels"),
    "no pixels": (png_header_only(0, 10), "x.png"),
    "large array": (npy_header_only((60_000, 60_000, 3)), "x.png"),
    "one pixel": (saved(plain(size=(1, 1)), "PNG"), "too small"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_are_one_line_and_not_kept(http, client, pair, kind):
    data, message = BAD[kind]
    path = upload(http, data)
    # Without its mark: the client would take what is kept for a file of its own and send it again.
    values = {"content": {"path": path, "orig_name": "x.png"}}
    with pytest.raises(AppError) as caught:
        client.predict(**request(pair) | values)
    line = str(caught.value)
    assert message in line
    assert "\n" not in line
    assert "Traceback" not in line
    assert "/" not in line.replace("JPEG", "").replace("x.png", "")
    assert "echo" not in line
    if kind != "one pixel":
        assert data == b"" or data not in Path(path).read_bytes()
        assert images.read_image(Path(path)).pixels.ndim == 3  # the refusal, to be read


@pytest.mark.parametrize("kind", ["HEIC", "AVIF", "GIF"])
def test_what_browsers_may_not_show_is_kept_as_png(http, kind):
    path = Path(upload(http, saved(plain(size=(40, 30)), kind), f"photo.{kind.lower()}"))
    assert path.read_bytes().startswith(b"\x89PNG")
    np.testing.assert_allclose(images.read_image(path).pixels[9, 9], [1, 0, 0], atol=0.02)


def test_metadata_and_what_lies_behind_a_picture_are_dropped(http, client, pair):
    place = Image.Exif()
    place[0x0112] = 6  # to be turned
    place.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    place[0x010E] = "taken at home"
    data = saved(plain(size=(60, 40)), "JPEG", exif=place, comment=b"mine") + b"PK\x03\x04 a ZIP"
    path = upload(http, data, "holiday.jpg")
    kept = http.get(f"gradio_api/file={path}").content
    values = {"content": {"path": path, "orig_name": "holiday.jpg", "meta": META}}
    (result,) = client.predict(**request(pair) | values)
    for png in (kept, Path(result).read_bytes()):
        opened = Image.open(io.BytesIO(png))
        assert opened.format == "PNG"
        assert len(opened.getexif()) == 0
        assert set(opened.info) <= {recipes.TEXT_KEY}
        for secret in (b"Exif", b"taken at home", b"mine", b"PK\x03\x04"):
            assert secret not in png
    assert Image.open(io.BytesIO(kept)).size == (40, 60)  # upright


def test_notes_and_recipes_survive_the_cleaning_and_cannot_be_forged(tmp_path):
    forged = images.encode_png(
        np.zeros((20, 20, 3), np.float32),
        text={"rrstyle": "{}", "rrstyle-notes": '["trust me"]', "rrstyle-refusal": "no"},
    )
    (tmp_path / "a.png").write_bytes(forged)
    kept = uploads.keep(tmp_path / "a.png", tmp_path)
    assert uploads.refusal(kept) is None
    assert uploads.notes(kept) == ()
    assert images.read_png_text(kept, "rrstyle") == "{}"
    (tmp_path / "b").mkdir()
    Image.new("RGBA", (20, 20), (255, 0, 0, 51)).save(tmp_path / "b.png")
    (note,) = uploads.notes(uploads.keep(tmp_path / "b.png", tmp_path / "b"))
    assert "white" in note


def test_eight_bit_pictures_are_kept_as_they_are(tmp_path):
    (tmp_path / "a.png").write_bytes(WHOLE)
    kept = uploads.keep(tmp_path / "a.png", tmp_path)
    before, after = (images.read_image(path).pixels for path in (tmp_path / "a.png", kept))
    assert images.digest(before) == images.digest(after)


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(images.encode_png(np.zeros((40, 40, 3), np.float32), text={"x": SECRET}))
    return path


def test_no_path_or_link_of_a_client_is_opened(http, client, pair, secret, monkeypatch):
    opened: list = []
    read = images.read_bytes

    def watched(source, name=None):
        opened.append(source)
        return read(source, name)

    monkeypatch.setattr(images, "read_bytes", watched)
    folder = os.environ["GRADIO_TEMP_DIR"]
    port = http.base_url.port
    targets = [
        str(secret),
        f"{folder}/../../../../../../../..{secret}",
        os.path.relpath(secret, folder),
        "/etc/passwd",
        "pyproject.toml",
        __file__,
        f"file://{secret}",
        f"http://127.0.0.1:{port}/health",
        "https://example.com/a.png",
        "\0",
        "x" * 5000,
        folder,
    ]
    call = "gradio_api/call/stylise"
    for target in targets:
        for value in (
            {"path": target, "meta": META},
            {"path": None, "url": target, "meta": META},
            {"path": "x.png", "url": target, "meta": META, "orig_name": target},
        ):
            body = {"data": [value, ["waves"], None, "transport", 1, 0, False, 1, 48, 1, 0, None]}
            event = http.post(call, json=body).json().get("event_id")
            if event is None:
                continue  # refused at once
            answer = http.get(f"{call}/{event}").text
            assert "event: error" in answer, (value, answer)
            assert SECRET not in answer
            assert "Traceback" not in answer
    assert {str(source) for source in opened} <= {folder}  # a folder is asked for and refused


def test_a_link_inside_the_uploads_leads_nowhere(http, client, pair, secret):
    path = Path(upload(http, WHOLE))
    link = path.with_name("link.png")
    link.symlink_to(secret)
    values = {"content": {"path": str(link), "orig_name": "x.png"}}  # see above
    with pytest.raises(AppError, match="not an uploaded file"):
        client.predict(**request(pair) | values)
    link.unlink()


def test_no_file_is_served_but_the_session_s_own(http, client, pair, secret):
    client.predict(**request(pair))
    folder = os.environ["GRADIO_TEMP_DIR"]
    kept = next(path for path in kept_files() if path.name.startswith("stylised"))
    for target in (
        str(secret),
        __file__,
        guards.__file__,
        "/etc/passwd",
        "pyproject.toml",
        "../.lock",
        f"{folder}/../.lock",
        f"{folder}/../../../../../..{secret}",
        f"{folder}/%2e%2e/.lock",
        folder,
        str(kept.parent),
        f"file://{secret}",
        "https://example.com/a.png",
        f"http://127.0.0.1:{http.base_url.port}/health",
    ):
        for form in ("gradio_api/file=", "gradio_api/file/", "file=", "static/", "assets/"):
            answer = http.get(f"{form}{target}", follow_redirects=True)
            assert answer.status_code >= 400, (form, target)
            assert SECRET.encode() not in answer.content
            assert b"Traceback" not in answer.content


def test_another_s_files_have_names_that_cannot_be_guessed_or_listed(http, client, pair):
    client.predict(**request(pair))
    made = [path for path in kept_files() if path.name.startswith("stylised")]
    assert all(re.fullmatch("[0-9a-f]{32}", path.parent.name) for path in made)
    assert len({path.parent for path in made}) == len(made)
    # The same picture twice is two files: who has it learns nothing of who else has.
    paths = {upload(http, WHOLE) for _ in range(2)}
    assert len(paths) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", Path(path).parent.name) for path in paths)
    # A link to a file does not travel to other sites.
    answer = http.get(f"gradio_api/file={made[0]}")
    assert answer.status_code == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    named = {path.parent.name for path in made}
    for listing in ("config", "gradio_api/info", "gradio_api/queue/status", "monitoring/summary"):
        assert not any(name in http.get(listing).text for name in named)


def test_routes_of_no_use_are_closed(http):
    for path in (
        "gradio_api/deep_link?session_hash=x",
        "gradio_api/proxy=https://example.com/",
        "gradio_api/proxy=http://127.0.0.1/",
        "gradio_api/runs",
        "gradio_api/vibe-code",
        "gradio_api/custom_component/x/client/y/z",
        "monitoring",
        "monitoring/summary",
    ):
        assert http.get(path).status_code == 404, path
    for path in ("gradio_api/component_server", "gradio_api/process_recording"):
        assert http.post(path, json={}).status_code == 404, path


def head_only(http: httpx.Client, head: str) -> str:
    """The first line of the answer to a request whose body never comes."""
    with socket.create_connection(("127.0.0.1", http.base_url.port), timeout=60) as plain:
        plain.sendall(f"{head}\r\nHost: localhost\r\n\r\n".encode())
        return plain.recv(100).decode().splitlines()[0]


def test_requests_are_limited_before_they_are_read(http):
    form = "POST /gradio_api/upload HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    posted = "POST /gradio_api/queue/join HTTP/1.1\r\n"
    assert " 413 " in head_only(http, f"{form}Content-Length: {MAX_BYTES * 2}")
    assert " 413 " in head_only(http, f"{posted}Content-Length: {10 * 2**20}")
    assert " 411 " in head_only(http, f"{form}Transfer-Encoding: chunked")


def test_a_file_above_the_limit_is_refused(http, monkeypatch):
    before = kept_files()
    large = io.BytesIO(bytes(MAX_BYTES + 10))
    answer = http.post("gradio_api/upload", files={"files": ("x.png", large)})
    assert answer.status_code == 413
    assert kept_files() == before


def test_garbage_gets_no_trace(http, capfd):
    bodies = [b"", b"{", b"[]", b"null", json.dumps({"data": {"a": 1}}).encode(), b"\xff" * 100]
    bodies += [json.dumps({"data": data}).encode() for data in ([], [None] * 50, "x", [[]] * 3)]
    bodies += [b"NaN", b"[NaN]", b'{"data": NaN}', b'{"data": [NaN], "session_hash": Infinity}']
    for path in (
        "gradio_api/call/stylise",
        "gradio_api/call/none",
        "gradio_api/call/v2/stylise",
        "gradio_api/queue/join",
        "gradio_api/run/stylise",
        "gradio_api/upload",
    ):
        for body in bodies:
            answer = http.post(path, content=body, headers={"content-type": "application/json"})
            assert answer.status_code < 500 or "run/" in path, (path, body)
            text = answer.text
            if "event_id" in text:
                text = http.get(f"{path}/{answer.json()['event_id']}").text
            assert "Traceback" not in text
            assert "site-packages" not in text
            assert ".py" not in text
    log = capfd.readouterr().err
    assert "Exception in ASGI" not in log
    assert "not JSON compliant" not in log
