"""Alerts: how tasks raise them, and what people do with them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from core.access import Access
from core.catalog import Alert, AlertDelivery, alert_deliveries, alerts
from core.errors import InputError, shortened
from core.jsonable import jsonable

__all__ = ["acknowledge", "alerts_of", "deliveries", "mute", "open_alerts", "raise_alert", "resolve"]


def raise_alert(
    model_id: str,
    event: str,
    title: str,
    *,
    level: str = "warning",
    message: str = "",
    hint: str = "",
    facts: Mapping[str, Any] | None = None,
    run_id: str = "",
    access: Access,
) -> tuple[Alert, bool]:
    """Raise an alert about a model, once per event.

    The key of the event says what happened and when, such as ``drift/2026-11-30``: what is raised with a key that the
    model had before changes nothing, also where that alert is resolved by now.

    Parameters
    ----------
    model_id : str
        Id of the model.
    event : str
        Key of the event, of at most 200 characters.
    title : str
        Line that says what is wrong.
    level : str, default="warning"
        Level, a key of `ALERT_LEVELS`.
    message : str, default=""
        Sentences that say more.
    hint : str, default=""
        Advice on what to do.
    facts : mapping, optional
        Values behind it, by their names. They leave the installation with the message: no rows, and no credentials.
    run_id : str, default=""
        Id of the run that raises it.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    Alert
        The alert of the event.
    bool
        Whether it is new.

    Raises
    ------
    InputError
        When the key, the title or the level cannot be used, or there are too many facts.
    NotFoundError
        When the workspace does not have the model.
    """
    alert = Alert(
        workspace=access.workspace,
        model_id=model_id,
        run_id=run_id,
        event=event,
        level=level,
        title=shortened(title, alerts.TITLE_CHARS),
        message=_shortened_lines(message),
        hint=_shortened_lines(hint),
        facts=jsonable(facts or {}),
    )
    return alerts.add(alert, access=access)


def open_alerts(*, access: Access) -> list[Alert]:
    """Return the alerts of a workspace that wait for someone to look at them, the most severe ones first.

    An alert that was muted until now is among them.
    """
    return alerts.open_alerts(access=access)


def alerts_of(model_id: str, *, access: Access) -> list[Alert]:
    """Return the alerts of a model, whatever their state, the newest first."""
    return alerts.of_model(model_id, access=access)


def acknowledge(alert_id: str, *, why: str = "", access: Access) -> Alert:
    """Say that someone looks after an alert, and return it.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    InputError
        When it was acknowledged or resolved already.
    NotFoundError
        When the workspace does not have this alert.
    """
    return alerts.decide(alert_id, "acknowledged", why=why, access=access)


def mute(alert_id: str, *, until: float | None, why: str, access: Access) -> Alert:
    """Hide an alert for a while, and return it. It is not sent any more; at the end of that time it is open again.

    Parameters
    ----------
    alert_id : str
        Id of the alert.
    until : float or None
        Time (seconds since the epoch) at which it is open again; None for never.
    why : str
        Reason, which it needs.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    InputError
        When it was resolved already, the reason is empty, or the time has passed.
    NotFoundError
        When the workspace does not have this alert.
    """
    if not why.strip():
        raise InputError("Muting an alert needs a reason.", "Write why nobody has to look at it.")
    if until is not None and not (math.isfinite(until) and until > time.time()):
        raise InputError("The time at which the mute ends has passed.", "Choose a later one, or none.")
    return alerts.decide(alert_id, "muted", until=until, why=why, access=access)


def resolve(alert_id: str, *, why: str = "", access: Access) -> Alert:
    """Say that what an alert is about is over, and return it. It is not sent any more.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    InputError
        When it was resolved already.
    NotFoundError
        When the workspace does not have this alert.
    """
    return alerts.decide(alert_id, "resolved", why=why, access=access)


def deliveries(alert_id: str, *, access: Access) -> list[AlertDelivery]:
    """Return what was, or will be, sent about an alert, by the name of the channel.

    Raises
    ------
    NotFoundError
        When the workspace does not have this alert.
    """
    alerts.get(alert_id, access=access)
    return alert_deliveries.of_alert(alert_id, access=access)


def _shortened_lines(text: str) -> str:
    """Return a text with its lines, which is not too long."""
    return text.strip() if len(text) <= alerts.TEXT_CHARS else f"{text[: alerts.TEXT_CHARS - 1].strip()}…"
