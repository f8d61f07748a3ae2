"""The steps of a pipeline's run in the catalog: their states, and the outputs that later runs can use."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from core.catalog import PipelineStep, RunState, steps
from core.jobs import RunContext
from core.jsonable import JsonObject
from core.pipelines import KeptStep, Pipeline, Step
from core.progress import Event
from core.storage import get_store

__all__ = ["StoredSteps"]


class StoredSteps:
    """A keeper of outputs as artifacts, and of each step's state; a resumed run continues with its own rows.

    Parameters
    ----------
    context : RunContext
        The pipeline's run.
    pipeline : Pipeline
        The pipeline.
    listed : list of Step
        Its steps.
    """

    def __init__(self, context: RunContext, pipeline: Pipeline, listed: list[Step]) -> None:
        self._context = context
        self._pipeline = pipeline.title[:300]
        self._lock = threading.Lock()
        self._rows = {row.path: row for row in steps.of_run(context.run.id, access=context.access)}
        self._done = {path: row for path, row in self._rows.items() if row.state == RunState.SUCCEEDED}
        for position, step in enumerate(listed):
            if step.path not in self._rows:
                self._rows[step.path] = steps.add(
                    PipelineStep(
                        workspace=context.access.workspace,
                        pipeline_run_id=context.run.id,
                        pipeline=self._pipeline,
                        path=step.path,
                        position=position,
                        state=RunState.QUEUED,
                    ),
                    access=context.access,
                )

    def find(self, key: str) -> KeptStep | None:
        """Return the newest execution with this key whose outputs are whole, or None."""
        return self._kept(steps.latest_by_key(key, access=self._context.access))

    def resumed(self, step: str, key: str) -> KeptStep | None:
        """Return the execution by this same run before it was interrupted, or None."""
        row = self._done.get(step)
        return self._kept(row) if row is not None and row.key == key else None

    def latest(self, pipeline: str, step: str) -> JsonObject | None:
        """Return the parts of the key of the newest execution of a step of a pipeline, or None."""
        row = steps.latest_of_path(
            pipeline[:300],
            step,
            states=[RunState.SUCCEEDED],
            before_run=self._context.run.id,
            access=self._context.access,
        )
        return None if row is None else row.parts

    def keep(self, pipeline: str, step: str, parts: JsonObject, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Store the outputs of an execution as artifacts."""
        store = get_store()
        outputs = {
            name: {file: store.put_file(paths[name] / file if file else paths[name]) for file in files}
            for name, files in kept.outputs.items()
        }
        self._update(step, key=kept.key, parts=parts, outputs=outputs, state=RunState.SUCCEEDED)

    def restore(self, step: str, kept: KeptStep, paths: Mapping[str, Path]) -> None:
        """Write kept outputs to these paths; the contents stay as long as this run does."""
        outputs = {name: dict(files) for name, files in kept.outputs.items()}
        self._update(step, key=kept.key, parts=kept.parts, outputs=outputs, state=RunState.SUCCEEDED)
        store = get_store()
        for name, path in paths.items():
            shutil.rmtree(path, ignore_errors=True)
            for file, digest in kept.outputs[name].items():
                target = path / file if file else path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(store.local_path(digest), target)
            if "" not in kept.outputs[name]:
                path.mkdir(parents=True, exist_ok=True)

    def report(self, event: Event) -> None:
        """Store what became of a step, and the event."""
        values = event.values
        if event.phase == "step":
            fields: dict[str, str | float] = {"state": str(values["state"])}
            if values["state"] == RunState.RUNNING:
                fields["started_at"] = time.time()
            else:
                fields |= {"reason": str(values["reason"]), "finished_at": time.time(), "run_id": str(values["run_id"])}
            self._update(str(values["step"]), **fields)
        self._context.report(event)

    def _kept(self, row: PipelineStep | None) -> KeptStep | None:
        if row is None:
            return None
        store = get_store()
        if not all(store.exists(digest) for files in row.outputs.values() for digest in files.values()):
            return None
        return KeptStep(row.key, row.parts, row.outputs, row.finished_at or row.created_at, row.pipeline_run_id)

    def _update(self, step: str, **fields: str | float | JsonObject | None) -> None:
        with self._lock:
            self._rows[step] = steps.update(self._rows[step].id, **fields, access=self._context.access)
