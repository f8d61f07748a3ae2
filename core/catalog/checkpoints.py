"""Stored checkpoints of runs: the files that another machine needs to continue one, as artifacts that nobody sees."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import col, select

from core.access import INSTALLATION
from core.catalog.engine import fenced, reading, writing
from core.catalog.tables import TERMINAL, Run, RunArtifact

__all__ = ["PREFIX", "ended_with_checkpoint", "files", "remove", "replace"]

PREFIX = ".work/"
"""Beginning of the names of their artifacts; what follows is the path in the working folder."""


def files(run_id: str) -> dict[str, RunArtifact]:
    """Return the files of a run's checkpoint by their path in the working folder."""
    query = select(RunArtifact).where(RunArtifact.run_id == run_id, col(RunArtifact.name).startswith(PREFIX))
    with reading(INSTALLATION) as session:
        return {artifact.name.removeprefix(PREFIX): artifact for artifact in session.exec(query)}


def replace(run: Run, claim: str, changed: Mapping[str, tuple[str, int]], gone: set[str]) -> None:
    """Change a checkpoint, all at once.

    Parameters
    ----------
    run : Run
        The run.
    claim : str
        Token of the claim that must hold it.
    changed : mapping of str to (str, int)
        Digest and size of the contents of files that are new or other than before, by path.
    gone : set of str
        Paths of files that are not there any more.

    Raises
    ------
    JobError
        When the claim does not hold the run.
    """
    with fenced(run.id, claim), writing(INSTALLATION) as session:
        for path, (digest, size) in changed.items():
            session.merge(
                RunArtifact(
                    workspace=run.workspace, run_id=run.id, name=f"{PREFIX}{path}", digest=digest, size_bytes=size
                )
            )
        for path in gone:
            row = session.get(RunArtifact, (run.id, f"{PREFIX}{path}"))
            if row is not None:
                session.delete(row)


def remove(run_id: str) -> None:
    """Remove a run's checkpoint."""
    query = select(RunArtifact).where(RunArtifact.run_id == run_id, col(RunArtifact.name).startswith(PREFIX))
    with reading(INSTALLATION) as session:
        if session.exec(query.limit(1)).first() is None:
            return
    with writing(INSTALLATION) as session:
        for artifact in session.exec(query):
            session.delete(artifact)


def ended_with_checkpoint() -> list[Run]:
    """Return the runs that have ended and have a checkpoint."""
    named = select(RunArtifact.run_id).where(col(RunArtifact.name).startswith(PREFIX))
    query = select(Run).where(col(Run.id).in_(named), col(Run.state).in_(list(TERMINAL)))
    with reading(INSTALLATION) as session:
        return list(session.exec(query))
