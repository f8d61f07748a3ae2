"""Queries over approvals: which code, by its digest, may run in a workspace."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import ApprovedCode

__all__ = ["approve", "approved", "find"]


def approved(workspace: str, digests: Iterable[str]) -> set[str]:
    """Return those of the digests that were approved in this workspace."""
    asked = set(digests)
    query = select(ApprovedCode.digest).where(
        ApprovedCode.workspace == workspace, col(ApprovedCode.digest).in_(sorted(asked))
    )
    with reading() as session:
        return set(session.exec(query)) if asked else set()


def approve(workspace: str, digests: Iterable[str], *, who: str = "") -> None:
    """Approve code by its digests. The first approval of a digest stays, with who gave it and when."""
    for digest in sorted(set(digests) - approved(workspace, digests := set(digests))):
        try:
            with writing() as session:
                session.add(ApprovedCode(workspace=workspace, digest=digest, who=who[:200]))
        except IntegrityError:  # another process approved it first
            if not approved(workspace, [digest]):
                raise


def find(workspace: str) -> list[ApprovedCode]:
    """Return all approvals of a workspace, newest first."""
    query = select(ApprovedCode).where(ApprovedCode.workspace == workspace)
    with reading() as session:
        return list(session.exec(query.order_by(col(ApprovedCode.at).desc(), col(ApprovedCode.digest))))
