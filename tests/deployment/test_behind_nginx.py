"""Two web processes on one PostgreSQL database and one storage, behind nginx with the configuration that is shipped."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks.nginx import NAME, NGINX, running_nginx
from benchmarks.streamlit_client import Visitor
from core.access import LOCAL
from core.catalog import RunState, runs
from tests.browser.conftest import Server, start_server, stop_server
from tests.unit.catalog.conftest import postgresql  # noqa: F401  (a fixture)
from tests.unit.web.asgi import in_thread

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (apt-get install nginx-light)"),
]
ALLOWED = tuple(f"--server.allowedHosts={name}" for name in (NAME, "localhost", "127.0.0.1"))


@dataclass
class Site:
    """What the tests use."""

    url: str
    port: int
    servers: list[Server]

    def visitor(self) -> Visitor:
        """Return a new visitor, who has loaded the page."""
        visitor = Visitor(self.url, NAME)
        assert visitor.get("/")[0] == 200
        return visitor

    def answered(self) -> list[float]:
        """Return how often each process has answered a request for robots.txt."""
        counts = []
        for server in self.servers:
            with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
            counts.append(
                sum(float(line.split()[-1]) for line in lines if "requests_total" in line and "robots" in line)
            )
        return counts


@pytest.fixture(scope="module")
def site(postgresql: str, installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: F811
    import psycopg

    folder = tmp_path_factory.mktemp("site")
    database = f"site_{secrets.token_hex(4)}"
    with psycopg.connect(postgresql, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {database}")
    url = postgresql.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", f"/{database}")
    shared = {"DATABASE": url, "STORAGE": str(folder / "storage")}
    environment = {f"PLUMBLINE_{name}": value for name, value in shared.items()}
    servers = [start_server(folder / f"home{i}", options=ALLOWED, environment=environment) for i in range(2)]
    try:
        ports = [server.port for server in servers]
        with (
            running_nginx(folder / "nginx", ports, client_header_timeout="1s", client_body_timeout="1s") as port,
            installation(folder / "own", **shared),
        ):
            yield Site(f"https://127.0.0.1:{port}", port, servers)
    finally:
        for server in servers:
            stop_server(server)


def test_a_visitor_stays_with_one_process_and_both_are_used(site: Site) -> None:
    used: Counter[int] = Counter()
    for _ in range(8):
        visitor, before = site.visitor(), site.answered()
        for _ in range(4):
            assert visitor.get("/robots.txt")[0] == 200
        gained = [after - earlier for after, earlier in zip(site.answered(), before, strict=True)]
        assert sorted(gained) == [0, 4]
        used[gained.index(4)] += 1
    assert len(used) == 2


def test_a_run_that_one_process_starts_is_seen_by_the_other(site: Site) -> None:
    async def walk() -> None:
        visitor = site.visitor()
        await visitor.open()
        home = await visitor.view()
        await visitor.view(press=home.button("Load the Adult sample"))
        await visitor.close()
        deadline = time.monotonic() + 90
        while not (ended := runs.find(states=[RunState.SUCCEEDED], access=LOCAL)) and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
        assert ended
        for server in site.servers:
            own = Visitor(server.url)
            own.get("/")
            await own.open()
            assert ended[0].id in (await own.view("runs", f"run={ended[0].id}")).texts
            await own.close()

    in_thread(walk())  # a browser test of the same process may have a loop in this one


def test_headers_come_once_and_cookies_are_for_this_site_alone(site: Site) -> None:
    status, headers, _ = Visitor(site.url, NAME).get("/")
    names = Counter(name.lower() for name, _ in headers)
    assert status == 200
    for name in (
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "permissions-policy",
        "strict-transport-security",
    ):
        assert names[name] == 1, name
    (cookie,) = [
        value for name, value in headers if name.lower() == "set-cookie" and value.startswith("plumbline_node")
    ]
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_for_the_machine_is_not_passed_on_and_foreign_names_are_refused(site: Site) -> None:
    for path in (
        "/metrics",
        "/ready",
        "/_stcore/metrics",
        "/_stcore/agent/interact",
        "/%6Detrics",
        "//metrics",
        "/ready/",
    ):
        for headers in ({}, {"X_Forwarded_For": "127.0.0.1"}):
            status, _, body = Visitor(site.url, NAME).get(path, **headers)
            assert status == 403 or b"<html" in body, path
    assert Visitor(site.url, "evil.example").get("/")[0] == 403
    assert Visitor(site.url, NAME).get("/robots.txt")[0] == 200


def half_sent(site: Site, sent: bytes) -> tuple[bytes, float]:
    """Send a part of a request; return the answer, and the seconds until the connection was closed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    began = time.monotonic()
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname=NAME) as tls,
    ):
        tls.sendall(sent)
        answer = b""
        try:
            while data := tls.recv(65_536):
                answer += data
        except (ConnectionError, ssl.SSLError):  # reset_timedout_connection
            pass
        return answer, time.monotonic() - began


def test_half_sent_requests_are_closed(site: Site) -> None:
    header = f"GET / HTTP/1.1\r\nHost: {NAME}\r\nX-Slow: ".encode()
    body = f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 1000\r\n\r\nhalf".encode()
    for sent in (header, body):
        answer, seconds = half_sent(site, sent)
        assert seconds < 15
        assert b" 200 " not in answer


def test_too_large_and_too_many_are_refused(site: Site) -> None:
    visitor = site.visitor()
    assert visitor.get("/", "POST", bytes(100_000))[0] == 413
    large = f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 3000000000\r\n\r\n".encode()
    assert b" 413 " in half_sent(site, large)[0].split(b"\r\n")[0]
    statuses = Counter(visitor.get("/oauth2callback")[0] for _ in range(60))
    assert statuses[429] > 10
    assert len(statuses) > 1
    assert visitor.get("/robots.txt")[0] == 200
