"""From the trials of a search to a blend of the best: candidates, selection, and the blend's row of the leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.automl._types import OutOfFold
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.selection import Choice, best_of_each, choose_blend
from core.automl.tuning.cross_validation import summarize
from core.automl.tuning.trials import Judgment, Trial

__all__ = ["Blending", "choose_members", "load_out_of_fold", "out_of_fold_file", "selection_s", "worth_keeping"]

KEPT_CELLS = 20_000  # rows times classes, up to which all trials' predictions are kept
KEPT_TRIALS = 300


@dataclass(frozen=True)
class Blending:
    """What was chosen.

    Parameters
    ----------
    members : list of (Trial, float)
        The members with their weights, of sum 1.
    choice : Choice
        Scores of the blend and of the best single model.
    trial : Trial
        The blend as a trial of the search.
    """

    members: list[tuple[Trial, float]]
    choice: Choice
    trial: Trial


def out_of_fold_file(folder: Path, trial: Trial) -> Path:
    """Return where a trial's out-of-fold predictions are."""
    if trial.learner in ("linear", "blend"):
        return folder / f"{trial.learner}.oof.npy"
    return folder / "oof" / f"{trial.number}.npy"


def load_out_of_fold(folder: Path, trial: Trial) -> OutOfFold:
    """Return a trial's out-of-fold predictions, (n, k) or (n,): the mean over the repeats, NaN where there are none."""
    stored = np.load(out_of_fold_file(folder, trial))
    return np.asarray(stored[0] if len(stored) == 1 else stored.mean(axis=0), dtype=stored.dtype)


def worth_keeping(ranked: Sequence[Trial], data: TrainingData) -> set[int | None]:
    """Return the numbers of the trials whose out-of-fold predictions are kept.

    These are the best of each learner, so that no learner is missing, however many trials of another are better. Of a
    small table all others are kept as well, so that the blend is judged as if the search had not seen the judged rows.

    Parameters
    ----------
    ranked : sequence of Trial
        Trials, best first.
    data : TrainingData
        Rows and folds.
    """
    learners = [trial.learner for trial in ranked]
    kept = {ranked[index].number for index in best_of_each(range(len(ranked)), learners)}
    if len(data.y) * max(data.classes, 1) <= KEPT_CELLS:
        kept |= {trial.number for trial in ranked[:KEPT_TRIALS]}
    return kept


def selection_s(data: TrainingData) -> float:
    """Return about how many seconds the selection takes."""
    return 0.2 + 1.3 * min(1.0, len(data.y) * max(data.classes, 2) / 20_000)


def choose_members(
    folder: Path,
    ranked: Sequence[Trial],
    data: TrainingData,
    metric: str,
    *,
    cost: Callable[[Trial], float],
    longest: float,
    budget: float,
    seed: int,
) -> Blending | None:
    """Choose a blend of the best trials of each learner.

    Parameters
    ----------
    folder : Path
        Folder of the search, where the out-of-fold predictions are; the blend's own are written there.
    ranked : sequence of Trial
        Finished trials, best first.
    data : TrainingData
        Rows and folds.
    metric : str
        Key of `METRICS` that the search optimizes.
    cost : callable
        Seconds that fitting a trial's configuration on all rows takes.
    longest : float
        Seconds that one fit may take.
    budget : float
        Seconds of one core that all fits together may take.
    seed : int
        Seed of the selection.

    Returns
    -------
    Blending or None
        None when there are no two models that could be blended.
    """
    kept = worth_keeping(ranked, data)
    predicted_trials = [trial for trial in ranked if trial.number in kept and out_of_fold_file(folder, trial).exists()]
    candidates = [trial for trial in predicted_trials if cost(trial) <= longest]
    if len(candidates) < 2:
        return None
    predictions = [load_out_of_fold(folder, trial) for trial in candidates]
    covered = np.isfinite(np.stack([output.reshape(len(output), -1)[:, 0] for output in predictions])).all(axis=0)
    choice = choose_blend(
        [output[covered] for output in predictions],
        [trial.learner for trial in candidates],
        data.y[covered],
        metric,
        costs=[cost(trial) for trial in candidates],
        budget=budget,
        groups=None if data.groups is None else data.groups[covered],
        sample_weight=data.weights_of(np.flatnonzero(covered)),
        seed=seed,
    )
    total = sum(choice.weights.values())
    members = [(candidates[index], weight / total) for index, weight in choice.weights.items()]
    return Blending(members, choice, _blend_trial(folder, members, choice, data, metric))


def _blend_trial(
    folder: Path, members: list[tuple[Trial, float]], choice: Choice, data: TrainingData, metric: str
) -> Trial:
    """Return the blend as a trial is listed; a blend without a gain has no score."""
    config = {
        "members": [
            {"trial": trial.number or None, "learner": trial.learner, "weight": weight, "config": trial.config}
            for trial, weight in members
        ]
    }
    judged: Judgment = {"score_on_other_rows": choice.score, "best_single_on_other_rows": choice.best_score}
    if not choice.wins:
        reason = (
            "no mix was better than one model alone"
            if len(members) == 1
            else f"on rows that did not choose the weights it scored {choice.score:.4f}, the best single model "
            f"{choice.best_score:.4f}"
        )
        return Trial(None, "blend", config, "not_better", message=f"The blend is not used: {reason}.", judged=judged)
    head = Trial(None, "blend", config, "finished")
    stacked = sum(weight * np.load(out_of_fold_file(folder, trial)).astype(np.float64) for trial, weight in members)
    predicted: OutOfFold = np.asarray(stacked, dtype=np.float32 if data.classes else np.float64)
    np.save(out_of_fold_file(folder, head), predicted)
    return Trial(
        None,
        "blend",
        config,
        "finished",
        judged=judged,
        fit_s=sum(trial.fit_s or 0.0 for trial, _ in members),
        predict_ms_a_row=sum(trial.predict_ms_a_row or 0.0 for trial, _ in members),
        size_bytes=sum(trial.size_bytes or 0 for trial, _ in members),
        **vars(summarize(predicted, data, metric)),
    )
