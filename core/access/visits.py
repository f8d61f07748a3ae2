"""Anonymous visitors: a signed token in a cookie of the browser says which workspace is theirs.

Nobody can make a token without the installation's secret, and another secret ends all of them. The workspace has a name
that the token cannot be had from, so rows, folders and logs do not give it away.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Final

from core.errors import SettingsError
from core.settings import get_settings

__all__ = ["COOKIE", "EXAMPLES", "TOKEN_S", "check_secret", "new_token", "renewed_token", "workspace_of"]

COOKIE: Final = "plumbline_visitor"
"""Name of the cookie."""

TOKEN_S: Final = 30 * 86_400
"""Seconds after which a token is no longer accepted. Each page that is loaded renews it."""

EXAMPLES: Final = "examples"
"""The workspace that all visitors may look at."""

_SECRET_CHARS = 32
_PREFIX = "v-"


def check_secret() -> str:
    """Return the secret that tokens are signed with.

    Raises
    ------
    SettingsError
        When it is missing or too short.
    """
    value = get_settings().visitor_secret
    secret = "" if value is None else value.get_secret_value()
    if len(secret) < _SECRET_CHARS:
        lack = "is not set" if not secret else f"has {len(secret)} characters"
        raise SettingsError(
            f"PLUMBLINE_VISITOR_SECRET {lack}, and visitors' cookies are signed with it.",
            f"Set it to a random text of at least {_SECRET_CHARS} characters (openssl rand -hex 32), the same for all "
            "servers.",
        )
    return secret


def new_token() -> str:
    """Return the token of a new visitor."""
    return _signed(secrets.token_hex(16))


def renewed_token(token: str) -> str | None:
    """Return a new token of the same visitor; None when this one is not ours, or too old."""
    visitor = _visitor_of(token)
    return None if visitor is None else _signed(visitor)


def workspace_of(token: str | None) -> str | None:
    """Return the workspace of a token; None when there is none, or when it is not ours or too old."""
    visitor = None if token is None else _visitor_of(token)
    return None if visitor is None else _PREFIX + hashlib.sha256(visitor.encode()).hexdigest()[:32]


def _signed(visitor: str) -> str:
    text = f"{visitor}.{time.time():.0f}"
    return f"{text}.{_signature(text)}"


def _visitor_of(token: str) -> str | None:
    text, _, signature = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_signature(text), signature):
        return None
    visitor, _, issued_at = text.partition(".")
    return visitor if time.time() - float(issued_at) <= TOKEN_S else None


def _signature(text: str) -> str:
    return hmac.new(check_secret().encode(), text.encode(), hashlib.sha256).hexdigest()
