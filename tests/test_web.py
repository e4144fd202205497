"""The app over loopback: as a client of its API sees it."""

import gc
import io
import socket
import threading
import time
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from apps import jobs, web
from rrstyle import images, recipes
from rrstyle.pipeline import Variant
from rrstyle.progress import Step

# All Gradio 6.31's own: event loops that it leaves to the garbage collector, sockets with them,
# and an option of pandas that is on its way out.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting':DeprecationWarning"),
]

SIDE = 48


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def refused():
    """Addresses outside this machine that something asked for; none is reached."""
    asked: list = []
    patch = pytest.MonkeyPatch()
    connect, lookup = socket.socket.connect, socket.getaddrinfo

    def is_here(host) -> bool:
        return host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", None, "")

    def guarded_connect(self, address):
        if isinstance(address, tuple) and not is_here(address[0]):
            asked.append(address)
            raise ConnectionRefusedError(f"a test must not connect to {address}")
        return connect(self, address)

    def guarded_lookup(host, *args, **kwargs):
        if not is_here(host.decode() if isinstance(host, bytes) else host):
            asked.append(host)
            raise socket.gaierror(f"a test must not look up {host}")
        return lookup(host, *args, **kwargs)

    # The client, not the app, would ask Hugging Face for a list of agents' names.
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket, "getaddrinfo", guarded_lookup)
    yield asked
    patch.undo()


@pytest.fixture(scope="module")
def url(refused):
    home = Path.cwd()
    with web.serving(port=free_port()) as address:
        assert not list(Path.cwd().iterdir())  # Gradio serves its working directory
        yield address
    assert Path.cwd() == home
    assert refused == []
    gc.collect()  # here, where the warnings of Gradio's leftovers are filtered


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    rng = np.random.default_rng(0)
    for name in ("photo", "style"):
        (folder / f"{name}.png").write_bytes(images.encode_png(rng.random((40, 48, 3))))
    return folder / "photo.png", folder / "style.png"


def request(pair, *, method="transport", variants=1, seed=3, **others) -> dict:
    """Keyword arguments of a call."""
    content, style = (handle_file(str(path)) for path in pair)
    values = {"content": content, "style": style, "method": method, "strength": 1}
    values |= {"variants": variants, "wildness": 0, "size": SIDE, "seed": seed}
    return values | {"api_name": "/stylise"} | others


def connect(url) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def gallery_of(outputs) -> list[str]:
    return [item["image"] for item in outputs[1]]


def test_the_app_needs_no_network(url, refused):
    # Built and served by now; the page may load its parts from here only.
    for part in ("", "theme.css"):
        page = httpx.get(f"{url}{part}", trust_env=False).text
        assert "fonts.googleapis" not in page
        assert "cdnjs" not in page
    assert web._THEME._stylesheets == []
    assert refused == []


def test_stylise_gives_pictures_a_slider_and_a_zip(url, pair):
    status, gallery, _, archive, *_ = outputs = connect(url).predict(**request(pair, variants=2))
    assert "Done: 2 pictures" in status
    assert [item["caption"] for item in gallery] == ["seed 3", "seed 4"]
    assert "<progress" in status
    with zipfile.ZipFile(archive["value"] if isinstance(archive, dict) else archive) as opened:
        made = {name: opened.read(name) for name in opened.namelist()}
    assert sorted(made) == ["stylised-seed-3.png", "stylised-seed-4.png"]
    for seed, png in zip((3, 4), made.values(), strict=True):
        recipe = recipes.read_recipe(io.BytesIO(png))
        assert (recipe.seed, recipe.config.method) == (seed, "transport")
        assert (recipe.content.name, recipe.style.name) == ("photo.png", "style.png")
        assert images.read_image(png).pixels.shape == (40, 48, 3)
    # What the gallery shows is the very file, not a lossy copy.
    shown = [Path(path).read_bytes() for path in gallery_of(outputs)]
    assert shown == list(made.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"only words", "words.png: not a PNG, JPEG, WebP, BMP or TIFF image"),
        (b"\x89PNG\r\n\x1a\n", "words.png"),
        (b"", "words.png"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a PNG"),
    ],
)
def test_a_bad_file_is_one_line(url, pair, tmp_path, content, message):
    bad = tmp_path / "words.png"
    bad.write_bytes(content)
    with pytest.raises(AppError) as caught:
        connect(url).predict(**request((bad, pair[1])))
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "/tmp" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 100_000}, "size must be a whole number"),
        ({"variants": 99}, "variants must be a whole number"),
        ({"method": "magic"}, "method must be one of"),
        ({"strength": 7}, "strength must be from 0 to 1"),
        ({"content": None}, "photograph: no picture"),
    ],
)
def test_bad_values_are_one_line(url, pair, values, message):
    with pytest.raises(AppError, match=message):
        connect(url).predict(**request(pair, **values))


