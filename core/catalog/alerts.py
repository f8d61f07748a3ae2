"""Queries over alerts. An event is one alert, which is sent once through each channel that takes it."""

from __future__ import annotations

import json
import time

from sqlalchemy import case, update
from sqlmodel import Session, col, or_, select

from core.access import Access
from core.catalog import audit
from core.catalog._model_rows import locked
from core.catalog.alert_tables import ALERT_LEVELS, Alert, AlertChannel, AlertDelivery
from core.catalog.engine import reading, writing
from core.errors import InputError, LimitError, not_found, shortened
from core.registry import unknown_name

__all__ = ["TEXT_CHARS", "TITLE_CHARS", "add", "decide", "find", "get", "of_model", "open_alerts"]

TITLE_CHARS = 300
"""Maximum length of a title."""
TEXT_CHARS = 4_000
"""Maximum length of a message and of a hint."""
_EVENT_CHARS = 200
_FACTS_BYTES = 65_536
_DECISIONS = {"acknowledged": "acknowledge", "muted": "mute", "resolved": "resolve"}
"""Action of the audit log by the state that it leads to."""
_SILENT = {"muted", "resolved"}


def add(alert: Alert, *, access: Access) -> tuple[Alert, bool]:
    """Raise an alert, unless its event was raised before; its messages wait in the same transaction.

    Returns
    -------
    Alert
        The alert of the event.
    bool
        Whether it is new. Another one of the same event changes nothing, whatever its text, level and state are.

    Raises
    ------
    InputError
        When its level, event or title cannot be used, or its texts or facts are too long.
    NotFoundError
        When the workspace does not have the model.
    """
    _check(alert)
    with writing(access) as session:
        locked(session, alert.model_id, access=access)  # two processes that raise the same event wait for each other
        query = select(Alert).where(
            Alert.workspace == access.workspace, Alert.model_id == alert.model_id, Alert.event == alert.event
        )
        known = session.exec(query).first()
        if known is not None:
            return known, False
        session.add(alert)
        session.flush()  # before the deliveries, which name it
        channels = select(AlertChannel).where(AlertChannel.workspace == access.workspace)
        session.add_all([_delivery(alert, channel) for channel in session.exec(channels) if channel.takes(alert)])
    return alert, True


def _check(alert: Alert) -> None:
    """Raise InputError for what cannot be a new alert, whoever made the row."""
    if alert.level not in ALERT_LEVELS:
        hint = unknown_name(alert.level, ALERT_LEVELS)
        raise InputError(f"'{shortened(alert.level)}' is not a level of alerts.", hint)
    if not alert.event.strip() or len(alert.event) > _EVENT_CHARS:
        shown = shortened(alert.event)
        raise InputError(f"'{shown}' is not a key of an event.", f"It has 1 to {_EVENT_CHARS} characters.")
    if not alert.title.strip():
        raise InputError("An alert needs a title.", "Say in one line what is wrong.")
    if len(alert.title) > TITLE_CHARS or max(len(alert.message), len(alert.hint)) > TEXT_CHARS:
        raise LimitError(
            "The texts of an alert are too long.",
            f"A title has {TITLE_CHARS} characters at most, a message or a hint {TEXT_CHARS:,}.",
        )
    if len(json.dumps(alert.facts)) > _FACTS_BYTES:
        raise LimitError("The facts of an alert are too long.", "Name the most important ones, without rows.")
    if alert.state != "open" or alert.decided_at is not None:
        raise InputError("A new alert is open.", "Raise it first, then decide on it.")


def _delivery(alert: Alert, channel: AlertChannel) -> AlertDelivery:
    return AlertDelivery(
        workspace=alert.workspace,
        alert_id=alert.id,
        model_id=alert.model_id,
        channel_id=channel.id,
        channel=channel.name,
        kind=channel.kind,
        next_at=alert.raised_at,
        created_at=alert.raised_at,
    )


def get(alert_id: str, *, access: Access) -> Alert:
    """Return an alert.

    Raises
    ------
    NotFoundError
        When the workspace does not have this alert.
    """
    with reading(access) as session:
        return _own(session, alert_id, access=access)


def open_alerts(*, now: float | None = None, limit: int = 1_000, access: Access) -> list[Alert]:
    """Return the alerts that wait for someone to look at them, the most severe ones first, then the newest ones.

    Parameters
    ----------
    now : float, optional
        The present (seconds since the epoch), at which a mute may be over; by default that of the system's clock.
    limit : int, default=1000
        Maximum number of alerts.
    access : Access
        The workspace, and who acts in it.
    """
    moment = time.time() if now is None else now
    query = select(Alert).where(
        Alert.workspace == access.workspace,
        or_(Alert.state == "open", (col(Alert.state) == "muted") & (col(Alert.muted_until) <= moment)),
    )
    severity = case({level: number for number, level in enumerate(ALERT_LEVELS)}, value=col(Alert.level))
    order = severity.desc(), col(Alert.raised_at).desc(), col(Alert.id)
    with reading(access) as session:
        return list(session.exec(query.order_by(*order).limit(limit)))


def find(*, limit: int = 1_000, access: Access) -> list[Alert]:
    """Return the alerts of a workspace, whatever their state, the newest first."""
    query = select(Alert).where(Alert.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Alert.raised_at).desc(), col(Alert.id)).limit(limit)))


def of_model(model_id: str, *, limit: int = 200, access: Access) -> list[Alert]:
    """Return the alerts of a model, whatever their state, the newest first."""
    query = select(Alert).where(Alert.workspace == access.workspace, Alert.model_id == model_id)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Alert.raised_at).desc(), col(Alert.id)).limit(limit)))


def decide(alert_id: str, state: str, *, until: float | None = None, why: str = "", access: Access) -> Alert:
    """Acknowledge, mute or resolve an alert. What is muted or resolved is not sent any more.

    Parameters
    ----------
    alert_id : str
        Id of the alert.
    state : {"acknowledged", "muted", "resolved"}
        State that it gets.
    until : float, optional
        Time at which it is open again, where it is muted; by default it stays so.
    why : str, default=""
        Reason.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    InputError
        When it was resolved, or has this state already.
    NotFoundError
        When the workspace does not have this alert.
    """
    action = _DECISIONS[state]
    with writing(access) as session:
        alert = _own(session, alert_id, access=access, lock=True)
        if alert.state == "resolved" or (alert.state == state != "muted"):
            by = f" by {alert.decided_by}" if alert.decided_by else ""
            raise InputError(f"This alert was {alert.state}{by} already.", "Load the page again.")
        alert.state, alert.muted_until = state, until
        alert.decided_by, alert.decided_at, alert.decided_why = access.actor[:200], time.time(), why.strip()
        session.add(alert)
        session.flush()
        if state in _SILENT:
            waiting = update(AlertDelivery).where(
                col(AlertDelivery.alert_id) == alert.id, col(AlertDelivery.state) == "waiting"
            )
            session.execute(waiting.values(state="withdrawn", problem=f"The alert was {state} before it was sent."))
        details = {"until": until, "why": alert.decided_why}
        given = {name: value for name, value in details.items() if value not in (None, "")}
        audit.note(session, action, alert.title, access=access, id=alert.id, model=alert.model_id, **given)
    return alert


def _own(session: Session, alert_id: str, *, access: Access, lock: bool = False) -> Alert:
    query = select(Alert).where(Alert.id == alert_id, Alert.workspace == access.workspace)
    alert = session.exec(query.with_for_update() if lock else query).first()
    if alert is None:
        raise not_found("alert", alert_id, "Its model may have been deleted.")
    return alert
