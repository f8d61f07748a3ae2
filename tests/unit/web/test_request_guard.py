"""Requests under a foreign name, or from a page of another site, are not answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit import config

from web.request_guard import RequestGuard

OWN = "http://localhost:8501"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """The server is known as localhost and as app.example.org, and one site may send requests to it."""
    values = {
        "server.allowedHosts": ["localhost", "127.0.0.1", "app.example.org"],
        "server.corsAllowedOrigins": ["https://friend.example"],
    }
    before = {name: config.get_option(name) for name in values}
    for name, value in values.items():
        config.set_option(name, value)
    yield
    for name, value in before.items():
        config.set_option(name, value)


def answer(kind: str, host: str | None, origin: str | None = None, method: str = "GET") -> int:
    """Return the status of a request to the guarded application, that of a WebSocket's handshake where it is one."""
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"} if kind == "websocket" else {"type": f"{kind}.done", "status": 200})

    async def receive() -> dict[str, str]:
        return {"type": f"{kind}.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = ((b"host", host), (b"origin", origin))
    headers = [(name, value.encode("latin-1")) for name, value in pairs if value is not None]
    scope: Any = {"type": kind, "path": "/", "headers": headers} | ({"method": method} if kind == "http" else {})
    guard: Any = RequestGuard(application)
    with ThreadPoolExecutor(1) as thread:  # a browser test of the same process may have a loop in this one
        thread.submit(asyncio.run, guard(scope, receive, send)).result()
    first = sent[0]
    if kind == "websocket":
        return 101 if first["type"] == "websocket.accept" else 403
    return int(first["status"])


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8501", OWN, True),
        ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
        ("app.example.org", "https://app.example.org", True),  # behind a proxy that ends TLS
        ("localhost:8501", "https://friend.example", True),
        ("localhost:8501", None, True),  # a program, which sends no origin
        ("evil.example:8501", "http://evil.example:8501", False),  # a name that was pointed at this machine
        ("evil.example:8501", None, False),
        ("localhost.evil.example", "http://localhost.evil.example", False),
        ("localhost@evil.example", None, False),
        ("", None, False),
        (None, None, False),
        ("localhost:8501", "http://evil.example", False),
        ("localhost:8501", "http://localhost:3000", False),  # another program of this machine
        ("localhost:8501", "https://friend.example.evil.example", False),
        ("localhost:8501", "null", False),
        ("localhost:8501", "http://[", False),
        ("localhost:8501", "", False),
    ],
)
def test_who_is_answered(host: str | None, origin: str | None, allowed: bool) -> None:
    assert answer("websocket", host, origin) == (101 if allowed else 403)
    for method in ("PUT", "POST", "DELETE"):
        assert answer("http", host, origin, method) == (200 if allowed else 403)


def test_a_link_from_another_site_opens_a_page_but_not_under_a_foreign_name() -> None:
    assert answer("http", "localhost:8501", "http://evil.example") == 200  # it cannot read the answer
    assert answer("http", "evil.example", "http://evil.example") == 403


def test_what_is_neither_a_request_nor_a_socket_passes() -> None:
    assert answer("lifespan", None) == 200


def test_protection_that_was_turned_off_is_off() -> None:
    config.set_option("server.enableCORS", False)
    try:
        assert answer("websocket", "localhost:8501", "http://evil.example") == 101
        assert answer("websocket", "evil.example", "http://evil.example") == 403
    finally:
        config.set_option("server.enableCORS", True)
