"""Checks a dataset with the guardrails: what could make a model of it wrong or useless."""

from __future__ import annotations

from collections.abc import Sequence

from core import jobs
from core.access import Access
from core.catalog import Dataset, Run
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store
from core.tasks._looks import dataset_of, latest_look, look_settings

__all__ = ["SPEC", "latest", "run", "submit"]

SPEC = TaskSpec(
    name="check",
    title="Checks",
    help="Looks for what could make a model of the dataset wrong or useless.",
    lane="short",
    keeps_data=False,
)


def _settings(target: str | None, sensitive: Sequence[str]) -> JsonObject:
    return {"target": target, "sensitive": sorted(sensitive)}


def submit(dataset: Dataset, target: str | None, sensitive: Sequence[str] = (), *, access: Access) -> str:
    """Queue the checks of a dataset for a target, and return the run's id; its result has ``findings``."""
    return jobs.submit(
        "check",
        look_settings(dataset, _settings(target, sensitive)),
        dataset=dataset.id,
        title=f"Check {dataset.name}" + (f" for {target}" if target else ""),
        access=access,
    )


def latest(dataset: Dataset, target: str | None, sensitive: Sequence[str] = (), *, access: Access) -> Run | None:
    """Return the newest run of exactly these checks of this content that was not cancelled, or None."""
    return latest_look("check", dataset, _settings(target, sensitive), access=access)


def run(context: RunContext) -> JsonObject:
    """Check the dataset; the table never leaves this process."""
    from core.datasets import Finding, check, load_random_rows, rows_in_memory

    dataset = dataset_of(context)
    context.report(Event("check", 0.1, "Checking for leaks, duplicates and imbalance"))
    frame = load_random_rows(get_store().local_path(dataset.data_digest), rows_in_memory(dataset.columns))
    findings = check(frame, context.settings["target"], sensitive=context.settings["sensitive"])
    if len(frame) < dataset.rows:
        part = f"a random sample of {len(frame):,} of the {dataset.rows:,} rows"
        message = f"The checks looked at {part}: the whole table needs more memory than there is."
        hint, values = "Counts in these checks are of the sample.", {"rows": len(frame), "all_rows": dataset.rows}
        findings.insert(0, Finding("sample", "notice", None, message, hint, values))
    return {"findings": [finding.to_dict() for finding in findings]}
