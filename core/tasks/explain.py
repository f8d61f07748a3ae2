"""Explains a search's model: as the last part of its run, or later in a separate run."""

from __future__ import annotations

import shutil
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core import jobs
from core.access import Access
from core.catalog import Run, RunState, artifacts, datasets, runs
from core.errors import InputError, NotFoundError
from core.jobs import RunContext, TaskSpec
from core.models import TABLE_TASKS
from core.progress import Event
from core.storage import get_store

if TYPE_CHECKING:
    from core.automl import AutoMLResult
    from core.explain import ExplainSettings

__all__ = ["SPEC", "explain_winner", "later", "run", "submit"]

SPEC = TaskSpec(
    name="explain",
    title="Explanation",
    help="Explains a search's model.",
    page="automl",
    subject="source",
)

_MAX_SECONDS = 20.0
_MAX_SHARE = 1 / 3  # of the search's budget; the run's time limit leaves half the budget and two minutes for it


def submit(source: Run, *, budget_s: float = 60.0, access: Access) -> str:
    """Queue the explanation of a search's model, if it has none or had too little time, and return the run's id.

    Parameters
    ----------
    source : Run
        A search that succeeded.
    budget_s : float, default=60.0
        Seconds for the whole explanation.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run made no model of a table.
    SettingsError
        When the budget is not a positive number of seconds.
    """
    from core.explain import ExplainSettings

    source = runs.get(source.id, access=access)
    if source.task not in TABLE_TASKS or source.state is not RunState.SUCCEEDED:
        raise InputError(f"Run '{source.id}' has no model to explain.", "Choose a search that succeeded.")
    settings = ExplainSettings(budget_s=budget_s)
    return jobs.submit(
        "explain",
        {"source": source.id, "budget_s": settings.budget_s},
        dataset=source.dataset_id,
        title=f"Explain {source.title}",
        access=access,
    )


def later(source: Run, *, access: Access) -> list[Run]:
    """Return a search's later explanations, newest first, in whatever state but cancelled."""
    explanations = runs.find(task="explain", dataset_id=source.dataset_id, access=access)
    own = [run for run in explanations if run.settings["source"] == source.id]
    return [run for run in own if run.state is not RunState.CANCELLED]


def run(context: RunContext) -> dict[str, JsonValue]:
    """Load the search's model, explain it, and store the explanation with this run."""
    context.report(Event("explain", 0.0, "Loading the model and its rows"))
    from core.automl import AutoMLResult
    from core.explain import ExplainSettings

    settings = context.settings
    folder = context.workdir / "source"
    shutil.rmtree(folder, ignore_errors=True)
    for item in artifacts.find(settings["source"], access=context.access):
        path = folder / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(get_store().local_path(item.digest).resolve())
    if not folder.exists():
        raise InputError("The search that made this model was deleted.", "Search again, then explain that.")
    result = AutoMLResult.load(folder)
    _explain(context, result, ExplainSettings(budget_s=settings["budget_s"], seed=result.settings.seed))
    return {"source": settings["source"]}


def explain_winner(context: RunContext, result: AutoMLResult) -> str | None:
    """Explain a stored result's model and store the explanation.

    Returns
    -------
    str or None
        The failure, if there was one: the search's result is kept either way. Nothing is done when the settings do
        not ask for it, or the search was stopped.
    """
    settings = result.settings
    if not settings.explain or result.stop_code == "stopped" or context.should_stop():
        return None
    budget = settings.time_budget_s
    seconds = _MAX_SECONDS if budget is None else min(_MAX_SECONDS, _MAX_SHARE * budget)
    try:
        from core.explain import ExplainSettings

        _explain(context, result, ExplainSettings(budget_s=seconds, seed=settings.seed), fraction=0.99)
    except Exception as error:  # noqa: BLE001  (shown to the user and logged; a model without explanation is a result)
        traceback.print_exception(error)
        message = f"The model could not be explained ({type(error).__name__}: {str(error)[:300]})."
        context.report(Event("explain", 0.99, message, {"error": type(error).__name__}))
        return message
    return None


def _explain(
    context: RunContext, result: AutoMLResult, settings: ExplainSettings, *, fraction: float | None = None
) -> None:
    """Explain and store the files; `fraction` is the progress that the run reports, where this is only a part of it."""
    from core.datasets import load_frame
    from core.explain import explain

    try:
        dataset = datasets.get(context.run.dataset_id or "", access=context.access)
    except NotFoundError as error:
        raise InputError(
            "The table that this model was trained on was deleted, so nothing can be explained.",
            "Upload it again and repeat the search.",
        ) from error
    explanation = explain(
        result,
        load_frame(get_store().local_path(dataset.data_digest)),
        settings,
        report=lambda event: context.report(event if fraction is None else replace(event, fraction=fraction)),
        should_stop=context.should_stop,
    )
    folder = context.workdir / "explanation"
    explanation.save(folder)
    for path in sorted(folder.iterdir()):
        context.keep(path.name, path)
