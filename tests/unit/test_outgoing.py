"""Requests to addresses that users give go to what was checked, end in time, and say nothing that is secret."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import DeniedError, InputError, RemoteError
from core.outgoing import post
from tests.unit.alerts.servers import Hooks, Reply, certificate, settings_set

Use = Callable[..., None]


@pytest.fixture
def use() -> Iterator[Use]:
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(settings_set(**settings))


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    with Hooks() as server:
        yield server


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answers of a name server, of which each is given once; the last one stays."""
    answers: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "hooks.test", f"{host} was looked up"
        return [(0, 0, 0, "", (answers.pop(0) if len(answers) > 1 else answers[0], port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


def test_a_body_is_sent_with_its_headers_and_the_name_of_the_host(use: Use, hooks: Hooks, look_ups: list[str]) -> None:
    use()
    look_ups.append("127.0.0.1")
    answer = post(f"http://hooks.test:{hooks.port}/a?b=c#d", b"body", {"X-Own": "x", "Host": "other"})
    assert answer.status == 200
    (request,) = hooks.requests
    assert (request.path, request.body) == ("/a?b=c", b"body")
    assert request.headers["Host"] == f"hooks.test:{hooks.port}"
    assert (request.headers["X-Own"], request.headers["User-Agent"]) == ("x", "Plumbline")


def test_a_connection_goes_to_the_address_that_was_checked(use: Use, hooks: Hooks, look_ups: list[str]) -> None:
    """A name whose address changes after it was checked leads nowhere else: it is not looked up again."""
    use(PROFILE="team", OUTBOUND_HOSTS="127.0.0.1")
    with Hooks("127.0.0.2", port=hooks.port) as inner:
        look_ups += ["127.0.0.1", "127.0.0.2"]
        assert post(f"http://hooks.test:{hooks.port}/", b"x", {}).status == 200
        assert (len(hooks.requests), len(inner.requests)) == (1, 0)
        with pytest.raises(DeniedError, match="an address of this machine"):
            post(f"http://hooks.test:{hooks.port}/", b"x", {})
        assert (len(hooks.requests), len(inner.requests)) == (1, 0)


@pytest.mark.parametrize("profile", ["team", "demo"])
def test_the_own_network_is_not_reached_where_several_people_use_a_server(use: Use, hooks: Hooks, profile: str) -> None:
    use(PROFILE=profile)
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1."):
        with pytest.raises(DeniedError):
            post(f"http://{host}:{hooks.port}/", b"x", {})
    for url in (f"http://2130706433:{hooks.port}/", f"http://a:b@127.0.0.1:{hooks.port}/", "file:///etc/passwd"):
        with pytest.raises(InputError):
            post(url, b"x", {})
    assert hooks.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(use: Use, hooks: Hooks, status: int) -> None:
    use(PROFILE="team", OUTBOUND_HOSTS=f"127.0.0.1:{hooks.port}")
    with Hooks() as inner:
        for target in (inner.url, "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "/other"):
            hooks.replies = [Reply(status, {"Location": target})]
            assert post(hooks.url, b"x", {}).status == status
        assert inner.requests == []
    assert [request.path for request in hooks.requests] == ["/hook"] * 4


def test_proxies_of_the_environment_are_not_used(use: Use, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    use()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(hooks.url, b"x", {}).status == 200


@pytest.mark.parametrize("reply", [Reply(wait_s=3.0), Reply(drips=True)])
def test_a_server_that_takes_its_time_is_left(use: Use, hooks: Hooks, reply: Reply) -> None:
    use()
    hooks.replies = [reply]
    began = time.monotonic()
    with pytest.raises(RemoteError, match=r"did not answer within 0\.3 s"):
        post(hooks.url, b"x", {}, timeout_s=0.3)
    assert time.monotonic() - began < 2.5


def test_the_body_of_an_answer_is_not_read(use: Use, hooks: Hooks) -> None:
    use()
    hooks.replies = [Reply(500, {"Content-Length": str(1 << 40), "Retry-After": "7"}, b"x" * 100_000)]
    answer = post(hooks.url, b"x", {})
    assert (answer.status, answer.retry_after) == (500, "7")


def test_what_is_wrong_is_said_without_what_was_sent(use: Use, hooks: Hooks) -> None:
    use()
    hooks.replies = [Reply(closes=True)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        cases = {
            hooks.port: "closed the connection before it answered",
            free.getsockname()[1]: "refuses connections",
        }
        for port, message in cases.items():
            with pytest.raises(RemoteError, match=f"http://127.0.0.1:{port} {message}") as caught:
                post(f"http://127.0.0.1:{port}/secret?secret", b"secret", {"X": "secret"})
            assert "secret" not in str(caught.value)
            assert caught.value.__suppress_context__


def test_a_server_of_something_else_is_said_to_be_one(use: Use) -> None:
    use()
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1_000)
                connection.sendall(b"SSH-2.0-x\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(RemoteError, match="does not speak HTTP as it should"):
            post(f"http://127.0.0.1:{other.getsockname()[1]}/", b"x", {}, timeout_s=3)


def test_certificates_are_those_of_the_name(
    use: Use, look_ups: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(PROFILE="team", OUTBOUND_HOSTS="hooks.test")
    public, context = certificate(tmp_path, "hooks.test")
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    look_ups.append("127.0.0.1")
    with Hooks(context=context) as server:
        url = f"https://hooks.test:{server.port}/x"
        with pytest.raises(RemoteError, match=r"The certificate of https://hooks\.test:\d+ is not trusted"):
            post(url, b"x", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        assert post(url, b"x", {}).status == 200
        assert asked == ["hooks.test"] * 2
    public, context = certificate(tmp_path, "other.test")
    with Hooks(context=context) as server, pytest.raises(RemoteError, match="Hostname mismatch"):
        post(f"https://hooks.test:{server.port}/x", b"x", {})


def test_an_address_that_does_not_answer_is_followed_by_the_next_one(
    use: Use, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    use()
    ips = ["127.0.0.9", "127.0.0.1"]  # nothing listens on the first
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [(0, 0, 0, "", (ip, port)) for ip in ips])
    assert post(f"http://hooks.test:{hooks.port}/", b"x", {}).status == 200


def test_plain_http_is_not_taken_for_tls(use: Use, hooks: Hooks) -> None:
    use()
    with pytest.raises(RemoteError, match="does not speak TLS"):
        post(hooks.url.replace("http:", "https:"), b"x", {})
    assert hooks.requests == []
