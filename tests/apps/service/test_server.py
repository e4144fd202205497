"""The server: options, login, health, root path, what it keeps, and how it ends."""

import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from gradio_client.exceptions import AppError, AuthenticationError

from apps import cli
from apps.command.app import read_auth
from apps.service import server
from apps.service.limits import Folders, Limits, ServerConfig
from rrstyle.pictures import images
from tests.support.app_client import (
    GRADIO_WARNINGS,
    SIDE,
    app_process,
    connect,
    free_port,
    offline,
    request,
    write_pair,
)

pytestmark = [*GRADIO_WARNINGS, pytest.mark.usefixtures("offline")]
__all__ = ["offline"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("pair"))


def get(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False)


def test_options_become_the_configuration(tmp_path, monkeypatch):
    got: list[ServerConfig] = []
    monkeypatch.setattr(server, "launch", got.append)
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    words = "app --host 0.0.0.0 --port 7999 --queue 3 --max-side 512 --max-jobs 2 --root-path /art"
    assert cli.main([*words.split(), "--auth", f"ada:{secret}", "--results", str(tmp_path)]) == 0
    assert got == [
        ServerConfig(
            host="0.0.0.0",
            port=7999,
            root_path="/art",
            auth=("ada", "open sesame"),
            limits=Limits(queue=3, max_side=512, max_jobs=2),
            folders=Folders(results=tmp_path),
        )
    ]
    assert "sesame" not in repr(got)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--queue -1", "queue must be an integer from 0 to 1000; received -1"),
        ("--max-side 9000", "max-side must be an integer from 32 to 8192; received 9000"),
        ("--root-path art/", "root-path must be a path such as /rrstyle; received 'art/'"),
        ("--auth ada", "auth must be USER:FILE, a name and a file that holds the password"),
        ("--auth :file", "auth must be USER:FILE, a name and a file that holds the password"),
        ("--runs nowhere", "runs must be a folder; received 'nowhere'"),
    ],
)
def test_a_wrong_option_is_one_line(words, line, capsys):
    assert cli.main(["app", *words.split()]) == 1
    assert capsys.readouterr().err == f"rrstyle: {line}\n"


@pytest.mark.parametrize("content", [b"", b"\n", b" \n", b"a\nb\n", b"\xff\xfe", b"x" * 2000])
def test_a_password_is_one_line_of_a_file(tmp_path, content):
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    with pytest.raises(ValueError, match="secret must hold a password on one line") as caught:
        read_auth(f"ada:{secret}")
    assert "xxx" not in str(caught.value)
    with pytest.raises(OSError, match="no such file"):
        read_auth(f"ada:{tmp_path / 'none'}")


def test_a_taken_port_is_one_line():
    home = Path.cwd()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            server.launch(ServerConfig(port=port))
    assert Path.cwd() == home


def test_login_protects_all_but_the_health_of_a_server_behind_a_proxy(pair):
    config = ServerConfig(
        port=free_port(), auth=("ada", "open sesame"), root_path="/art", limits=Limits(queue=3)
    )
    with server.serving(config) as url:
        base = f"http://127.0.0.1:{config.port}"
        healthy = {"status": "ok", "version": cli._version(), "running": 0, "waiting": 0, "free": 3}
        # A proxy may pass its path on, or take it off.
        assert get(f"{base}/health").json() == get(f"{base}/art/health").json() == healthy
        assert "/art/" in get(f"{base}/").text
        for path in ("config", "gradio_api/info", "gradio_api/file=/etc/passwd"):
            assert get(f"{base}/{path}").status_code == 401, path
        call = f"{base}/gradio_api/call/examples"
        assert httpx.post(call, json={"data": []}, trust_env=False).status_code == 401
        files = {"files": pair[0].read_bytes()}
        upload = f"{base}/gradio_api/upload"
        assert httpx.post(upload, files=files, trust_env=False).status_code == 401
        for auth in (None, ("ada", "wrong"), ("eve", "open sesame")):
            with pytest.raises((AuthenticationError, ValueError)):
                connect(base, auth=auth)
        client = connect(base, auth=("ada", "open sesame"))
        (path,) = client.predict(**request(pair))
        assert images.read_image(Path(path)).pixels.shape == (40, SIDE, 3)
        (kept,) = Path(os.environ["GRADIO_TEMP_DIR"]).rglob("stylised-seed-0.png")
        assert get(f"{base}/gradio_api/file={kept}").status_code == 401
        assert url


def test_files_expire(pair):
    limits = Limits(keep_hours=1.5 / 3600)
    with server.serving(ServerConfig(port=free_port(), limits=limits)) as url:
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        own = {path for path in folder.rglob("*") if path.is_file()}
        connect(url).predict(**request(pair))
        deadline = time.monotonic() + 60
        while {path for path in folder.rglob("*") if path.is_file()} != own:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert own  # the built-in pictures stay


def test_the_oldest_files_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_MOST_BYTES", 25)
    for number in range(4):
        path = tmp_path / f"{number}" / "file"
        path.parent.mkdir()
        path.write_bytes(bytes(10))
        os.utime(path, (time.time() - 100 + number,) * 2)
    own = tmp_path / "0" / "file"
    server._expire(tmp_path, 3600, {own})
    assert sorted(p.parent.name for p in tmp_path.rglob("file")) == ["0", "2", "3"]
    assert not (tmp_path / "1").exists()


def slow(pair, **others) -> dict:
    """A job of many pictures, which takes a while on any machine."""
    return request(pair, method="paint", size=160, variants=12, **others)


def wait_until(holds) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_kill_and_termination_in_the_middle_of_jobs(tmp_path, pair):
    folder = tmp_path / "tmp"
    with app_process(folder) as (process, url):
        job = connect(url).submit(**slow(pair))
        wait_until(lambda: any(job.outputs()))
        process.kill()
        process.wait(30)
    # What was written by then is whole: pictures, or nothing.
    left = [path for path in folder.rglob("stylised-*") if path.is_file()]
    assert left
    for path in left:
        assert images.read_image(path).pixels.shape == (133, 160, 3)

    with app_process(folder) as (process, url):
        # What the killed one left is gone: only the new one's own folder is there.
        assert len(list(folder.glob("rrstyle-scratch-*"))) == 1
        running = connect(url).submit(**slow(pair))
        wait_until(lambda: any(running.outputs()))
        waiting = connect(url).submit(**slow(pair, seed=50))
        wait_until(lambda: get(f"{url}health").json()["waiting"] == 1)
        described = waiting.status().progress_data
        process.send_signal(signal.SIGTERM)
        with pytest.raises(AppError, match="the server ended before the job began"):
            waiting.result(timeout=60)
        with pytest.raises(AppError, match="the server is ending and takes no new jobs"):
            connect(url).predict(**request(pair))
        # Twelve small pictures: the job ends, or on a slow machine is told that it cannot.
        error = running.exception(timeout=60)
        assert error is None or "the server ended before the job did" in str(error)
        assert process.wait(60) == 0
    assert described is None or "place 1 in the queue" in described[0].desc
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "outgoing.log").exists()
