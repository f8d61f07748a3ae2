"""Leads people back to the address that they came to before they signed in, and says where a sign-in was refused."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote

from starlette.requests import HTTPConnection
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core.access import profile
from web import counters
from web.cookies import is_page, set_cookie
from web.paths import purpose
from web.peer import address_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ReturnAddress"]

_COOKIE = "plumbline_return"
_KEPT_S = 600
_CHARACTERS = 2_000
# A path of this server alone: two slashes, or a slash and a backslash, would begin the name of another one.
_OWN = re.compile(r"/(?![/\\])[!-~]*")
_CALLBACK = "/oauth2callback"
_REFUSED = b"sign-in=refused"  # the gate on pages knows it
_log = logging.getLogger("plumbline.web")


class ReturnAddress:
    """Middleware that keeps the address of a page in a cookie for ten minutes, and opens it after a sign-in.

    The provider leads back to the start page only. Where its answer signs nobody in, the start page says so, and the
    address is kept for the next try. Without sign-in, nothing is kept.

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
                if page and is_page(message) and scope.get("query_string") != _REFUSED:
                    message = {**message, "headers": [*message["headers"], _cookie(scope, _address(scope))]}
                elif signed_in and _is_refused(message, scope):
                    _note_refusal(scope)
                    message = {**message, "headers": [_said_refused(item) for item in message["headers"]]}
                elif signed_in and (kept := _kept(scope)) is not None:
                    message = {**message, "headers": _led_back(message["headers"], scope, kept)}
            await send(message)

        await self._app(scope, receive, with_address)


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
    return set_cookie(scope, _COOKIE, quote(address, safe=""), _KEPT_S if address else 0)


def _is_refused(message: Message, scope: Scope) -> bool:
    """Return whether the provider's answer signed nobody in; without a state, it is a sign-out that leads here."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    cookies = [value for name, value in message["headers"] if name.lower() == b"set-cookie"]
    signs_in = any(re.match(rb'%s=(?!"")' % USER_COOKIE_NAME.encode(), value) for value in cookies)
    return message["status"] < 400 and not signs_in and bool(asked.keys() & {"code", "state", "error"})


def _said_refused(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    return (name, value + b"?" + _REFUSED) if name.lower() == b"location" and value.endswith(b"/") else header


def _note_refusal(scope: Scope) -> None:
    counters.count("refused", reason="sign-in")
    fields = {"event": "refused", "reason": "sign-in", "purpose": "sign-in", "address": address_of(scope)}
    _log.warning("a sign-in was refused; the line of Streamlit above says why", extra={"fields": fields})
