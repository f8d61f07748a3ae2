"""Measures how strongly the columns of a dataset are related, on a random sample of its rows."""

from __future__ import annotations

import json

from core import jobs
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject, jsonable
from core.storage import get_store

__all__ = ["FILE", "SPEC", "latest", "run", "submit"]

FILE = "relations.json"

SPEC = TaskSpec(
    name="relations",
    title="Relations",
    help="Measures how strongly the columns of the dataset are related.",
    lane="short",
)


def _settings(dataset: Dataset, target: str | None) -> JsonObject:
    return {"target": target, "fingerprint": dataset.fingerprint}


def submit(dataset: Dataset, target: str | None) -> str:
    """Queue the comparison of a dataset's columns, and return the run's id; its file `FILE` has the relations."""
    return jobs.submit(
        "relations",
        _settings(dataset, target),
        dataset=dataset.id,
        workspace=dataset.workspace,
        title=f"Relations in {dataset.name}" + (f" to {target}" if target else ""),
    )


def latest(dataset: Dataset, target: str | None) -> Run | None:
    """Return the newest run for this content and target that was not cancelled, or None."""
    settings = _settings(dataset, target)
    return next(
        (
            run
            for run in runs.find(dataset.workspace, task="relations", dataset_id=dataset.id)
            if run.settings == settings and run.state is not RunState.CANCELLED
        ),
        None,
    )


def run(context: RunContext) -> JsonObject:
    """Compare the columns; the table never leaves this process."""
    from core.datasets import load_random_rows, relate_columns, rows_to_compare

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, context.workspace)
    frame = load_random_rows(get_store().local_path(dataset.data_digest), rows_to_compare(dataset.columns))
    relations = relate_columns(frame, context.settings["target"], report=context.report)
    path = context.workdir / FILE
    path.write_text(json.dumps(jsonable(relations.to_dict())), encoding="utf-8")
    context.keep(FILE, path)
    return {"rows": relations.rows, "columns": len(relations.columns), "pairs": len(relations.pairs)}
