"""Measures a few steps of a training before it is started, to estimate its time, memory and disk space."""

from __future__ import annotations

from pydantic import JsonValue

from core import jobs
from core.access import Access
from core.catalog import Dataset, Run
from core.finetune import FineTuneSettings
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store
from core.tasks._looks import dataset_of, latest_look, look_settings

__all__ = ["SPEC", "latest", "run", "submit"]

SPEC = TaskSpec(
    name="estimate",
    title="Estimate",
    help="Measures a few steps of a training before it is started.",
    lane="short",
    keeps_data=False,
)


def submit(dataset: Dataset, settings: FineTuneSettings, *, access: Access) -> str:
    """Queue an estimate and return the run's id; its result is that of `TrainingEstimate.to_dict`."""
    return jobs.submit(
        "estimate",
        look_settings(dataset, settings.model_dump(mode="json")),
        dataset=dataset.id,
        title=f"Estimate of {settings.label_column} from {dataset.name}",
        access=access,
    )


def latest(dataset: Dataset, settings: FineTuneSettings, *, access: Access) -> Run | None:
    """Return the newest estimate for exactly these settings and this content that was not canceled, or None."""
    return latest_look("estimate", dataset, settings.model_dump(mode="json"), access=access)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Time some steps; the model is not stored."""
    context.report(Event("estimate", 0.0, "Loading the table"))
    from core.datasets import load_frame
    from core.finetune import estimate_training

    dataset = dataset_of(context)
    values = {name: value for name, value in context.settings.items() if name != "fingerprint"}
    settings = FineTuneSettings.model_validate(values)
    frame = load_frame(get_store().local_path(dataset.data_digest), settings.columns)
    return estimate_training(frame, settings, report=context.report, should_stop=context.should_stop).to_dict()
