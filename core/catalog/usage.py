"""How much a workspace stores, by its rows."""

from __future__ import annotations

from sqlmodel import col, func, select

from core.access import Access, limits
from core.catalog.engine import reading
from core.catalog.hidden import ALL_ROWS
from core.catalog.tables import Dataset, Run, RunArtifact

__all__ = ["require_room", "stored_bytes"]


def stored_bytes(*, access: Access) -> int:
    """Return the size of a workspace's tables, original files and results, also of those that can still be had back."""
    own = select(Run.id).where(Run.workspace == access.workspace)
    sums = (
        select(func.sum(Dataset.size_bytes + Dataset.upload_bytes)).where(Dataset.workspace == access.workspace),
        select(func.sum(RunArtifact.size_bytes)).where(col(RunArtifact.run_id).in_(own)),
    )
    with reading(access) as session:
        return sum(session.exec(query, execution_options=ALL_ROWS).one() or 0 for query in sums)


def require_room(more_bytes: int = 0, *, access: Access) -> None:
    """Refuse to store more in a workspace that has reached its limit.

    Parameters
    ----------
    more_bytes : int, default=0
        Size of what is about to be stored, and of files that no row counts.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When the workspace has a limit and leaves no room.
    """
    limit = limits()
    if limit.stored_mb is not None:
        limit.check_stored(stored_bytes(access=access) + more_bytes)
