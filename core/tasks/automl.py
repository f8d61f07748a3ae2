"""Searches a model for a dataset's target and keeps everything later pages need."""

from __future__ import annotations

from typing import Any

from core import jobs
from core.automl import AutoMLSettings
from core.catalog import Dataset, datasets
from core.jobs import RunContext
from core.progress import Event
from core.storage import get_store
from core.tasks._explain import explain_winner

__all__ = ["run", "submit"]

RESUMABLE = True
STOPPABLE = True


def submit(dataset: Dataset, settings: AutoMLSettings) -> str:
    """Queue a search; returns the run's id, its files are those that ``AutoMLResult.save`` writes."""
    # The budget is the search's own to keep; this is the wall behind it, should the search hang.
    wall = None if settings.time_budget_s is None else settings.time_budget_s * 1.5 + 120
    return jobs.submit(
        "automl",
        settings,
        dataset=dataset.id,
        workspace=dataset.workspace,
        title=f"{settings.target} from {dataset.name}",
        timeout_s=wall,
    )


def run(context: RunContext) -> dict[str, Any]:
    """Search, then store the result; the clock has run since the run was started."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.automl import search
    from core.datasets import load_frame

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, context.workspace)
    result = search(
        load_frame(get_store().local_path(dataset.data_digest)),
        AutoMLSettings.model_validate(context.settings),
        report=context.report,
        workdir=context.workdir / "search",
        should_stop=context.should_stop,
        started=context.started,
    )
    context.report(Event("store", 0.99, "Storing the model and its evidence"))
    folder = context.workdir / "result"
    result.save(folder)
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)
    return {
        "verdict": result.verdict,
        "stop_reason": result.stop_reason,
        "trials": len(result.trials),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "explain_error": explain_winner(context, result),
    }
