"""Queries over the artifacts of runs: named files in the store."""

from __future__ import annotations

from sqlmodel import col, or_, select

from core.access import Access
from core.catalog.engine import reading, writing
from core.catalog.tables import Dataset, FileReference, Run, RunArtifact, RunState
from core.errors import NotFoundError, not_found, shortened

__all__ = ["add", "find", "get", "in_workspace", "newest", "remove", "run_with"]


def add(artifact: RunArtifact, *, access: Access) -> None:
    """Add an artifact to a run; one of the same name is replaced.

    Raises
    ------
    NotFoundError
        When the workspace does not have this run.
    """
    with writing(access) as session:
        if session.get(Run, artifact.run_id) is None:
            raise not_found("run", artifact.run_id, "It may have been deleted. The Runs page lists all runs.")
        session.merge(artifact)


def find(run_id: str, *, access: Access) -> list[RunArtifact]:
    """Return a run's artifacts, ordered by name; those whose name begins with a dot are the run engine's own."""
    query = select(RunArtifact).where(RunArtifact.run_id == run_id, RunArtifact.workspace == access.workspace)
    query = query.where(col(RunArtifact.name).not_like(".%"))
    with reading(access) as session:
        return list(session.exec(query.order_by(col(RunArtifact.name))))


def get(run_id: str, name: str, *, access: Access) -> RunArtifact:
    """Return one artifact of a run.

    Raises
    ------
    NotFoundError
        When the run has no artifact of this name.
    """
    with reading(access) as session:
        artifact = session.get(RunArtifact, (run_id, name))
    if artifact is None or artifact.workspace != access.workspace:
        raise NotFoundError(f"The run has no file '{shortened(name)}'.", "It is written when the run succeeds.")
    return artifact


def remove(run_id: str, name: str, *, access: Access) -> RunArtifact:
    """Remove one artifact of a run and return what it was; its content stays until nothing refers to it.

    Raises
    ------
    NotFoundError
        When the run has no artifact of this name.
    """
    artifact = get(run_id, name, access=access)
    with writing(access) as session:
        session.delete(artifact)
    return artifact


def run_with(name: str, digest: str, *, access: Access) -> str | None:
    """Return the id of a run that has an artifact of this name with this content, or None."""
    query = select(RunArtifact.run_id).where(
        RunArtifact.name == name, RunArtifact.digest == digest, RunArtifact.workspace == access.workspace
    )
    with reading(access) as session:
        return session.exec(query.limit(1)).first()


def newest(name: str, *, access: Access) -> RunArtifact | None:
    """Return the artifact of this name of the run that succeeded last, or None where there is none."""
    query = (
        select(RunArtifact)
        .join(Run, col(Run.id) == col(RunArtifact.run_id))
        .where(RunArtifact.name == name, RunArtifact.workspace == access.workspace, Run.state == RunState.SUCCEEDED)
        .order_by(col(Run.finished_at).desc(), col(Run.created_at).desc())
    )
    with reading(access) as session:
        return session.exec(query.limit(1)).first()


def in_workspace(digest: str, *, access: Access) -> bool:
    """Return whether a row of the workspace refers to this content."""
    columns = (
        (Dataset.workspace, (Dataset.data_digest, Dataset.profile_digest, Dataset.upload_digest)),
        (RunArtifact.workspace, (RunArtifact.digest,)),
        (FileReference.workspace, (FileReference.digest,)),
    )
    with reading(access) as session:
        for owner, digests in columns:
            query = select(owner).where(or_(*(col(named) == digest for named in digests)))
            if session.exec(query.where(col(owner) == access.workspace).limit(1)).first() is not None:
                return True
    return False
