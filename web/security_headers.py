"""Headers that tell browsers what an answer may do: no scripts and no frames of others, no guessed types."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from streamlit import file_util

from web.paths import purpose

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders", "content_policy"]

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_DOWNLOAD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "serial", "usb")


class SecurityHeaders:
    """Middleware that sets the same headers on every answer.

    Parameters
    ----------
    app : ASGI application
        Application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A file for download is not a page of ours, whatever it is.
        policy = _DOWNLOAD_POLICY if purpose(scope["path"]) == "download" else content_policy()
        ours = {
            b"content-security-policy": policy.encode(),
            b"x-content-type-options": b"nosniff",
            b"x-frame-options": b"DENY",  # for browsers that do not know frame-ancestors
            b"referrer-policy": b"same-origin",
            b"permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES).encode(),
            b"cross-origin-opener-policy": b"same-origin",
        }

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
                message = {**message, "headers": [*others, *ours.items()]}
            await send(message)

        await self._app(scope, receive, with_headers)


@lru_cache(maxsize=1)
def content_policy() -> str:
    """Return the policy of pages: what Streamlit's own files need, and nothing of other sites.

    Scripts come from files of this server; the ones in Streamlit's page itself are known by their hashes. Styles are
    written into the page by Streamlit, so they are allowed there. Nothing is evaluated: charts use an interpreter.
    """
    page = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _INLINE.findall(page)]
    scripts = " ".join(["'self'", "'wasm-unsafe-eval'", *(f"'sha256-{value}'" for value in hashes)])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
