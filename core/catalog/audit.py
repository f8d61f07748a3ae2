"""The log of what people did in a workspace: rows are only added, and chained by digests so that changes show."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from sqlalchemy import text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.access import Access, Role, profile
from core.catalog.access_tables import AuditHead, AuditRecord
from core.catalog.engine import reading, writing
from core.settings import get_settings

__all__ = [
    "ACTIONS",
    "EVERYTHING",
    "EXPORTED",
    "READ_S",
    "SIGN_IN_S",
    "AuditFilter",
    "add",
    "broken",
    "each_page",
    "find",
    "is_recorded",
    "looks_are_recorded",
    "note",
    "once",
    "people",
]

ACTIONS: Final[Mapping[str, str]] = {
    "sign in": "Signed in",
    "sign out": "Signed out",
    "refused": "Was refused:",
    "enter": "Opened the workspace",
    "upload": "Uploaded",
    "read": "Looked at",
    "download": "Downloaded",
    "run": "Started",
    "stop": "Stopped early",
    "cancel": "Cancelled",
    "resume": "Resumed",
    "register": "Registered",
    "ask": "Asked to promote",
    "decline": "Declined to promote",
    "take back": "No longer asks to promote",
    "promote": "Promoted to champion:",
    "alias": "Changed an alias of",
    "archive": "Archived",
    "decide": "Changed the decision rule of",
    "watch": "Changed the monitoring of",
    "approve": "Approved",
    "delete": "Deleted",
    "restore": "Restored",
    "make": "Made the workspace",
    "invite": "Invited someone as",
    "withdraw": "Withdrew an invitation as",
    "join": "Joined as",
    "role": "Changed the role of",
    "remove": "Removed",
    "rule": "Changed the rule of the workspace:",
    "export": "Exported",
    "acknowledge": "Acknowledged the alert",
    "mute": "Muted the alert",
    "resolve": "Resolved the alert",
    "add channel": "Added the alert channel",
    "change channel": "Changed the alert channel",
    "remove channel": "Removed the alert channel",
    "try channel": "Sent a test alert through",
}
"""What is recorded, in words that the subject follows."""

EXPORTED = 100_000
"""Maximum number of records of one export, the newest ones."""
SIGN_IN_S: Final = 30 * 86_400.0
"""Seconds for which a sign-in counts as one, as Streamlit keeps its cookie."""
READ_S: Final = 3_600.0
"""Seconds within which repeated looks of a person at one thing are one record."""
_PAGE = 1_000
_REMEMBERED = 10_000
_PEOPLE = 1_000
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext(:name))")


def add(action: str, subject: str, *, access: Access, **details: JsonValue) -> AuditRecord:
    """Record what a person did, in a transaction of its own.

    Parameters
    ----------
    action : str
        Key of `ACTIONS`.
    subject : str
        Name of what it was done with.
    access : Access
        The workspace, and who acts in it; a viewer's actions are recorded, too.
    **details
        What else is worth keeping: ids, reasons, numbers, and never the content of a table.
    """
    with writing(Access(access.workspace, Role.EDITOR, access.actor)) as session:
        return note(session, action, subject, access=access, **details)


_recorded: dict[tuple[str, ...], float] = {}
"""When this process last recorded, or saw, what is recorded once in a while."""


def once(
    action: str, subject: str, *, key: str, within_s: float = READ_S, access: Access, **details: JsonValue
) -> AuditRecord | None:
    """Record what a person did, unless that was recorded within some time; return the record, if there is a new one.

    A page runs again at every press: without this, looking at a table for a minute would be twenty records. What this
    process has recorded takes no statement.

    Parameters
    ----------
    action : str
        Key of `ACTIONS`.
    subject : str
        Name of what it was done with.
    key : str
        Id of what it was done with; it is kept in the details.
    within_s : float, default=READ_S
        Seconds within which the same action of the same person with the same thing is one record.
    access : Access
        The workspace, and who acts in it.
    **details
        What else is worth keeping.
    """
    now, entry = time.time(), (get_settings().database_url, access.workspace, access.actor, action, key)
    if abs(now - _recorded.get(entry, 0.0)) < within_s:  # the clock may have been set back
        return None
    record = None
    with writing(Access(access.workspace, Role.EDITOR, access.actor)) as session:
        _lock(session, access)
        if not _has(session, action, key, within_s, access):
            record = note(session, action, subject, access=access, key=key, **details)
    if len(_recorded) >= _REMEMBERED:
        _recorded.clear()
    _recorded[entry] = now
    return record


def is_recorded(action: str, *, key: str, within_s: float, access: Access) -> bool:
    """Return whether `once` or `add` recorded an action of the person with this key within some time."""
    with reading(access) as session:
        return _has(session, action, key, within_s, access)


def _has(session: Session, action: str, key: str, within_s: float, access: Access) -> bool:
    now, at = time.time(), col(AuditRecord.at)
    same = _of(access).where(
        AuditRecord.action == action, AuditRecord.who == access.actor[:200], at > now - within_s, at < now + within_s
    )
    return any(known.details.get("key") == key for known in session.exec(same))


def looks_are_recorded() -> bool:
    """Return whether looks, downloads and refusals are recorded: where there are several people, not on a laptop."""
    installed = profile()
    return installed.signs_in or installed.visitors


def _lock(session: Session, access: Access) -> None:
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(_LOCK, {"name": f"audit {access.workspace}"})


def note(session: Session, action: str, subject: str, *, access: Access, **details: JsonValue) -> AuditRecord:
    """Record what a person did in the transaction that does it; the parameters are those of `add`.

    Its lock is the last one that a transaction takes, after those of the rows: two of them never wait for each other.
    """
    if action not in ACTIONS:
        raise ValueError(f"'{action}' is not an action of the audit log: {', '.join(ACTIONS)}")
    _lock(session, access)
    newest = session.exec(_of(access).order_by(col(AuditRecord.number).desc()).limit(1)).first()
    head = session.get(AuditHead, access.workspace)
    last = head if head is not None and (newest is None or head.number > newest.number) else newest
    record = AuditRecord(
        workspace=access.workspace,
        number=1 if last is None else last.number + 1,
        at=time.time(),
        who=access.actor[:200],
        action=action,
        subject=subject[:300],
        details=dict(details),
        previous="" if last is None else last.digest,
        digest="",
    )
    record.digest = _digest(record)
    session.add(record)
    session.merge(AuditHead(workspace=access.workspace, number=record.number, digest=record.digest))
    return record


@dataclass(frozen=True)
class AuditFilter:
    """Which records are wanted; by default all.

    Parameters
    ----------
    actions : tuple of str, default=()
        Keys of `ACTIONS`; none of them for all.
    who : str, optional
        Person who did it.
    since, until : float, optional
        Times (seconds since 1970) that the records lie between; the second one is not included.
    """

    actions: tuple[str, ...] = ()
    who: str | None = None
    since: float | None = None
    until: float | None = None


EVERYTHING: Final = AuditFilter()
"""All records."""


def find(
    wanted: AuditFilter = EVERYTHING, *, limit: int = 1_000, before: int | None = None, access: Access
) -> list[AuditRecord]:
    """Return what was done in a workspace, the newest first.

    Parameters
    ----------
    wanted : AuditFilter, optional
        Conditions that the records meet.
    limit : int, default=1000
        Maximum number of records.
    before : int, optional
        Number of the record that the first one comes before; by default the newest record is the first.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    access.require(Role.ADMIN)
    query = _of(access)
    if wanted.actions:
        query = query.where(col(AuditRecord.action).in_(wanted.actions))
    if wanted.who is not None:
        query = query.where(AuditRecord.who == wanted.who)
    if wanted.since is not None:
        query = query.where(AuditRecord.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditRecord.at < wanted.until)
    if before is not None:
        query = query.where(AuditRecord.number < before)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(AuditRecord.number).desc()).limit(limit)))


