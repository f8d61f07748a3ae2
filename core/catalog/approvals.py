"""Queries over approvals: which code, by its digest, may run in a workspace."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from core.access import Access
from core.catalog import audit
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import ApprovedCode

__all__ = ["approve", "approved", "find"]


def approved(digests: Iterable[str], *, access: Access) -> set[str]:
    """Return those of the digests that were approved in this workspace."""
    asked = set(digests)
    query = select(ApprovedCode.digest).where(
        ApprovedCode.workspace == access.workspace, col(ApprovedCode.digest).in_(sorted(asked))
    )
    with reading(access) as session:
        return set(session.exec(query)) if asked else set()


def approve(digests: Iterable[str], *, access: Access) -> None:
    """Approve code by its digests. The first approval of a digest stays, with who gave it and when."""
    for digest in sorted(set(digests) - approved(digests := set(digests), access=access)):
        try:
            with writing(access) as session:
                session.add(ApprovedCode(workspace=access.workspace, digest=digest, who=access.actor[:200]))
                audit.note(session, "approve", f"the code {digest[:16]}", access=access, digest=digest)
        except IntegrityError:  # another process approved it first
            if not approved([digest], access=access):
                raise


def find(*, access: Access) -> list[ApprovedCode]:
    """Return all approvals of a workspace, newest first."""
    query = select(ApprovedCode).where(ApprovedCode.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(ApprovedCode.at).desc(), col(ApprovedCode.digest))))
