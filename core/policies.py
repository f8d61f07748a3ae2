"""Policies that are kept with a search, and how often its test rows were used for a check."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import JsonValue

from core.catalog import Run, RunArtifact, artifacts, events
from core.fairness import ThresholdPolicy
from core.progress import Event
from core.storage import get_store

__all__ = ["keep", "kept", "note_read", "reads"]

_PHASE = "test_read"
_PREFIX = "policy-"
_MAX_NAME = 80


def keep(run: Run, name: str, policy: ThresholdPolicy) -> str:
    """Store a policy with a search, so that it is part of the model's download, and return the file's name."""
    safe = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_MAX_NAME] or "policy"
    content = json.dumps(policy.to_dict(), indent=2, allow_nan=False).encode()
    file = f"{_PREFIX}{safe}.json"
    digest = get_store().put_bytes(content)
    artifacts.add(
        RunArtifact(workspace=run.workspace, run_id=run.id, name=file, digest=digest, size_bytes=len(content))
    )
    return file


def kept(run: Run) -> dict[str, ThresholdPolicy]:
    """Return the policies of a search by the name of their file."""
    store = get_store()
    return {
        artifact.name: ThresholdPolicy.from_dict(json.loads(store.read_bytes(artifact.digest)))
        for artifact in artifacts.find(run.id, run.workspace)
        if artifact.name.startswith(_PREFIX)
    }


def note_read(run: Run, check: Mapping[str, JsonValue]) -> None:
    """Note that the test rows were used for a check; the same check counts once.

    Parameters
    ----------
    run : Run
        Run that held the rows out.
    check : mapping
        Record of the check: a rule, a cohort whose figures were read, or another model that was compared.
    """
    if check not in [event.values for event in events.read(run.id, run.workspace, phase=_PHASE)]:
        events.append(run.id, run.workspace, Event(_PHASE, None, "The test rows were used for a check", dict(check)))


def reads(run: Run) -> int:
    """Return for how many checks the test rows were used: the model's own rule, others, cohorts and comparisons."""
    return 1 + len(events.read(run.id, run.workspace, phase=_PHASE))
