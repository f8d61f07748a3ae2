"""Searches for a model of a dataset's target, exports and explains it, and keeps all that pages need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import jobs
from core.automl import AutoMLSettings
from core.catalog import Dataset, RunState, artifacts, datasets, runs
from core.errors import JobError
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.storage import get_store
from core.tasks._export_winner import export_winner
from core.tasks._reading import keep_reading
from core.tasks.explain import explain_winner

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="automl",
    title="AutoML",
    help="Searches for a model of a dataset's target.",
    page="automl",
    resumable=True,
    stoppable=True,
)


def submit(dataset: Dataset, settings: AutoMLSettings, *, continue_from: str | None = None) -> str:
    """Queue a search and return the id of its run, whose files are those that ``AutoMLResult.save`` writes.

    Parameters
    ----------
    dataset : Dataset
        Table to learn from.
    settings : AutoMLSettings
        Settings of the search.
    continue_from : str, optional
        Id of a finished search of the same dataset whose trials are kept; all settings but the limits must be its own.

    Raises
    ------
    JobError
        When the earlier run is not a finished search of this dataset.
    """
    values = settings.model_dump(mode="json")
    if continue_from is not None:
        earlier = runs.get(continue_from, dataset.workspace)
        if earlier.task != "automl" or earlier.state is not RunState.SUCCEEDED or earlier.dataset_id != dataset.id:
            raise JobError(
                f"'{earlier.title}' is not a finished search of '{dataset.name}'.", "Choose one that succeeded."
            )
        values["continue_from"] = continue_from
    # The search keeps its budget itself; this is the limit behind it, in case the search or its explanation hangs.
    wall = None if settings.time_budget_s is None else settings.time_budget_s * 1.5 + 120
    return jobs.submit(
        "automl",
        values,
        dataset=dataset.id,
        workspace=dataset.workspace,
        title=f"{settings.target} from {dataset.name}",
        timeout_s=wall,
    )


def run(context: RunContext) -> dict[str, Any]:
    """Search, store the result, export and explain its winner; the clock has run since the run was started."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.automl import search
    from core.datasets import load_frame

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, context.workspace)
    values = dict(context.settings)
    earlier = _earlier(context, values.pop("continue_from", None))
    frame = load_frame(get_store().local_path(dataset.data_digest))
    result = search(
        frame,
        AutoMLSettings.model_validate(values),
        report=context.report,
        workdir=context.workdir / "search",
        should_stop=context.should_stop,
        started=context.started,
        earlier=earlier,
    )
    context.report(Event("store", 0.99, "Storing the model and its evidence"))
    folder = context.workdir / "result"
    result.save(folder)
    keep_reading(dataset, folder)
    _keep(context, folder)
    return {
        "verdict": result.verdict,
        "stop_reason": result.stop_reason,
        "trials": len(result.trials),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": export_winner(context, frame, result),
        "explain_error": explain_winner(context, result),
    }


def _earlier(context: RunContext, run_id: str | None) -> Path | None:
    """Return a folder with what a search needs of an earlier one."""
    if run_id is None:
        return None
    folder = context.workdir / "earlier"
    folder.mkdir(exist_ok=True)
    for artifact in artifacts.find(run_id, context.workspace):
        if artifact.name in ("result.json", "trials.npz"):
            (folder / artifact.name).write_bytes(get_store().read_bytes(artifact.digest))
    return folder


def _keep(context: RunContext, folder: Path) -> None:
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)
