"""Refuses requests that reach the server under a foreign name, or that another site's page makes.

A page of a foreign site can send requests to a server that listens on this machine alone. Under its own name that
points here (DNS rebinding), it would also read the answers. Streamlit checks names only where a WebSocket opens, and
counts any port of this machine as the same site.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["RequestGuard"]

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_POLICY_VIOLATION = 1008
_FOREIGN_HOST = (
    "Plumbline does not answer under this name. Whoever runs it can allow a name: --server.allowedHosts=NAME on the "
    "command line, or server.allowedHosts in .streamlit/config.toml."
)
_FOREIGN_ORIGIN = (
    "Plumbline does not take requests from pages of other sites. Whoever runs it can allow a site: "
    "--server.corsAllowedOrigins=https://NAME on the command line, or server.corsAllowedOrigins in "
    ".streamlit/config.toml."
)
_log = logging.getLogger("plumbline")


class RequestGuard:
    """Middleware that answers 403 to requests under a foreign name or from a foreign site.

    The name in ``Host`` has to be among ``server.allowedHosts``. Where a request changes something or opens a
    WebSocket, an ``Origin`` has to be the server itself or among ``server.corsAllowedOrigins``.

    Parameters
    ----------
    app : ASGI application
        Application that answers the other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = _refusal(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # the request to connect
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": reason[:120]})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": reason.encode()})


def _refusal(scope: Scope) -> str | None:
    """Return why a request is not answered, None when it is."""
    headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first one of several counts
    host = _text(headers.get(b"host"))
    origin = _text(headers.get(b"origin"))
    if not is_host_allowed(host):
        _log.warning("refused a request to host %.200r", host)
        return _FOREIGN_HOST
    changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
    if changes and origin is not None and not _is_origin_allowed(origin, host):
        _log.warning("refused a request of origin %.200r to host %.200r", origin, host)
        return _FOREIGN_ORIGIN
    return None


def _is_origin_allowed(origin: str, host: str | None) -> bool:
    if not config.get_option("server.enableCORS") or origin in config.get_option("server.corsAllowedOrigins"):
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
