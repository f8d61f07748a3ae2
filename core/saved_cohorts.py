"""Cohorts that are saved with a search by their conditions."""

from __future__ import annotations

import hashlib
import json

from core.access import Access, Role
from core.catalog import Run, RunArtifact, artifacts
from core.cohorts import Cohort
from core.storage import get_store

__all__ = ["keep", "kept", "remove"]

_PREFIX = "cohort-"


def keep(run: Run, cohort: Cohort, *, access: Access) -> str:
    """Save a cohort with a search, and return the file's name; the same conditions are saved once."""
    access.require(Role.EDITOR)
    content = json.dumps(cohort.to_dict(), indent=2, allow_nan=False).encode()
    file = f"{_PREFIX}{hashlib.sha256(content).hexdigest()[:12]}.json"
    digest = get_store().put_bytes(content)
    artifacts.add(
        RunArtifact(workspace=run.workspace, run_id=run.id, name=file, digest=digest, size_bytes=len(content)),
        access=access,
    )
    return file


def kept(run: Run, *, access: Access) -> dict[str, Cohort]:
    """Return the saved cohorts of a search by the name of their file, in the order of their conditions."""
    store = get_store()
    cohorts = {
        artifact.name: Cohort.from_dict(json.loads(store.read_bytes(artifact.digest)))
        for artifact in artifacts.find(run.id, access=access)
        if artifact.name.startswith(_PREFIX)
    }
    return dict(sorted(cohorts.items(), key=lambda item: item[1].text))


def remove(run: Run, file: str, *, access: Access) -> None:
    """Remove a saved cohort.

    Raises
    ------
    NotFoundError
        When the search has no such cohort.
    """
    artifacts.remove(run.id, file, access=access)
