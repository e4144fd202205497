"""Which hosts the app answers to, and that pages of other sites can do nothing."""

import httpx
import pytest
from starlette.datastructures import Headers

from apps.service import guards
from apps.service.limits import ServerConfig
from apps.service.server import serving
from tests.apps.service.test_security import WHOLE, kept_files
from tests.support.app_client import GRADIO_WARNINGS, free_port, offline

pytestmark = [*GRADIO_WARNINGS, pytest.mark.usefixtures("offline")]
__all__ = ["offline"]


@pytest.fixture(scope="module")
def http():
    alone = httpx.Limits(max_keepalive_connections=0)
    options = {"trust_env": False, "timeout": 60, "limits": alone}
    with (
        serving(ServerConfig(port=free_port())) as url,
        httpx.Client(base_url=url, **options) as client,
    ):
        yield client


def preflight(origin: str) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": "POST"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/", "/config", "/health", "/gradio_api/info"])
def test_another_host_is_not_served(http, host, path):
    answer = http.get(path, headers={"host": host.format(port=http.base_url.port)})
    assert answer.status_code == 421
    assert "--allow-host" in answer.text
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:80"])
def test_this_machine_is_served_by_all_its_names(http, host):
    headers = {"host": host.format(port=http.base_url.port)}
    assert http.get("/health", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "file://",
        "127.0.0.1",
    ],
)
def test_a_page_of_another_site_can_do_nothing(http, origin):
    before = kept_files()
    calls = [
        ("POST", "gradio_api/upload", {"files": {"files": ("x.png", WHOLE)}}),
        ("POST", "gradio_api/call/stylise", {"json": {"data": []}}),
        ("POST", "gradio_api/queue/join", {"json": {"data": [], "fn_index": 0}}),
        ("GET", "config", {}),
    ]
    for method, path, body in calls:
        answers = [http.request(method, path, headers={"origin": origin}, **body)]
        answers.append(http.options(path, headers=preflight(origin)))
        for answer in answers:
            assert answer.status_code == 403, (path, answer.text)
            assert "access-control-allow-origin" not in answer.headers
    assert kept_files() == before


def test_a_name_that_another_server_resolves_to_this_machine_is_refused_with_its_page(http):
    port = http.base_url.port
    rebound = {"host": f"evil.example:{port}", "origin": f"http://evil.example:{port}"}
    assert (
        http.post("gradio_api/call/stylise", json={"data": []}, headers=rebound).status_code == 421
    )
    assert http.options("config", headers=rebound | preflight(rebound["origin"])).status_code == 421


def test_its_own_page_is_served(http):
    own = {"origin": str(http.base_url).rstrip("/")}
    answer = http.post("gradio_api/upload", files={"files": ("x.png", WHOLE)}, headers=own)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("config", "host", "origin", "status"),
    [
        ({"allow_host": ("art.example.org",)}, "art.example.org", None, None),
        ({"allow_host": ("Art.example.org",)}, "127.0.0.1:7860", "https://ART.example.org", None),
        ({"allow_host": ("art.example.org",)}, "127.0.0.1:7860", "http://localhost:3000", 403),
        ({"allow_host": ("art.example.org",)}, "other.example.org", None, 421),
        ({"allow_host": ("art.example.org",), "host": "0.0.0.0"}, "10.0.0.7:7860", None, 421),
        ({"allow_host": ("10.0.0.7",), "host": "0.0.0.0"}, "10.0.0.7:7860", None, None),
        ({"host": "0.0.0.0"}, "10.0.0.7:7860", "http://10.0.0.7:7860", None),
        ({"host": "0.0.0.0"}, "10.0.0.7:7860", "http://evil.example", 403),
        ({"host": "::1"}, "evil.example", None, 421),
        ({}, "localhost:7860", "http://localhost:7860", None),
        ({}, "localhost:7860", "ftp://localhost:7860", 403),
    ],
)
def test_hosts_and_origins_by_setting(config, host, origin, status):
    headers = {"host": host} | ({"origin": origin} if origin else {})
    found = guards._foreign(Headers(headers), ServerConfig(**config).hosts)
    assert (found and found[0]) == status


@pytest.mark.parametrize("name", ["https://example.org", "example.org:80", "", "a b", "[::1"])
def test_names_that_are_no_hosts(name):
    with pytest.raises(ValueError, match=r"allow-host must be names such as example\.org"):
        ServerConfig(allow_host=(name,))
