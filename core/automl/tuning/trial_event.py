"""A trial as an event that a page can draw while the search goes on."""

from __future__ import annotations

from typing import Any

from core.automl._settings import LEARNERS
from core.progress import Event

__all__ = ["trial_event"]


def trial_event(
    trial: dict[str, Any], best: dict[str, Any] | None, metric: str, *, fraction: float | None, elapsed_s: float
) -> Event:
    """Return the event of a trial that has ended, with the best so far."""
    told = f"{trial['score']:.4f}" if trial["status"] == "finished" else trial["status"].replace("_", " ")
    best_told = "" if best is None else f", best so far {best['score']:.4f}"
    return Event(
        "search",
        fraction,
        f"Trial {trial['trial']}, {LEARNERS.get(trial['learner'], trial['learner'])}: {told}{best_told}",
        {
            "trial": trial["trial"],
            "learner": trial["learner"],
            "status": trial["status"],
            "score": trial.get("score"),
            "score_std": trial.get("score_std"),
            "best_score": None if best is None else best["score"],
            "best_trial": None if best is None else best["trial"],
            "fit_s": trial.get("fit_s"),
            "predict_ms_a_row": trial.get("predict_ms_a_row"),
            "config": trial["config"],
            "metric": metric,
            "elapsed_s": elapsed_s,
            "message": trial.get("message"),
        },
    )
