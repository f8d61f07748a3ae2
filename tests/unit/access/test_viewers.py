"""Every public function that changes something for an editor is refused for a viewer, in the same words.

Functions are found, not listed (`test_isolation`). Each is called for an admin first: what changes a row or a file then
has to be refused for a viewer, and nothing may change.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.access import LOCAL, Role
from core.catalog import Dataset, RunArtifact, audit
from core.errors import DeniedError, PlumblineError
from core.jobs import scheduler
from core.settings import get_settings
from tests.unit.access import test_isolation as isolation
from tests.unit.access.test_isolation import known, rows

__all__ = ["known", "rows"]

pytestmark = pytest.mark.nightly

VIEWER = replace(LOCAL, role=Role.VIEWER)
WORDS = {
    f"You may look at this workspace as viewer; only {role}s may change this. "
    "Ask an admin of the workspace for another role."
    for role in (Role.EDITOR, Role.ADMIN)
}

NOT_CALLED = {
    "catalog.audit.add": "what viewers do is recorded",
    "catalog.audit.once": "what viewers do is recorded",
    "policies.note_read": "what viewers read of the test rows counts",
    "catalog.workspaces.remove": "viewers may leave",
    "catalog.audit.note": "works in the transaction of its caller",
    "catalog.deletions.mark": "works in the transaction of its caller",
    "catalog.references.replace": "works in the transaction of its caller",
    "exports.prove_bundle": "only reads, and takes an opened model",
    "tasks._pipeline_data.dataset_of": "only reads",
    "tasks.pipeline.unapproved": "only reads",
    "tasks.pipeline_schedules.update_schedules": "changes schedules by jobs.change_schedule, which is called",
}
"""Functions that are left out, and why."""

VALUES: dict[str, Any] = {
    "artifact": RunArtifact(workspace="local", run_id="", name="x", digest="d" * 64, size_bytes=1),
    "wanted": audit.AuditFilter(),
    "form": "csv",
    "deletion_id": isolation.MISSING,
    "run_ids": [],
    "person": "ada",
    "role": Role.EDITOR,
    "two_people": True,
    "needs_reason": True,
}
"""What stands for further arguments."""

OWN_VERSION = isolation.OWN_DATASET.model_dump() | {"id": "4" * 16, "workspace": "local"}


def arguments(function: isolation.Function, known: dict[str, Any], folder: Path, key: str) -> dict[str, Any]:
    """Return arguments of a function, with rows of its own workspace where it takes some."""
    chosen = {}
    for name, parameter in inspect.signature(function).parameters.items():
        annotation = str(parameter.annotation)
        if name == "access" or parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        kind = isolation.ROWS.get(annotation) or (isolation.IDS.get(name) if annotation.startswith("str") else None)
        if parameter.default is not inspect.Parameter.empty and name not in isolation.NEEDED:
            continue
        if kind == "run":
            kind = next((own for own, keys in isolation.RUNS_OF.items() if key.startswith(keys)), kind)
        if kind is not None and name not in isolation.NOT_OWN:
            chosen[name] = known[kind] if annotation in isolation.ROWS else known[kind].id
        else:
            chosen[name] = VALUES[name] if name in VALUES else isolation.others(function, name, annotation, folder)
    own = isolation.OPTIONS.get(key, {})
    return chosen | own | ({"version": Dataset(**OWN_VERSION)} if "version" in own else {})


def files() -> dict[str, int]:
    """Return the files and folders of the installation that are not the catalog's, with the times of their changes."""
    home = get_settings().home
    return {
        path.relative_to(home).as_posix(): path.stat().st_mtime_ns
        for path in home.rglob("*")
        if not path.name.startswith(("catalog.db", "reserve"))
    }


def changes(call: Callable[[], object], version: Callable[[], object]) -> tuple[bool, PlumblineError | None]:
    """Return whether a call changed a row or a file, and what it raised."""
    before, error = (version(), files()), None
    try:
        call()
    except PlumblineError as caught:
        error = caught
    return (version(), files()) != before, error


@pytest.mark.parametrize("key", sorted(isolation.FUNCTIONS.keys() - NOT_CALLED.keys()))
def test_what_changes_something_is_refused_for_viewers(rows, monkeypatch, tmp_path, key):
    monkeypatch.setattr(scheduler, "_start", lambda run: None)
    monkeypatch.setattr("core.jobs.sweep", lambda: None)
    function = isolation.FUNCTIONS[key]
    if "record" in inspect.signature(function).parameters:
        monkeypatch.setitem(isolation.OTHERS, "record", isolation.exports.read(rows["export"], access=LOCAL))
    given = arguments(function, rows, tmp_path, key)
    changed, refusal = changes(lambda: function(**given, access=VIEWER), rows["changes"])
    assert not changed, f"a viewer changes something by {key}"
    shutil.rmtree(tmp_path / "target", ignore_errors=True)
    given = arguments(function, rows, tmp_path, key)
    if changes(lambda: function(**given, access=LOCAL), rows["changes"])[0]:
        assert isinstance(refusal, DeniedError), f"{key}: {refusal}"
        assert f"{refusal.message} {refusal.hint}" in WORDS
