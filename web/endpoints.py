"""Addresses of the server itself, besides Streamlit's: readiness and metrics for this machine, rules for robots."""

from __future__ import annotations

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core import readiness
from web import metrics

__all__ = ["ROUTES"]

_PATIENCE_S = 5.0
_UNAVAILABLE = 503


async def _ready(_request: Request) -> Response:
    """Answer 200 when the server can work, else 503; each check by name, without reasons."""
    failed = list(readiness.CHECKS)
    with anyio.move_on_after(_PATIENCE_S):  # a store that does not answer is one that does not work
        failed = await anyio.to_thread.run_sync(readiness.failures, abandon_on_cancel=True)
    checks = {name: "failed" if name in failed else "ok" for name in readiness.CHECKS}
    return JSONResponse({"ready": not failed, "checks": checks}, _UNAVAILABLE if failed else 200)


async def _metrics(_request: Request) -> Response:
    return PlainTextResponse(await run_in_threadpool(metrics.text), media_type="text/plain; version=0.0.4")


async def _robots(_request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


ROUTES = (Route("/ready", _ready), Route("/metrics", _metrics), Route("/robots.txt", _robots))
"""Routes of the server; ``web.request_guard`` answers those for this machine to nobody else."""
