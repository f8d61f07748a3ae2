"""Searches a model for a dataset's target, exports and explains it, and keeps everything later pages need."""

from __future__ import annotations

import json
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import jobs
from core.automl import LEARNERS, AutoMLSettings
from core.catalog import Dataset, RunState, artifacts, datasets, runs
from core.errors import ExportError, JobError
from core.jobs import RunContext
from core.progress import Event
from core.storage import get_store

if TYPE_CHECKING:
    import pandas as pd

    from core.automl import AutoMLResult

__all__ = ["run", "submit"]

RESUMABLE = True
STOPPABLE = True
EXPLAIN_S = 20.0
EXPLAIN_SHARE = 1 / 3  # of the search's budget, at most
_COMPARED = 2_000
_TRIED = 1_000


def submit(dataset: Dataset, settings: AutoMLSettings, *, continue_from: str | None = None) -> str:
    """Queue a search; returns the run's id, its files are those that ``AutoMLResult.save`` writes.

    Parameters
    ----------
    dataset : Dataset
        What to learn from.
    settings : AutoMLSettings
        What to search for, and the limits.
    continue_from : str, optional
        Id of a finished search of the same dataset whose trials are kept; all settings but the limits must be its own.

    Raises
    ------
    JobError
        When the earlier run is no finished search of this dataset.
    """
    values = settings.model_dump(mode="json")
    if continue_from is not None:
        earlier = runs.get(continue_from, dataset.workspace)
        if earlier.task != "automl" or earlier.state is not RunState.SUCCEEDED or earlier.dataset_id != dataset.id:
            raise JobError(
                f"'{earlier.title}' is no finished search of '{dataset.name}'.", "Choose one that succeeded."
            )
        values["continue_from"] = continue_from
    # The budget is the search's own to keep; this is the wall behind it, should the search or its explanation hang.
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
    """Search, store the result, then explain it; the clock has run since the run was started."""
    context.report(Event("prepare", 0.0, "Loading the table"))
    from core.automl import hyperparameter_importance, search
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
    importances = {
        learner: {name: item.to_dict() for name, item in hyperparameter_importance(result.trials, learner).items()}
        for learner in LEARNERS
    }
    (folder / "hyperparameters.json").write_text(json.dumps(importances), encoding="utf-8")
    _keep(context, folder)
    return {
        "verdict": result.verdict,
        "stop_reason": result.stop_reason,
        "trials": len(result.trials),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": _export(context, frame, result),
        "explain_error": _explain(context, frame, result),
    }


def _earlier(context: RunContext, run_id: str | None) -> Path | None:
    """Return a folder with what a search needs of an earlier one."""
    if run_id is None:
        return None
    folder = context.workdir / "earlier"
    folder.mkdir(exist_ok=True)
    for found in artifacts.find(run_id, context.workspace):
        if found.name in ("result.json", "trials.npz"):
            (folder / found.name).write_bytes(get_store().read_bytes(found.digest))
    return folder


def _keep(context: RunContext, folder: Path) -> None:
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)


def _export(context: RunContext, frame: pd.DataFrame, result: AutoMLResult) -> str | None:
    """Store the model as ONNX, for pages to score with; returns why that failed: the model is there all the same."""
    from core.edge import export_onnx

    context.report(Event("export", 0.99, "Exporting the model and comparing its answers"))
    rows = frame[result.features]
    parts = [rows.iloc[table["row_id"].to_numpy()[:_COMPARED]] for table in (result.oof, result.test)]
    folder = context.workdir / "exported"
    folder.mkdir(exist_ok=True)
    try:
        found = export_onnx(
            result.model, folder / "model.onnx", train=parts[0], held_out=parts[1] if len(parts[1]) else parts[0],
            fingerprint=result.fingerprint, target=result.settings.target,
        )  # fmt: skip
    except ExportError as error:
        context.report(Event("export", 0.99, error.message))
        return error.message
    (folder / "onnx.json").write_text(json.dumps(found.to_dict(), default=str), encoding="utf-8")
    # Raw rows to ask the file about, by their position in the table; without a test, those it learned from.
    table = result.test if len(result.test) else result.oof
    rows.iloc[table["row_id"].to_numpy()[:_TRIED]].set_axis(table["row_id"].to_numpy()[:_TRIED]).to_parquet(
        folder / "rows.parquet"
    )
    _keep(context, folder)
    return None


def _explain(context: RunContext, frame: pd.DataFrame, result: AutoMLResult) -> str | None:
    """Explain the model and store what was found; returns what went wrong: the search's result is kept either way."""
    if not result.settings.explain or result.stop_code == "stopped" or context.should_stop():
        return None
    seconds = min(EXPLAIN_S, EXPLAIN_SHARE * (result.settings.time_budget_s or 3 * EXPLAIN_S))
    try:
        from core.explain import ExplainSettings, explain

        found = explain(
            result,
            frame,
            ExplainSettings(budget_s=seconds, seed=result.settings.seed),
            report=lambda event: context.report(replace(event, fraction=0.99)),
            should_stop=context.should_stop,
        )
        folder = context.workdir / "explanation"
        found.save(folder)
        _keep(context, folder)
    except Exception as error:  # noqa: BLE001  (told to the user and logged; a model without explanation is a result)
        traceback.print_exception(error)
        message = f"The model could not be explained ({type(error).__name__}: {str(error)[:300]})."
        context.report(Event("explain", 0.99, message, {"error": type(error).__name__}))
        return message
    return None