def each_page(wanted: AuditFilter, *, access: Access) -> Iterator[list[AuditRecord]]:
    """Yield the records that `find` returns, up to `EXPORTED` of them, a thousand at a time."""
    before, count = None, 0
    while count < EXPORTED and (page := find(wanted, limit=_PAGE, before=before, access=access)):
        yield page
        before, count = page[-1].number, count + len(page)


def people(*, access: Access) -> list[str]:
    """Return who has done something in the workspace, by name.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    access.require(Role.ADMIN)
    query = select(AuditRecord.who).where(AuditRecord.workspace == access.workspace).distinct()
    with reading(access) as session:
        return list(session.exec(query.order_by(col(AuditRecord.who)).limit(_PEOPLE)))


def broken(*, access: Access) -> int | None:
    """Return the number of the first record that was changed or removed; None where none was.

    The newest record is kept a second time, so that those that were removed from the end are missed as well. Whoever
    can change that too leaves no trace here: compare with the digest of an export.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    access.require(Role.ADMIN)
    number, previous = 0, ""
    query = _of(access).order_by(col(AuditRecord.number)).limit(_PAGE)
    with reading(access) as session:
        kept = session.get(AuditHead, access.workspace)
        head = (0, "") if kept is None else (kept.number, kept.digest)
        while page := session.exec(query.where(AuditRecord.number > number)).all():
            for record in page:
                number += 1
                if (record.number, record.previous, record.digest) != (number, previous, _digest(record)):
                    return number
                if number == head[0] and record.digest != head[1]:
                    return number
                previous = record.digest
            session.expunge_all()
    return number + 1 if head[0] > number else None


def _of(access: Access) -> SelectOfScalar[AuditRecord]:
    return select(AuditRecord).where(AuditRecord.workspace == access.workspace)


def _digest(record: AuditRecord) -> str:
    values = record.model_dump(mode="json", exclude={"id", "digest"})
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
