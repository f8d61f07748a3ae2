"""What a request is for, by its path: one word for limits, logs and metrics, which names no file and no session."""

from __future__ import annotations

from streamlit import config

__all__ = ["LOCAL_ONLY", "purpose", "route_of"]

LOCAL_ONLY = ("metrics", "streamlit-metrics", "ready", "agent")
"""Purposes that are answered to this machine alone."""

_EXACT = {
    "/_stcore/stream": "socket",
    "/_stcore/health": "health",
    "/_stcore/host-config": "health",
    "/_stcore/metrics": "streamlit-metrics",
    "/metrics": "metrics",
    "/ready": "ready",
    "/robots.txt": "robots",
    "/oauth2callback": "sign-in",
}
_BELOW = {
    "/_stcore/upload_file/": "upload",
    "/_stcore/agent": "agent",
    "/_stcore/": "streamlit",
    "/auth/": "sign-in",
    "/media/": "download",
    "/static/": "static",
    "/component/": "static",
}


def route_of(path: str) -> str:
    """Return a path below the address that the server is reached by (``server.baseUrlPath``)."""
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    inner = path.removeprefix(f"/{base}") if base else path
    return inner if inner.startswith("/") else f"/{inner}"


def purpose(path: str) -> str:
    """Return what a path is for.

    Examples
    --------
    >>> purpose("/_stcore/upload_file/3c1f/9a"), purpose("/data"), purpose("/metrics/")
    ('upload', 'page', 'metrics')
    """
    route = route_of(path)
    exact = _EXACT.get(route.rstrip("/"))
    if exact is not None:
        return exact
    return next((name for prefix, name in _BELOW.items() if route.startswith(prefix)), "page")
