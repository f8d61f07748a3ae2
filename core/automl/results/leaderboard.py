"""The leaderboard: trials of a search beside the blend, the linear model and guessing."""

from __future__ import annotations

import pandas as pd

from core.automl.tuning.trials import Trial, Trials

__all__ = ["leaderboard_table"]


def leaderboard_table(board: Trials, blend: Trial | None, linear: Trial | None, guessing: Trial) -> pd.DataFrame:
    """Return one row per trial, the best first and guessing last.

    Parameters
    ----------
    board : Trials
        Trials of the search.
    blend, linear : Trial or None
        The blend that was considered, and the linear model.
    guessing : Trial
        The baseline that knows no column.
    """
    ranked = sorted([*board, *(trial for trial in (linear, blend) if trial is not None)], key=board.rank)
    if blend is not None and blend.finished:  # it was found to be better, if not on these very rows
        ranked.remove(blend)
        ranked.insert(0, blend)
    return pd.DataFrame(
        [
            {
                "name": f"{trial.learner} {trial.number}" if trial.number else trial.learner,
                "learner": trial.learner,
                "trial": trial.number or None,
                "status": trial.status,
                "score": trial.score,
                "score_std": trial.score_std,
                **(trial.metrics or {}),
                "fit_s": trial.fit_s,
                "predict_ms_a_row": trial.predict_ms_a_row,
                "size_bytes": trial.size_bytes,
                "config": trial.config,
            }
            for trial in [*ranked, guessing]
        ]
    )
