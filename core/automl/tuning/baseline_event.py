"""A baseline of a search, guessing or the linear model, as an event that a page can draw while the search runs."""

from __future__ import annotations

from core.automl.learners.registry import learner_title
from core.automl.tuning.trials import Trial
from core.progress import Event

__all__ = ["baseline_event"]


def baseline_event(trial: Trial, metric: str, *, fraction: float | None, elapsed_s: float) -> Event:
    """Return the event of a baseline that has its score.

    Parameters
    ----------
    trial : Trial
        The baseline: its learner is "prior" or "linear".
    metric : str
        Key of `METRICS` that the search optimizes.
    fraction : float or None
        Share of the search that is done.
    elapsed_s : float
        Seconds since the start of the search.
    """
    outcome = trial.status.replace("_", " ") if trial.score is None else f"{trial.score:.4f}"
    return Event(
        "baseline",
        fraction,
        f"{learner_title(trial.learner)}: {outcome}",
        {
            "learner": trial.learner,
            "status": trial.status,
            "score": trial.score,
            "score_std": trial.score_std,
            "metric": metric,
            "elapsed_s": elapsed_s,
            "message": trial.message,
        },
    )
