"""Counts requests, and writes one record of each where the log is made of lines of JSON."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from core.settings import get_settings
from web import counters
from web.paths import purpose
from web.peer import address_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestLog"]

_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE")
_UPGRADED = 101
_log = logging.getLogger("plumbline.web")


class RequestLog:
    """Middleware that notes what was asked for and how it was answered: no paths, names or contents.

    Parameters
    ----------
    app : ASGI application
        Application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        status, size, began = 0, 0, time.monotonic()

        async def noted(message: Message) -> None:
            nonlocal status, size
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = int(message["status"])
            elif message["type"] == "websocket.accept":
                status = _UPGRADED
            elif message["type"] == "websocket.close":
                status = status or 403
            if scope["type"] == "http":
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except BaseException:
            status = status or 500
            raise
        finally:
            self._note(scope, status, size, time.monotonic() - began)

    def _note(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        method = scope.get("method", "WEBSOCKET")
        what = purpose(scope["path"])
        counters.count("requests", purpose=what, status=f"{status // 100}xx")
        counters.count("request_seconds", by=seconds if scope["type"] == "http" else 0, purpose=what)
        if get_settings().log_format == "json":
            fields = {
                "event": "request",
                "method": method if method in _METHODS or method == "WEBSOCKET" else "OTHER",
                "purpose": what,
                "status": status,
                "bytes": size,
                "ms": round(seconds * 1000, 1),
                "address": address_of(scope),
            }
            _log.info("request", extra={"fields": fields})
