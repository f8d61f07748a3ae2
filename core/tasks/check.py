"""Checks a dataset with the guardrails: what could make a model of it wrong or useless."""

from __future__ import annotations

from collections.abc import Sequence

from core import jobs
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store

__all__ = ["SPEC", "latest", "run", "submit"]

SPEC = TaskSpec(
    name="check",
    title="Checks",
    help="Looks for what could make a model of the dataset wrong or useless.",
    lane="short",
)


def _settings(target: str | None, sensitive: Sequence[str]) -> JsonObject:
    return {"target": target, "sensitive": sorted(sensitive)}


def submit(dataset: Dataset, target: str | None, sensitive: Sequence[str] = ()) -> str:
    """Queue the checks of a dataset for a target, and return the run's id; its result has ``findings``."""
    return jobs.submit(
        "check",
        _settings(target, sensitive),
        dataset=dataset.id,
        workspace=dataset.workspace,
        title=f"Check {dataset.name}" + (f" for {target}" if target else ""),
    )


def latest(dataset: Dataset, target: str | None, sensitive: Sequence[str] = ()) -> Run | None:
    """Return the newest run of exactly these checks that was not cancelled, or None."""
    settings = _settings(target, sensitive)
    matches = [
        run
        for run in runs.find(dataset.workspace, task="check", dataset_id=dataset.id)
        if run.settings == settings and run.state is not RunState.CANCELLED
    ]
    return matches[0] if matches else None


def run(context: RunContext) -> JsonObject:
    """Check the dataset; the table never leaves this process."""
    from core.datasets import check, load_frame

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, context.workspace)
    context.report(Event("check", 0.1, "Checking for leaks, duplicates and imbalance"))
    frame = load_frame(get_store().local_path(dataset.data_digest))
    findings = check(frame, context.settings["target"], sensitive=context.settings["sensitive"])
    return {"findings": [finding.to_dict() for finding in findings]}
