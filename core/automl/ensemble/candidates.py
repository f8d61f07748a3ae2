"""From the trials of a search to a blend of the best: candidates, selection, and the blend's row of the leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl.data.training_data import TrainingData
from core.automl.ensemble.selection import Choice, best_of_each, choose_blend
from core.automl.tuning.trial import summarize

__all__ = ["Blending", "consider", "load_out_of_fold", "out_of_fold_file", "selection_s", "worth_keeping"]

KEPT_CELLS = 20_000  # rows times classes, up to which all trials' predictions are kept
KEPT_TRIALS = 300


@dataclass(frozen=True)
class Blending:
    """What was chosen: the members with their weights, of sum 1, and the blend as a trial of the search."""

    members: list[tuple[dict[str, Any], float]]
    choice: Choice
    trial: dict[str, Any]


def out_of_fold_file(folder: Path, trial: dict[str, Any]) -> Path:
    """Return where a trial's out-of-fold predictions are."""
    if trial["learner"] in ("linear", "blend"):
        return folder / f"{trial['learner']}.oof.npy"
    return folder / "oof" / f"{trial['trial']}.npy"


def load_out_of_fold(folder: Path, trial: dict[str, Any]) -> NDArray[np.float32]:
    """Return a trial's out-of-fold predictions, (n, k) or (n,): the mean over the repeats, NaN where there are none."""
    stored = np.load(out_of_fold_file(folder, trial))
    return np.asarray(stored[0] if len(stored) == 1 else stored.mean(axis=0), dtype=np.float32)


def worth_keeping(ranked: Sequence[dict[str, Any]], data: TrainingData) -> set[int]:
    """Return the numbers of the trials whose out-of-fold predictions are kept, from trials that are given best first.

    The best of each learner, so that no kind is missing, however many trials of another are better. Of a small table
    all others as well, so that the blend is judged as if the search had not seen the judged rows.
    """
    kinds = [trial["learner"] for trial in ranked]
    kept = {ranked[place]["trial"] for place in best_of_each(range(len(ranked)), kinds)}
    if len(data.y) * max(data.classes, 1) <= KEPT_CELLS:
        kept |= {trial["trial"] for trial in ranked[:KEPT_TRIALS]}
    return kept


def selection_s(data: TrainingData) -> float:
    """Return about how many seconds the selection takes."""
    return 0.2 + 1.3 * min(1.0, len(data.y) * max(data.classes, 2) / 20_000)


def consider(
    folder: Path,
    ranked: Sequence[dict[str, Any]],
    data: TrainingData,
    metric: str,
    *,
    cost: Callable[[dict[str, Any]], float],
    longest: float,
    room: float,
    seed: int,
) -> Blending | None:
    """Choose a blend of the best trials of each learner.

    Parameters
    ----------
    folder : Path
        Of the search, where the out-of-fold predictions are; the blend's own are written there.
    ranked : list of trial
        Finished trials, best first.
    cost : callable
        Seconds that fitting a trial's configuration on all rows takes.
    longest, room : float
        Seconds that one fit may take, and all together.

    Returns
    -------
    Blending or None
        None when there are no two models that could be blended.
    """
    kept = worth_keeping(ranked, data)
    listed = [trial for trial in ranked if trial["trial"] in kept and out_of_fold_file(folder, trial).exists()]
    found = [trial for trial in listed if cost(trial) <= longest]
    if len(found) < 2:
        return None
    predicted = [load_out_of_fold(folder, trial) for trial in found]
    covered = np.isfinite(np.stack([each.reshape(len(each), -1)[:, 0] for each in predicted])).all(axis=0)
    choice = choose_blend(
        [each[covered] for each in predicted],
        [trial["learner"] for trial in found],
        data.y[covered],
        metric,
        costs=[cost(trial) for trial in found],
        room=room,
        groups=None if data.groups is None else data.groups[covered],
        seed=seed,
    )
    total = sum(choice.weights.values())
    members = [(found[place], weight / total) for place, weight in choice.weights.items()]
    return Blending(members, choice, _trial(folder, members, choice, data, metric))


def _trial(
    folder: Path, members: list[tuple[dict[str, Any], float]], choice: Choice, data: TrainingData, metric: str
) -> dict[str, Any]:
    """Return the blend as a trial is listed; a blend that is no gain has no score."""
    config = {
        "members": [
            {"trial": trial["trial"] or None, "learner": trial["learner"], "weight": weight, "config": trial["config"]}
            for trial, weight in members
        ]
    }
    judged = {"score_on_other_rows": choice.score, "best_single_on_other_rows": choice.best_score}
    head = {"trial": None, "learner": "blend", "config": config, "judged": judged}
    if not choice.wins:
        single = len(members) == 1
        why = (
            "no mix was better than one model alone"
            if single
            else (
                f"on rows that did not choose the weights it scored {choice.score:.4f}, the best single model "
                f"{choice.best_score:.4f}"
            )
        )
        return head | {"status": "not_better", "message": f"The blend is not used: {why}."}
    stacked = sum(weight * np.load(out_of_fold_file(folder, trial)).astype(np.float64) for trial, weight in members)
    np.save(out_of_fold_file(folder, head), np.asarray(stacked, dtype=np.float32))
    return head | {
        "status": "finished",
        **summarize(np.asarray(stacked, dtype=np.float32), data, metric),
        "fit_s": sum(trial["fit_s"] for trial, _ in members),
        "predict_ms_a_row": sum(trial["predict_ms_a_row"] for trial, _ in members),
        "size_bytes": sum(trial.get("size_bytes") or 0 for trial, _ in members),
    }
