"""Limits on how many requests and open pages one address has, and how fast an open page sends what it wants done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from web import counters
from web.limits import WebLimits, web_limits
from web.paths import purpose
from web.peer import address_of
from web.refusal import Refusal, refuse
from web.token_buckets import TokenBuckets

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestLimits"]

_TOO_MANY = 429
_SOCKET_RETRY_S = 30.0
_UNCOUNTED = ("health", "ready", "metrics", "streamlit-metrics")  # a page that lost its connection asks once per second
_PAGE = "page"


class RequestLimits:
    """Middleware that answers 429 to an address with too many requests, sign-ins or open pages.

    A page that asks for a rerun too often waits: its next message is taken when its turn comes, and until then none is
    read from its connection.

    Parameters
    ----------
    app : ASGI application
        Application that answers the other requests.
    limits : callable, default=web_limits
        Function that returns the limits, called with the first request.
    """

    def __init__(self, app: ASGIApp, limits: Callable[[], WebLimits] = web_limits) -> None:
        self._app = app
        self._get_limits = limits
        self._limits: WebLimits | None = None
        self._sockets: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        limits = self._start()
        address, what = address_of(scope), purpose(scope["path"])
        refusal = self._refusal(scope, address, what, limits)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send, address, limits)
        else:
            await self._app(scope, receive, send)

    def _start(self) -> WebLimits:
        if self._limits is None:
            self._limits = self._get_limits()
            self._requests = TokenBuckets(self._limits.requests_per_minute)
            self._sign_ins = TokenBuckets(self._limits.sign_ins_per_minute)
        return self._limits

    def _refusal(self, scope: Scope, address: str, what: str, limits: WebLimits) -> Refusal | None:
        full = self._sockets[address] >= limits.sockets_per_address
        if full and (scope["type"] == "websocket" or what == "health"):  # a page shows what the latter answers
            words = (
                f"Plumbline is open in {limits.sockets_per_address} tabs or windows at your address, which is the "
                "limit. Close some of them, then load this page again."
            )
            return Refusal(_TOO_MANY, "sockets", words, _SOCKET_RETRY_S)
        if what in _UNCOUNTED:
            return None
        if what == "sign-in" and (wait_s := self._sign_ins.take(address)):
            return Refusal(
                _TOO_MANY, "sign-ins", _later("There were too many sign-ins from your address", wait_s), wait_s
            )
        if wait_s := self._requests.take(address):
            words = _later("Your address has sent too many requests", wait_s)
            return Refusal(_TOO_MANY, "requests", words, wait_s)
        return None

    async def _socket(self, scope: Scope, receive: Receive, send: Send, address: str, limits: WebLimits) -> None:
        reruns = TokenBuckets(limits.reruns_per_minute)

        async def paced() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and (wait_s := reruns.take(_PAGE)):
                counters.count("paced")
                while wait_s:
                    await anyio.sleep(wait_s)
                    wait_s = reruns.take(_PAGE)
            return message

        self._sockets[address] += 1
        try:
            await self._app(scope, paced, send)
        finally:
            self._sockets[address] -= 1
            if not self._sockets[address]:
                del self._sockets[address]


def _later(what: str, wait_s: float) -> str:
    seconds = max(round(wait_s), 1)
    return f"{what}. Try again in {seconds} second{'' if seconds == 1 else 's'}."
