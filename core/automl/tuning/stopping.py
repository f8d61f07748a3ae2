"""When the trials of a search are enough."""

from __future__ import annotations

from typing import NamedTuple

from core.automl._settings import AutoMLSettings
from core.automl.tuning.trials import Trial, Trials

__all__ = ["PATIENCE", "StopReason", "all_done", "enough_trials"]

PATIENCE = 20  # trials without a gain, after as many of each learner, before a search ends early


class StopReason(NamedTuple):
    """Why a search ended, in one word and in a sentence."""

    code: str
    sentence: str


def enough_trials(board: Trials, settings: AutoMLSettings, *, limit: int | None, earlier: int = 0) -> StopReason | None:
    """Return why the trials so far are enough; None while they are not.

    Parameters
    ----------
    board : Trials
        Trials of the search.
    settings : AutoMLSettings
        Settings of the search.
    limit : int or None
        Maximum number of trials.
    earlier : int, default=0
        Number of trials of an earlier search, which ended for a reason of its own.
    """
    best, target = board.best, settings.exit_score
    if (
        best is not None
        and best.score is not None
        and target is not None
        and (best.score >= target if board.larger_is_better else best.score <= target)
    ):
        return StopReason("exit_score", f"The score of {target:g} was reached.")
    if best is None and len(board) >= PATIENCE and all(trial.status == "failed" for trial in board):
        return StopReason("failed", f"The first {PATIENCE} trials all failed.")
    if settings.early_stopping and best is not None and _stale(board, best, settings, earlier):
        return StopReason("early", f"The last {PATIENCE} trials brought no gain.")
    if limit is not None and len(board) >= limit:
        return all_done(len(board))
    return None


def _stale(board: Trials, best: Trial, settings: AutoMLSettings, earlier: int) -> bool:
    """Return whether the last trials brought no gain."""
    scored = [trial for trial in list(board)[earlier:] if trial.status in ("finished", "pruned")]
    warm = PATIENCE * len(settings.chosen_learners)
    since = [trial for trial in scored if (trial.number or 0) > (best.number or 0)]
    return len(scored) >= warm and len(since) >= PATIENCE


def all_done(trials: int) -> StopReason:
    """Return the end of a search with a given number of trials.

    Examples
    --------
    >>> all_done(5).sentence, all_done(1).sentence
    ('All 5 trials were done.', 'The one trial was done.')
    """
    return StopReason("trials", f"All {trials:,} trials were done." if trials != 1 else "The one trial was done.")
