"""Looks at a source for new batches, and compares them as the task `monitor` does: a schedule starts it.

It is a kind of run of its own. `monitor` gets rows, and what came of them is all that it has to keep; this one gets a
place to look at, may find nothing, and keeps what it has seen, so that the next look begins there. What was seen and
what came of it are one result: a check that fails keeps neither, and the next one brings the same batches.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core import alerts
from core.batch_sources import ChangedError, SourceBatch, SourceLook, look_at
from core.catalog import ModelVersion, Run, RunState, artifacts, runs
from core.errors import PlumblineError, shortened
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store
from core.tasks._batch_rows import read_batch
from core.tasks._watching import NewBatch, Watch

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SPEC", "run"]

SPEC = TaskSpec(
    name="monitor_check",
    title="Check for new batches",
    help="Looks at a folder or a database for new batches of a model, and compares them.",
    lane="short",
    page="models",
    repeatable=False,  # what is new depends on the checks before
    part_of="model",
)
_SHOWN_PROBLEMS = 20


def run(context: RunContext) -> dict[str, JsonValue]:
    """Look at the source, and compare what is new."""
    if other := _earlier_check(context):
        said = f"The check '{shortened(other.title)}' of the same source was started before and has not ended."
        return {"source": context.settings["source"], "notes": [said], "found": 0, "problems": [], "yielded": True}
    try:
        return _checked(context)
    except PlumblineError as error:
        _alert(context, datetime.now(UTC).date().isoformat(), "New batches could not be looked for", error)
        raise


def _earlier_check(context: RunContext) -> Run | None:
    """Return a check of the same source that has not ended: it brings what is new, and this one nothing."""
    mine = context.run
    unended = [state for state in RunState if not state.terminal]
    for other in runs.find(task=SPEC.name, states=unended, limit=1_000, access=context.access):
        is_earlier = (other.created_at, other.id) < (mine.created_at, mine.id)
        if is_earlier and other.settings["source"] == mine.settings["source"]:
            return other
    return None


def _checked(context: RunContext) -> dict[str, JsonValue]:
    from core.models import resolve

    settings = context.settings
    version = resolve(settings["model"], access=context.access)
    context.report(Event("look", 0.0, "Looking for new batches"))
    before, known = _state(context)
    look = look_at(settings["kind"], settings["values"], before, workspace=context.access.workspace)
    said: JsonObject = {"source": settings["source"], "found": len(look.batches)}
    said |= _compared(context, version, look)
    state = json.dumps(look.state(), sort_keys=True).encode()
    if state != known:
        path = context.workdir / "state"
        path.write_bytes(state)
        context.keep(_state_name(settings), path)
    return said


def _state_name(settings: JsonObject) -> str:
    return f"sources/{settings['source']}.json"


def _state(context: RunContext) -> tuple[JsonObject, bytes]:
    """Return what the last check of this source that succeeded left, and its bytes."""
    artifact = artifacts.newest(_state_name(context.settings), access=context.access)
    if artifact is None:
        return {}, b""
    content = get_store().read_bytes(artifact.digest)
    state: JsonObject = json.loads(content)
    return state, content


def _compared(context: RunContext, version: ModelVersion, look: SourceLook) -> JsonObject:
    """Bring the batches of a look, one after the other; one that cannot be read holds up no other."""
    lists: dict[str, list[JsonValue]] = {}
    problems: list[JsonValue] = []
    notes: list[JsonValue] = list(look.notes)
    values: JsonObject = {}
    watch = Watch(context, version) if look.batches else None
    for number, batch in enumerate(look.batches, start=1):
        context.report(Event("read", 0.02, f"Reading {number:,} of {len(look.batches):,}: {shortened(batch.name)}"))
        try:
            rows = _rows(context, version, look, batch)
            assert watch is not None  # there are batches
            added = watch.add([NewBatch(shortened(batch.name, 200), batch.at, rows)])
        except ChangedError as error:
            notes.append(f"{error.message} {error.hint}")
            continue
        except PlumblineError as error:
            look.failed(batch)
            problems.append({"name": batch.name, "message": error.message, "hint": error.hint})
            key = hashlib.sha256(f"{batch.name}\n{batch.stamp}".encode()).hexdigest()[:32]
            _alert(context, key, f"{shortened(batch.name)} could not be read as a batch", error)
            continue
        look.brought(batch)
        for name, value in added.items():
            if isinstance(value, list):
                lists.setdefault(name, []).extend(value)
            else:
                values[name] = value
    if watch is not None:
        watch.raise_alarms()
    return {**values, **lists, "notes": notes, "problems": problems[:_SHOWN_PROBLEMS], "unread": len(problems)}


def _rows(context: RunContext, version: ModelVersion, look: SourceLook, batch: SourceBatch) -> pd.DataFrame:
    folder = context.workdir / "fetched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        return read_batch(context, version, look.fetch(batch, folder), batch.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alert(context: RunContext, key: str, title: str, error: PlumblineError) -> None:
    """Say so to those who look after the model, once per file and version of it, or per day."""
    settings = context.settings
    alerts.raise_alert(
        settings["model"],
        f"source/{settings['source']}/{key}",
        title,
        message=error.message,
        hint=error.hint,
        facts={"source": context.run.title},
        run_id=context.run.id,
        access=context.access,
    )
