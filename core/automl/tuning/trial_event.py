"""A trial as an event that a page can draw while the search runs."""

from __future__ import annotations

from core.automl.learners.registry import learner_title
from core.automl.tuning.trials import Trial
from core.progress import Event

__all__ = ["trial_event"]


def trial_event(trial: Trial, best: Trial | None, metric: str, *, fraction: float | None, elapsed_s: float) -> Event:
    """Return the event of a trial that has ended.

    Parameters
    ----------
    trial : Trial
        The trial.
    best : Trial or None
        The best trial so far.
    metric : str
        Key of `METRICS` that the search optimizes.
    fraction : float or None
        Share of the search that is done.
    elapsed_s : float
        Seconds since the start of the search.
    """
    outcome = trial.status.replace("_", " ") if trial.score is None else f"{trial.score:.4f}"
    best_score = None if best is None else best.score
    best_so_far = "" if best_score is None else f", best so far {best_score:.4f}"
    return Event(
        "search",
        fraction,
        f"Trial {trial.number}, {learner_title(trial.learner)}: {outcome}{best_so_far}",
        {
            "trial": trial.number,
            "learner": trial.learner,
            "status": trial.status,
            "score": trial.score,
            "score_std": trial.score_std,
            "best_score": best_score,
            "best_trial": None if best is None else best.number,
            "fit_s": trial.fit_s,
            "predict_ms_a_row": trial.predict_ms_a_row,
            "config": trial.config,
            "metric": metric,
            "elapsed_s": elapsed_s,
            "message": trial.message,
        },
    )
