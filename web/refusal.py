"""How a request is refused: a status, and words that say what to do."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from web import counters, peer
from web.paths import purpose

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["Refusal", "refuse"]

_POLICY_VIOLATION = 1008
_MAX_REASON_BYTES = 120
_DRAIN_BYTES = 64 * 2**20
_DRAIN_S = 10.0
_log = logging.getLogger("plumbline.web")


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered.

    Parameters
    ----------
    status : int
        Status of HTTP.
    reason : str
        Word for logs and metrics.
    words : str
        Text that the person reads.
    retry_after_s : float, optional
        Seconds after which the same request is answered again.
    detail : str, default=""
        Addition for the log, without what users stored; quoted where others chose it.
    """

    status: int
    reason: str
    words: str
    retry_after_s: float | None = None
    detail: str = ""


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal instead of what was asked for; note it in the log and the metrics."""
    what = purpose(scope["path"])
    counters.count("refused", reason=refusal.reason)
    _log.warning(
        "refused a request: %s%s",
        refusal.reason,
        f", {refusal.detail}" if refusal.detail else "",
        extra={
            "fields": {
                "event": "refused",
                "reason": refusal.reason,
                "status": refusal.status,
                "purpose": what,
                "address": peer.address_of(scope),
            }
        },
    )
    as_json = what == "health"  # a page that asks whether its server is there shows words that are JSON alone
    body = (json.dumps(refusal.words) if as_json else refusal.words).encode()
    kind = b"application/json" if as_json else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", str(max(math.ceil(refusal.retry_after_s), 1)).encode()))
    if scope["type"] == "websocket":
        await receive()  # the request to connect
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": _short(refusal.words)})
            return
        await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    """Read what a browser still sends, up to a limit: where a connection is closed before that, it shows no answer."""
    left = _DRAIN_BYTES
    with anyio.move_on_after(_DRAIN_S):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if message["type"] != "http.request" or not message.get("more_body", False):
                return


def _short(words: str) -> str:
    return words.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
