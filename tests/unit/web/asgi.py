"""A small application behind the server's middleware, and requests to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answer", "ask", "in_thread", "scope_of"]

App = Callable[..., Awaitable[None]]


@dataclass
class Answer:
    """What was sent, and how much of the body had been read when the answer began."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0
    read_before: int = 0

    @property
    def status(self) -> int:
        """Status; 101 of an open WebSocket."""
        first = self.sent[0]
        return 101 if first["type"] == "websocket.accept" else int(first.get("status", 403))

    @property
    def text(self) -> str:
        """Body."""
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    @property
    def headers(self) -> dict[str, str]:
        """Headers, each of which came once."""
        pairs = [(name.decode(), value.decode()) for name, value in self.sent[0].get("headers", [])]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)


def scope_of(
    path: str = "/", method: str = "GET", *, address: str = "192.0.2.1", kind: str = "http", **headers: str
) -> Any:
    """Return the scope of a request."""
    pairs = {"host": "localhost:8501"} | headers
    encoded = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in pairs.items()]
    scope = {"type": kind, "path": path, "headers": encoded, "client": (address, 40_000), "query_string": b""}
    return scope | ({"method": method} if kind == "http" else {"extensions": {"websocket.http.response": {}}})


async def ask(app: Any, scope: Any, body: Iterable[bytes] = ()) -> Answer:
    """Send a request and return its answer."""
    answer, chunks = Answer(), list(body)

    async def receive() -> dict[str, Any]:
        if scope["type"] == "websocket":
            return {"type": "websocket.connect"}
        chunk = chunks.pop(0) if chunks else b""
        answer.read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(message: dict[str, Any]) -> None:
        if not answer.sent:
            answer.read_before = answer.read
        answer.sent.append(message)

    await app(scope, receive, send)
    return answer


def in_thread(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine: a browser test of the same process may have a loop in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
