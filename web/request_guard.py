"""Refuses requests under a foreign name, those that another site's page makes, and those that are for this machine.

A page of a foreign site can send requests to a server that listens on this machine alone. Under its own name that
points here (DNS rebinding), it would also read the answers. Streamlit checks names only where a WebSocket opens, and
counts any port of this machine as the same site.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from web.paths import LOCAL_ONLY, purpose
from web.peer import header, is_local
from web.refusal import Refusal, refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["RequestGuard"]

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_FORBIDDEN = 403
_FOREIGN_HOST = Refusal(
    _FORBIDDEN,
    "foreign host",
    "Plumbline does not answer under this name. Whoever runs it can allow a name: --server.allowedHosts=NAME on the "
    "command line, or server.allowedHosts in .streamlit/config.toml.",
)
_FOREIGN_ORIGIN = Refusal(
    _FORBIDDEN,
    "foreign origin",
    "Plumbline does not take requests from pages of other sites. Whoever runs it can allow a site: "
    "--server.corsAllowedOrigins=https://NAME on the command line, or server.corsAllowedOrigins in "
    ".streamlit/config.toml.",
)
_NOT_LOCAL = Refusal(_FORBIDDEN, "not local", "This address is for the machine that Plumbline runs on alone.")


class RequestGuard:
    """Middleware that answers 403 to requests under a foreign name, from a foreign site, or for this machine alone.

    The name in ``Host`` has to be among ``server.allowedHosts``. Where a request changes something or opens a
    WebSocket, an ``Origin`` has to be the server itself or among ``server.corsAllowedOrigins``.
    Metrics and readiness are for programs on this machine; a request that a proxy passed on is not one of these.

    Parameters
    ----------
    app : ASGI application
        Application that answers the other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refuse(refusal, scope, receive, send)


def _refusal(scope: Scope) -> Refusal | None:
    """Return why a request is not answered, None when it is."""
    host, origin = header(scope, b"host"), header(scope, b"origin")  # the first one of several counts
    if not is_host_allowed(host):
        return replace(_FOREIGN_HOST, detail=f"host {_quoted(host)}")
    changes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
    if changes and origin is not None and not _is_origin_allowed(origin, host):
        return replace(_FOREIGN_ORIGIN, detail=f"origin {_quoted(origin)}, host {_quoted(host)}")
    if purpose(scope["path"]) in LOCAL_ONLY and not is_local(scope):
        return _NOT_LOCAL
    return None


def _is_origin_allowed(origin: str, host: str | None) -> bool:
    if not config.get_option("server.enableCORS") or origin in config.get_option("server.corsAllowedOrigins"):
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _quoted(text: str | None) -> str:
    return ascii(None if text is None else text[:200])
