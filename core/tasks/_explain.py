"""Explains the winner of a search as the last part of its run."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from core.catalog import datasets
from core.jobs import RunContext
from core.progress import Event
from core.storage import get_store

if TYPE_CHECKING:
    from core.automl import AutoMLResult

__all__ = ["explain_winner"]

SECONDS = 20.0
SHARE = 1 / 3  # of the search's budget, at most; the run's wall of half the budget and two minutes has room for it


def explain_winner(context: RunContext, result: AutoMLResult) -> str | None:
    """Explain a stored result's model and keep what was found.

    Returns
    -------
    str or None
        What went wrong, if anything did: the search's result is kept either way. Nothing is done when the settings
        do not ask for it, or the search was stopped.
    """
    settings = result.settings
    if not settings.explain or result.stop_code == "stopped" or context.should_stop():
        return None
    seconds = SECONDS if settings.time_budget_s is None else min(SECONDS, SHARE * settings.time_budget_s)
    try:
        from core.datasets import load_frame
        from core.explain import ExplainSettings, explain

        assert context.run.dataset_id is not None
        dataset = datasets.get(context.run.dataset_id, context.workspace)
        found = explain(
            result,
            load_frame(get_store().local_path(dataset.data_digest)),
            ExplainSettings(budget_s=seconds, seed=settings.seed),
            report=lambda event: context.report(replace(event, fraction=0.99)),
            should_stop=context.should_stop,
        )
        folder = context.workdir / "explanation"
        found.save(folder)
        for path in sorted(folder.iterdir()):
            context.keep(path.name, path)
    except Exception as error:  # noqa: BLE001  (told to the user and logged; a model without explanation is a result)
        traceback.print_exception(error)
        message = f"The model could not be explained ({type(error).__name__}: {str(error)[:300]})."
        context.report(Event("explain", 0.99, message, {"error": type(error).__name__}))
        return message
    return None
