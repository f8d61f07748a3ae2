"""Queries over the channels that alerts of a workspace are sent through. Admins alone change them."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from core.access import Access, Role
from core.catalog import audit
from core.catalog.alert_tables import AlertChannel, AlertDelivery
from core.catalog.engine import reading, writing
from core.errors import InputError, LimitError, not_found
from core.jsonable import JsonObject

__all__ = ["MAX_CHANNELS", "add", "change", "find", "get", "note_trial", "remove"]

MAX_CHANNELS = 20
"""Maximum number of channels of a workspace."""


def add(channel: AlertChannel, *, access: Access) -> AlertChannel:
    """Store a channel. Alerts that were raised before are not sent through it.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    InputError
        When another channel has its name, or the workspace has as many as it may have.
    """
    access.require(Role.ADMIN)
    try:
        with writing(access) as session:
            own = select(func.count()).where(AlertChannel.workspace == access.workspace)
            if session.exec(own).one() >= MAX_CHANNELS:
                raise LimitError(f"A workspace has at most {MAX_CHANNELS} alert channels.", "Remove one first.")
            session.add(channel)
            session.flush()
            details = {"kind": channel.kind, "credential": channel.credential}
            audit.note(session, "add channel", channel.name, access=access, id=channel.id, **details)
    except IntegrityError as error:
        raise _taken(channel.name) from error
    return channel


def get(channel_id: str, *, access: Access) -> AlertChannel:
    """Return a channel.

    Raises
    ------
    NotFoundError
        When the workspace does not have this channel.
    """
    with reading(access) as session:
        return _own(session, channel_id, access=access)


def find(*, access: Access) -> list[AlertChannel]:
    """Return the channels of a workspace, by name."""
    query = select(AlertChannel).where(AlertChannel.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(func.lower(AlertChannel.name), col(AlertChannel.id))))


def change(channel_id: str, *, access: Access, **fields: str | bool | list[str]) -> AlertChannel:
    """Change columns of a channel, and return it. What waits for one that is turned off is withdrawn.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    InputError
        When another channel has its new name.
    NotFoundError
        When the workspace does not have this channel.
    """
    access.require(Role.ADMIN)
    name = str(fields.get("name", ""))
    try:
        with writing(access) as session:
            channel = _own(session, channel_id, access=access, lock=True)
            changed: JsonObject = {key: value for key, value in fields.items() if getattr(channel, key) != value}
            for key, value in changed.items():
                setattr(channel, key, value)
            session.add(channel)
            session.flush()
            if not channel.enabled:
                _withdraw(session, channel.id, "The channel was turned off before this was sent.")
            if changed:
                # Not the target: it may hold what only those who receive the alerts should know.
                details: JsonObject = {"changed": sorted(changed), "enabled": channel.enabled}
                details["credential"] = channel.credential
                audit.note(session, "change channel", channel.name, access=access, id=channel.id, **details)
    except IntegrityError as error:
        raise _taken(name) from error
    return channel


def remove(channel_id: str, *, access: Access) -> None:
    """Remove a channel. What was sent through it stays known; what waits is withdrawn.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    NotFoundError
        When the workspace does not have this channel.
    """
    access.require(Role.ADMIN)
    with writing(access) as session:
        channel = _own(session, channel_id, access=access, lock=True)
        _withdraw(session, channel.id, "The channel was removed before this was sent.")
        session.delete(channel)
        session.flush()
        audit.note(session, "remove channel", channel.name, access=access, id=channel.id)


def note_trial(channel_id: str, problem: str, *, access: Access) -> None:
    """Note what became of a test alert that a person sent; an empty problem is none.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    NotFoundError
        When the workspace does not have this channel.
    """
    access.require(Role.ADMIN)
    with writing(access) as session:
        channel = _own(session, channel_id, access=access, lock=True)
        channel.problem = problem
        session.add(channel)
        session.flush()
        audit.note(session, "try channel", channel.name, access=access, id=channel.id, delivered=not problem)


def _withdraw(session: Session, channel_id: str, problem: str) -> None:
    waiting = update(AlertDelivery).where(
        col(AlertDelivery.channel_id) == channel_id, col(AlertDelivery.state) == "waiting"
    )
    session.execute(waiting.values(state="withdrawn", problem=problem))


def _own(session: Session, channel_id: str, *, access: Access, lock: bool = False) -> AlertChannel:
    query = select(AlertChannel).where(AlertChannel.id == channel_id, AlertChannel.workspace == access.workspace)
    channel = session.exec(query.with_for_update() if lock else query).first()
    if channel is None:
        raise not_found("alert channel", channel_id, "It may have been removed.")
    return channel


def _taken(name: str) -> InputError:
    return InputError(f"There is an alert channel '{name}' already.", "Choose another name.")
