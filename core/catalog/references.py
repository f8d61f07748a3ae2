"""Which stored contents a row needs that names them within a JSON column; housekeeping asks before it deletes one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete
from sqlmodel import Session, col, select

from core.access import Access
from core.catalog.tables import FileReference

__all__ = ["drop", "replace"]


def replace(session: Session, owner_id: str, digests: Iterable[str], *, access: Access) -> None:
    """Make these contents the ones that a row needs, in the transaction that stores the row."""
    session.execute(delete(FileReference).where(col(FileReference.owner_id) == owner_id))
    for digest in sorted(set(digests)):
        session.add(FileReference(owner_id=owner_id, digest=digest, workspace=access.workspace))


def drop(session: Session, owner_ids: Collection[str]) -> set[str]:
    """Forget what rows needed, in the transaction that deletes them; return the contents.

    Others may need them, too: `core.housekeeping.delete_unused` deletes those that no row needs.
    """
    mine = col(FileReference.owner_id).in_(owner_ids)
    digests = set(session.exec(select(FileReference.digest).where(mine)))
    session.execute(delete(FileReference).where(mine))
    return digests
