"""Leads people back to the address that they came to before they signed in: a link, or an invitation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.requests import HTTPConnection

from core.access import profile
from web.paths import purpose

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ReturnAddress"]

_COOKIE = "plumbline_return"
_KEPT_S = 600
_CHARACTERS = 2_000
# A path of this server alone: two slashes, or a slash and a backslash, would begin the name of another one.
_OWN = re.compile(r"/(?![/\\])[!-~]*")
_CALLBACK = "/oauth2callback"


class ReturnAddress:
    """Middleware that keeps the address of a page in a cookie for ten minutes, and opens it after a sign-in.

    The provider leads back to the start page only. Without sign-in, nothing is kept.

    Parameters
    ----------
    app : ASGI application
        Application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and purpose(scope["path"]) == "page"
        signed_in = scope["type"] == "http" and scope["path"].endswith(_CALLBACK)
        if not (page or signed_in) or not profile().signs_in:
            await self._app(scope, receive, send)
            return

        async def with_address(message: Message) -> None:
            if message["type"] == "http.response.start":
                if page and _is_page(message):
                    message = {**message, "headers": [*message["headers"], _cookie(scope, _address(scope))]}
                elif signed_in and (kept := _kept(scope)) is not None:
                    message = {**message, "headers": _led_back(message["headers"], scope, kept)}
            await send(message)

        await self._app(scope, receive, with_address)


def _is_page(message: Message) -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", [])}
    return message["status"] == 200 and bytes(headers.get(b"content-type", b"")).startswith(b"text/html")


def _address(scope: Scope) -> str:
    """Return path and query of a page; empty where it is the start page or too long, and then nothing is kept."""
    query = scope.get("query_string", b"").decode("latin-1")
    address = quote(scope["path"], safe="/") + (f"?{query}" if query else "")
    return address if address != "/" and len(address) <= _CHARACTERS and _OWN.fullmatch(address) else ""


def _kept(scope: Scope) -> str | None:
    address = unquote(HTTPConnection(scope).cookies.get(_COOKIE, ""))
    return address if len(address) <= _CHARACTERS and _OWN.fullmatch(address) else None


def _led_back(headers: list[tuple[bytes, bytes]], scope: Scope, address: str) -> list[tuple[bytes, bytes]]:
    """Return headers that lead to the address where they led to the start page; the cookie has served."""
    others = [(name, value) for name, value in headers if name.lower() != b"location"]
    (location,) = [value for name, value in headers if name.lower() == b"location"] or [b""]
    new = address.encode("ascii") if location.endswith(b"/") else location
    return [*others, *([(b"location", new)] if new else []), _cookie(scope, "")]


def _cookie(scope: Scope, address: str) -> tuple[bytes, bytes]:
    secure = "; Secure" if scope["scheme"] == "https" else ""
    kept = _KEPT_S if address else 0
    value = f"{_COOKIE}={quote(address, safe='')}; Path=/; Max-Age={kept}; HttpOnly; SameSite=Lax{secure}"
    return (b"set-cookie", value.encode("ascii"))
