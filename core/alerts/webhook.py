"""Alerts as requests to a server that a workspace's admin names, signed so that the server knows who sent them."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from core.addresses import check_reachable, web_address
from core.alerts.message import Message
from core.alerts.outcome import Outcome
from core.alerts.target import ChannelTarget
from core.catalog import AlertChannel
from core.credentials import check_name, credential
from core.errors import InputError, SettingsError
from core.outgoing import Answer, post

__all__ = ["BY_NAME", "check_target", "send", "shown_target", "signature"]

BY_NAME: Final = "credential:"
"""Beginning of a target whose address is a credential itself, such as that of a chat."""
_OF_WEBHOOKS = "WEBHOOK_"
_SECRET_CHARS = 16
_PASSING = {408, 425, 429}
"""Status of answers to a request that was right but came at the wrong time."""


def check_target(given: ChannelTarget) -> ChannelTarget:
    """Return a target whose address and credential can be used here, written in one way.

    Raises
    ------
    DeniedError
        When the address may not be reached in this profile.
    InputError
        When it is not an address of HTTP, or a credential is not named or not one of webhooks.
    SettingsError
        When a credential is not set.
    """
    name = _checked_name(given.credential)
    _secret(name, given.workspace)
    target = given.target.strip()
    if target.startswith(BY_NAME):
        address_name = _checked_name(target.removeprefix(BY_NAME))
        check_reachable(credential(address_name, workspace=given.workspace).get_secret_value())
        target = f"{BY_NAME}{address_name}"
    else:
        target = check_reachable(target).url
    return ChannelTarget(target, name, given.workspace)


def shown_target(channel: AlertChannel) -> str:
    """Return where a channel leads, without the path of the address, which may hold a secret."""
    return channel.target if channel.target.startswith(BY_NAME) else f"{web_address(channel.target).origin}/…"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of the header ``X-Plumbline-Signature``.

    Parameters
    ----------
    secret : str
        Value of the credential.
    timestamp : str
        Value of the header ``X-Plumbline-Timestamp``.
    body : bytes
        Body of the request.

    Examples
    --------
    >>> signature("a secret", "1764480000", b"{}")
    'sha256=13df55f18fb1622323d414eec52863013e46786a4c72e2d28cec31875f3741db'
    """
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def send(message: Message, channel: AlertChannel, now: float) -> Outcome:
    """Send a message to the server of a channel.

    Raises
    ------
    DeniedError
        When its address may not be reached in this profile, or the credential is not for this workspace.
    RemoteError
        When the server does not answer.
    SettingsError
        When a credential is not set.
    """
    secret = _secret(channel.credential, channel.workspace)
    url = channel.target
    if url.startswith(BY_NAME):
        url = credential(url.removeprefix(BY_NAME), workspace=channel.workspace).get_secret_value()
    timestamp = f"{now:.0f}"
    headers = {
        "Content-Type": "application/json",
        "X-Plumbline-Event": message.type,
        "X-Plumbline-Delivery": message.delivery_id,
        "X-Plumbline-Timestamp": timestamp,
        "X-Plumbline-Signature": signature(secret, timestamp, message.body),
    }
    return _judged(post(url, message.body, headers), web_address(url).origin, now)


def _judged(answer: Answer, origin: str, now: float) -> Outcome:
    """Return what an answer means: whether it was taken, and whether it is worth trying again."""
    status = answer.status
    if 200 <= status < 300:
        return Outcome("delivered")
    said = f"{status} ({HTTPStatus(status).phrase})" if status in set(HTTPStatus) else str(status)
    if 300 <= status < 400:
        return Outcome("failed", f"{origin} answered {said}. Redirects are not followed: write the address itself.")
    if status in _PASSING or status >= 500:
        return Outcome("waiting", f"{origin} answered {said}.", _seconds(answer.retry_after, now))
    return Outcome("failed", f"{origin} answered {said}: it does not take this alert.")


def _seconds(retry_after: str, now: float) -> float | None:
    """Return the seconds of a header ``Retry-After``, which has seconds or a date; None for what is neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
        return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _checked_name(name: str) -> str:
    """Return the name of a credential that may be used here: those of databases and mail servers sign nothing."""
    name = check_name(name)
    if not name.startswith(_OF_WEBHOOKS):
        raise InputError(
            f"The credential {name} is not one of webhooks.", f"The names of those begin with {_OF_WEBHOOKS}."
        )
    return name


def _secret(name: str, workspace: str) -> str:
    secret = credential(name, workspace=workspace).get_secret_value()
    if len(secret) < _SECRET_CHARS:
        raise SettingsError(
            f"The credential {name} is too short to sign with.",
            f"Set a random text of at least {_SECRET_CHARS} characters (openssl rand -hex 32).",
        )
    return secret
