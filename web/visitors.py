"""Gives each anonymous visitor a cookie that says which workspace is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from core.access import COOKIE, TOKEN_S, new_token, profile, renewed_token
from web.cookies import is_page, set_cookie

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["VisitorCookies"]


class VisitorCookies:
    """Middleware that sets the visitor's cookie on each page, where the profile has visitors.

    A token that is ours is renewed; whoever comes with another one, or none, is a new visitor. The pages read the
    cookie of the WebSocket, so scripts never need it.

    Parameters
    ----------
    app : ASGI application
        Application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not profile().visitors:
            await self._app(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and is_page(message):
                # No cache between may hand one visitor's cookie to others.
                headers = [item for item in message["headers"] if item[0].lower() != b"cache-control"]
                own = [(b"cache-control", b"no-store"), set_cookie(scope, COOKIE, _token(scope), TOKEN_S)]
                message = {**message, "headers": [*headers, *own]}
            await send(message)

        await self._app(scope, receive, with_cookie)


def _token(scope: Scope) -> str:
    token = HTTPConnection(scope).cookies.get(COOKIE)
    return (None if token is None else renewed_token(token)) or new_token()
