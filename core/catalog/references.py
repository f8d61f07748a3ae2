"""Which stored contents rows need: those in columns of their own, and those that they name within a JSON column.

What a row needs stands in the database from the transaction on that stores the row. A content goes when no row has
needed it for long (`core.upkeep`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from pydantic import JsonValue
from sqlalchemy import delete
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, func, select

from core.access import INSTALLATION, Access
from core.catalog.engine import reading
from core.catalog.hidden import ALL_ROWS
from core.catalog.tables import ACTIVE, CatalogId, Dataset, FileReference, Run, RunArtifact

__all__ = ["began", "drop", "earliest_work", "every_needed", "named_in", "needed", "of_workspace", "replace"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BATCH = 500
_COLUMNS: tuple[Mapped[Any], ...] = (
    col(Dataset.data_digest),
    col(Dataset.profile_digest),
    col(Dataset.upload_digest),
    col(RunArtifact.digest),
    col(FileReference.digest),
)


def replace(session: Session, owner_id: str, digests: Iterable[str], *, access: Access) -> None:
    """Make these contents the ones that a row needs, in the transaction that stores the row."""
    session.execute(delete(FileReference).where(col(FileReference.owner_id) == owner_id))
    for digest in sorted(set(digests)):
        session.add(FileReference(owner_id=owner_id, digest=digest, workspace=access.workspace))


def drop(session: Session, owner_ids: Collection[str]) -> None:
    """Forget what rows needed, in the transaction that deletes them."""
    session.execute(delete(FileReference).where(col(FileReference.owner_id).in_(owner_ids)))


def named_in(value: JsonValue) -> Iterator[str]:
    """Yield all texts in a JSON value that may be the digest of a content, such as the files in a run's settings."""
    if isinstance(value, str):
        if _DIGEST.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from named_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_in(item)


def needed(digests: Collection[str]) -> set[str]:
    """Return those contents that a row of any workspace needs."""
    listed = sorted(set(digests))
    matches: set[str] = set()
    if not listed:
        return matches
    with reading(INSTALLATION) as session:
        for start in range(0, len(listed), _BATCH):
            for column in _COLUMNS:
                batch = listed[start : start + _BATCH]
                query = select(column).where(column.in_(batch)).distinct()
                matches |= {digest for digest in session.exec(query, execution_options=ALL_ROWS) if digest is not None}
    return matches


def every_needed() -> set[str]:
    """Return all contents that rows need."""
    matches: set[str | None] = set()
    with reading(INSTALLATION) as session:
        for column in _COLUMNS:
            matches.update(session.exec(select(column).distinct(), execution_options=ALL_ROWS))
    return {digest for digest in matches if digest is not None}


def of_workspace(workspace: str) -> set[str]:
    """Return the contents that rows of a workspace need, also of rows that are deleted and can be had back."""
    matches: set[str | None] = set()
    with reading(INSTALLATION) as session:
        for column in _COLUMNS:
            own = column.class_.workspace == workspace  # type: ignore[attr-defined]
            matches.update(session.exec(select(column).where(own).distinct(), execution_options=ALL_ROWS))
    return {digest for digest in matches if digest is not None}


def began() -> float | None:
    """Return when this catalog began, or None when it has no id yet.

    Contents that are older were not stored for it: they may be those of a catalog that was lost.
    """
    with reading(INSTALLATION) as session:
        at = session.exec(select(func.min(CatalogId.created_at))).one()
        rows = [session.exec(select(func.min(table.created_at))).one() for table in (Dataset, Run)]
    return None if at is None else min([at, *(row for row in rows if row is not None)])


def earliest_work() -> float | None:
    """Return when the oldest run that works at present was submitted, or None when none works.

    A row may name what was stored since then only when that run ends.
    """
    query = select(Run.created_at).where(col(Run.state).in_(list(ACTIVE))).order_by(col(Run.created_at)).limit(1)
    with reading(INSTALLATION) as session:
        return session.exec(query).first()
