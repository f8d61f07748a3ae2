"""What one visitor, and all of them together, may ask of the web process: a table by profile, and settings."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from core.access import profile
from core.settings import Settings, get_settings

__all__ = ["LIMITS", "WebLimits", "web_limits"]


@dataclass(frozen=True)
class WebLimits:
    """Limits of a server's process.

    Parameters
    ----------
    session_uploads_mb : int
        Size of the files that one session holds in memory (MB).
    all_uploads_mb : int
        Size of the files that all sessions hold in memory (MB).
    all_downloads_mb : int
        Size of the files for download and the images that are held in memory (MB).
    message_mb : int
        Size of the largest message that a browser sends (MB).
    requests_per_minute : int
        Requests from one address.
    sign_ins_per_minute : int
        Requests for a sign-in from one address.
    sockets_per_address : int
        Pages that are open at the same time from one address.
    reruns_per_minute : int
        Actions on one open page; what comes faster waits.
    """

    session_uploads_mb: int
    all_uploads_mb: int
    all_downloads_mb: int
    message_mb: int
    requests_per_minute: int
    sign_ins_per_minute: int
    sockets_per_address: int
    reruns_per_minute: int


LIMITS = {
    "local": WebLimits(
        session_uploads_mb=8_192,
        all_uploads_mb=16_384,
        all_downloads_mb=4_096,
        message_mb=25,
        requests_per_minute=60_000,
        sign_ins_per_minute=600,
        sockets_per_address=500,
        reruns_per_minute=6_000,
    ),
    "team": WebLimits(
        session_uploads_mb=4_096,
        all_uploads_mb=8_192,
        all_downloads_mb=2_048,
        message_mb=25,
        requests_per_minute=6_000,
        sign_ins_per_minute=60,
        sockets_per_address=200,
        reruns_per_minute=1_200,
    ),
    "demo": WebLimits(
        session_uploads_mb=200,
        all_uploads_mb=1_024,
        all_downloads_mb=512,
        message_mb=5,
        requests_per_minute=1_200,
        sign_ins_per_minute=60,
        sockets_per_address=20,
        reruns_per_minute=240,
    ),
}
"""Limits by the name of the profile."""


def web_limits() -> WebLimits:
    """Return the limits of this server: those of its profile, where no setting says otherwise."""
    settings = get_settings()
    chosen = {field.name: getattr(settings, field.name) for field in fields(WebLimits)}
    return replace(LIMITS[profile().name], **{name: value for name, value in chosen.items() if value is not None})


assert {field.name for field in fields(WebLimits)} <= set(Settings.model_fields)
