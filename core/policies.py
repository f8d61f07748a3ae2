"""What is kept with a search when its fairness is looked at: policies, and how often its test rows were read."""

from __future__ import annotations

import json
import re
from typing import Any

from core.catalog import Run, RunArtifact, artifacts, events
from core.fairness import ThresholdPolicy
from core.progress import Event
from core.storage import get_store

__all__ = ["keep", "kept", "note_read", "reads"]

_PHASE = "test_read"
_PREFIX = "policy-"


def keep(run: Run, name: str, policy: ThresholdPolicy) -> str:
    """Store a policy with a search, so that it travels with the model's download; returns the file's name."""
    safe = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "policy"
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
        item.name: ThresholdPolicy.from_dict(json.loads(store.read_bytes(item.digest)))
        for item in artifacts.find(run.id, run.workspace)
        if item.name.startswith(_PREFIX)
    }


def note_read(run: Run, rule: dict[str, Any]) -> None:
    """Note that the test rows were read to see how a rule does; the same rule counts once."""
    if rule not in [event.values for event in events.read(run.id, run.workspace, phase=_PHASE)]:
        events.append(run.id, run.workspace, Event(_PHASE, None, "The test rows were read for a rule", rule))


def reads(run: Run) -> int:
    """Return for how many rules the test rows were read, the model's own among them."""
    return 1 + len(events.read(run.id, run.workspace, phase=_PHASE))