def test_only_uploads_are_opened(url, pair, refused):
    meta = {"_type": "gradio.FileData"}
    for path in (__file__, "/etc/hostname", "https://example.com/a.png"):
        with pytest.raises(AppError) as caught:
            connect(url).predict(**request(pair, content={"path": path, "meta": meta}))
        assert "root:" not in str(caught.value)
    for inline in ("data:image/png;base64,AAAA", "https://example.com/a.png"):
        with pytest.raises(AppError, match="no picture"):
            connect(url).predict(
                **request(pair, content={"path": None, "url": inline, "meta": meta})
            )
    assert refused == []


def test_links_and_other_files_are_not_served(url, refused):
    source = Path(web.__file__)
    for target in ("https://example.com/a.png", str(source), "/etc/passwd", "pyproject.toml"):
        answer = httpx.get(f"{url}gradio_api/file={target}", trust_env=False)
        assert answer.status_code in (403, 404), target
    assert refused == []


class Slow:
    """In place of the pipeline: a picture at once, the next only after many steps."""

    def __init__(self):
        self.may_go_on = threading.Event()

    def variants(self, content, style, config, *, n, seed, on_step):
        yield Variant(seed, content)
        for i in range(n - 1):
            while not self.may_go_on.wait(0.05):
                on_step(Step("working", (i + 1) / n))
            yield Variant(seed + i + 1, content)


@pytest.fixture
def slow(monkeypatch):
    work = Slow()
    monkeypatch.setattr(jobs, "variants", work.variants)
    yield work
    work.may_go_on.set()


def wait_for_picture(job) -> None:
    deadline = time.monotonic() + 20
    while not any(len(update[1]) == 1 for update in job.outputs() if isinstance(update[1], list)):
        assert time.monotonic() < deadline, "no picture came"
        time.sleep(0.05)


def test_stop_keeps_the_finished_pictures(url, pair, slow):
    client = connect(url)
    job = client.submit(**request(pair, variants=4))
    wait_for_picture(job)
    started = time.monotonic()
    client.predict(api_name="/stop")
    outputs = job.result(timeout=20)
    assert time.monotonic() - started < 5
    assert "Stopped: 1 of 4 done and kept" in outputs[0]
    assert len(gallery_of(outputs)) == 1


def test_a_session_does_not_stop_another(url, pair, slow):
    mine, other = connect(url), connect(url)
    job = mine.submit(**request(pair, variants=2, seed=10))
    wait_for_picture(job)
    other.predict(api_name="/stop")
    later = other.submit(**request(pair, seed=20))  # has to wait: one heavy job at a time
    time.sleep(1)
    assert not job.done()
    assert not later.done()
    slow.may_go_on.set()
    first, second = job.result(timeout=20), later.result(timeout=20)
    assert [item["caption"] for item in first[1]] == ["seed 10", "seed 11"]
    assert [item["caption"] for item in second[1]] == ["seed 20"]


def test_a_taken_port_is_one_line():
    home = Path.cwd()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            web.launch(port=port)
    assert Path.cwd() == home


def test_texts_cannot_be_markup():
    line = web.handlers.status_html("<img src=x onerror=alert(1)> ${1 + 1}", 0.5)
    assert "<img" not in line
    assert 'value="0.500"' in line
