"""Trains a search's winner again with techniques that mitigate unfairness, and compares them."""

from __future__ import annotations

import json

from pydantic import JsonValue

from core import jobs
from core.access import Access
from core.catalog import Run, RunState, artifacts, datasets, runs
from core.errors import JobError
from core.fairness import MitigationSettings
from core.files import write_text
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store

__all__ = ["SPEC", "latest", "run", "submit"]

SPEC = TaskSpec(
    name="mitigate",
    title="Mitigations",
    help="Trains a search's winner again with techniques that mitigate unfairness.",
    page="fairness",
    subject="search",
    stoppable=True,
    stop_label="Stop and keep what is done",
    part_of="search",
)


def submit(search: Run, settings: MitigationSettings, *, access: Access) -> str:
    """Queue a comparison for a finished search; its result's file is ``mitigation.json``.

    Raises
    ------
    JobError
        When the search has not succeeded.
    """
    search = runs.get(search.id, access=access)
    if search.task != "automl" or search.state is not RunState.SUCCEEDED:
        raise JobError(f"'{search.title}' has not finished as a search.", "Choose one that succeeded.")
    return jobs.submit(
        "mitigate",
        {"search": search.id, "mitigation": settings.model_dump(mode="json")},
        dataset=search.dataset_id,
        title=f"Mitigate {search.title}",
        access=access,
    )


def latest(search: Run, *, access: Access) -> Run | None:
    """Return the newest comparison of a search, in whatever state."""
    comparisons = runs.find(task="mitigate", dataset_id=search.dataset_id, access=access)
    return next((run for run in comparisons if run.settings["search"] == search.id), None)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Train and compare; the table never leaves this process."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.automl import AutoMLSettings
    from core.datasets import load_frame
    from core.fairness import mitigate

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    stored = artifacts.get(context.settings["search"], "result.json", access=context.access)
    result = json.loads(get_store().read_bytes(stored.digest))
    comparison = mitigate(
        load_frame(get_store().local_path(dataset.data_digest)),
        AutoMLSettings.model_validate(result["settings"]),
        result["winner"],
        MitigationSettings.model_validate(context.settings["mitigation"]),
        report=context.report,
        should_stop=context.should_stop,
    )
    path = context.workdir / "mitigation.json"
    write_text(path, json.dumps(comparison.to_dict(), allow_nan=False))
    context.keep("mitigation.json", path)
    return {"techniques": comparison.table["technique"].tolist()}
