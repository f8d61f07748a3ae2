"""Measures a few steps of a training before it is started, to estimate its time, memory and disk space."""

from __future__ import annotations

from pydantic import JsonValue

from core import jobs
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.finetune import FineTuneSettings
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store

__all__ = ["SPEC", "latest", "run", "submit"]

SPEC = TaskSpec(
    name="estimate",
    title="Estimate",
    help="Measures a few steps of a training before it is started.",
    lane="short",
)


def submit(dataset: Dataset, settings: FineTuneSettings) -> str:
    """Queue an estimate and return the run's id; its result is that of `TrainingEstimate.to_dict`."""
    return jobs.submit(
        "estimate",
        settings,
        dataset=dataset.id,
        workspace=dataset.workspace,
        title=f"Estimate of {settings.label_column} from {dataset.name}",
    )


def latest(dataset: Dataset, settings: FineTuneSettings) -> Run | None:
    """Return the newest estimate for exactly these settings that was not canceled, in any other state."""
    values = settings.model_dump(mode="json")
    estimates = runs.find(dataset.workspace, task="estimate", dataset_id=dataset.id)
    return next((run for run in estimates if run.settings == values and run.state is not RunState.CANCELLED), None)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Time some steps; the model is not stored."""
    context.report(Event("estimate", 0.0, "Loading the table"))
    from core.datasets import load_frame
    from core.finetune import estimate_training

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, context.workspace)
    settings = FineTuneSettings.model_validate(context.settings)
    columns = list(dict.fromkeys([settings.text_column, settings.label_column, *settings.sensitive_columns]))
    frame = load_frame(get_store().local_path(dataset.data_digest), columns)
    return estimate_training(frame, settings, report=context.report, should_stop=context.should_stop).to_dict()
