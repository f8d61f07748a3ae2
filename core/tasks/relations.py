"""Measures how strongly the columns of a dataset are related, on a random sample of its rows."""

from __future__ import annotations

import json

from core import jobs
from core.access import Access
from core.catalog import Dataset, Run
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject, jsonable
from core.storage import get_store
from core.tasks._looks import dataset_of, latest_look, look_settings

__all__ = ["FILE", "SPEC", "latest", "run", "submit"]

FILE = "relations.json"

SPEC = TaskSpec(
    name="relations",
    title="Relations",
    help="Measures how strongly the columns of the dataset are related.",
    lane="short",
    keeps_data=False,
)


def submit(dataset: Dataset, target: str | None, *, access: Access) -> str:
    """Queue the comparison of a dataset's columns, and return the run's id; its file `FILE` has the relations."""
    return jobs.submit(
        "relations",
        look_settings(dataset, {"target": target}),
        dataset=dataset.id,
        title=f"Relations in {dataset.name}" + (f" to {target}" if target else ""),
        access=access,
    )


def latest(dataset: Dataset, target: str | None, *, access: Access) -> Run | None:
    """Return the newest run for this content and target that was not cancelled, or None."""
    return latest_look("relations", dataset, {"target": target}, access=access)


def run(context: RunContext) -> JsonObject:
    """Compare the columns; the table never leaves this process."""
    from core.datasets import load_random_rows, relate_columns, rows_to_compare

    dataset = dataset_of(context)
    frame = load_random_rows(get_store().local_path(dataset.data_digest), rows_to_compare(dataset.columns))
    relations = relate_columns(frame, context.settings["target"], report=context.report)
    path = context.workdir / FILE
    path.write_text(json.dumps(jsonable(relations.to_dict())), encoding="utf-8")
    context.keep(FILE, path)
    return {"rows": relations.rows, "columns": len(relations.columns), "pairs": len(relations.pairs)}
