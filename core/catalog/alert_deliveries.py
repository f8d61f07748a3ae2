"""Queries over deliveries of alerts. A process takes one that is due by compare-and-set, and then sends it."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col, select

from core.access import INSTALLATION, Access
from core.catalog.alert_tables import Alert, AlertChannel, AlertDelivery
from core.catalog.engine import reading, writing
from core.catalog.tables import Model

__all__ = ["claim", "finish", "newest", "next_due", "of_alert", "parts", "postpone"]


def of_alert(alert_id: str, *, access: Access) -> list[AlertDelivery]:
    """Return the deliveries of an alert, by the name of their channel."""
    query = select(AlertDelivery).where(AlertDelivery.alert_id == alert_id, AlertDelivery.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(AlertDelivery.channel), col(AlertDelivery.id))))


def newest(channel_id: str, *, access: Access) -> AlertDelivery | None:
    """Return the newest delivery through a channel that was tried; None where there is none."""
    query = select(AlertDelivery).where(
        AlertDelivery.channel_id == channel_id, AlertDelivery.workspace == access.workspace, AlertDelivery.attempts > 0
    )
    with reading(access) as session:
        return session.exec(query.order_by(col(AlertDelivery.created_at).desc()).limit(1)).first()


def next_due(now: float) -> AlertDelivery | None:
    """Return the delivery of any workspace that has been due for longest; None where none is.

    Those of a deleted model are hidden with it, and are due again when its deletion is undone.
    """
    query = select(AlertDelivery).where(AlertDelivery.state == "waiting", col(AlertDelivery.next_at) <= now)
    with reading(INSTALLATION) as session:
        return session.exec(query.order_by(col(AlertDelivery.next_at), col(AlertDelivery.id)).limit(1)).first()


def claim(delivery: AlertDelivery, *, until: float) -> bool:
    """Take a delivery as it was read, and count the attempt; return whether this call took it.

    Whoever takes it sends it. When that process dies meanwhile, it is due again at ``until``.
    """
    statement = (
        update(AlertDelivery)
        .where(
            col(AlertDelivery.id) == delivery.id,
            col(AlertDelivery.state) == "waiting",
            col(AlertDelivery.next_at) == delivery.next_at,
        )
        .values(next_at=until, attempts=AlertDelivery.attempts + 1)
    )
    with writing(INSTALLATION) as session:
        return session.execute(statement).rowcount == 1  # type: ignore[attr-defined,no-any-return]


def parts(delivery: AlertDelivery) -> tuple[Alert, AlertChannel | None, Model] | None:
    """Return the alert, the channel and the model of a delivery; None where the alert is gone.

    The channel is None where it was removed.
    """
    with reading(INSTALLATION) as session:
        alert, model = session.get(Alert, delivery.alert_id), session.get(Model, delivery.model_id)
        channel = session.get(AlertChannel, delivery.channel_id)
    return None if alert is None or model is None else (alert, channel, model)


def finish(
    delivery: AlertDelivery,
    state: str,
    *,
    until: float,
    at: float,
    next_at: float | None = None,
    problem: str = "",
) -> None:
    """Note what became of an attempt, for the delivery and for its channel.

    That it was delivered is noted in any case; else only while the claim holds, and the delivery still waits.

    Parameters
    ----------
    delivery : AlertDelivery
        The delivery.
    state : str
        State that it gets, a key of `DELIVERY_STATES`.
    until : float
        Time until which it was claimed.
    at : float
        The present.
    next_at : float, optional
        Time of the next attempt, where it waits.
    problem : str, default=""
        Sentence that says why it was not delivered.
    """
    delivered = state == "delivered"
    values: dict[str, str | float] = {"state": state, "problem": problem}
    if delivered:
        values["delivered_at"] = at
    if next_at is not None:
        values["next_at"] = next_at
    statement = update(AlertDelivery).where(col(AlertDelivery.id) == delivery.id)
    if not delivered:
        statement = statement.where(col(AlertDelivery.state) == "waiting", col(AlertDelivery.next_at) == until)
    with writing(INSTALLATION) as session:
        if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
            return
        if state != "withdrawn":
            channel = update(AlertChannel).where(col(AlertChannel.id) == delivery.channel_id)
            session.execute(channel.values(problem=problem))


def postpone(channel_id: str, *, now: float, until: float) -> None:
    """Let what is due through a channel wait, without an attempt: its server did not answer just now."""
    due = update(AlertDelivery).where(
        col(AlertDelivery.channel_id) == channel_id,
        col(AlertDelivery.state) == "waiting",
        col(AlertDelivery.next_at) <= now,
    )
    with writing(INSTALLATION) as session:
        session.execute(due.values(next_at=until))
