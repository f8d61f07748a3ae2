"""The trials of a finished search, for another search that continues from them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl._types import OutOfFold
from core.automl.tuning.trials import Trial
from core.errors import SettingsError, StorageError

__all__ = [
    "LIMITS",
    "PREDICTIONS_FILE",
    "WarmStart",
    "kept_trials",
    "load_predictions",
    "load_warm_start",
    "save_predictions",
]

PREDICTIONS_FILE = "trials.npz"
"""Out-of-fold predictions of the best trials of each learner, by the trial's number."""

LIMITS = {
    "time_budget_s",
    "trial_timeout_s",
    "max_trials",
    "max_concurrent_trials",
    "nodes",
    "early_stopping",
    "exit_score",
    "explain",
    "ensemble",
    "bagging",
    "calibrate",
}
"""Settings that may differ when a search is continued."""


@dataclass(frozen=True)
class WarmStart:
    """Trials of an earlier search, with the predictions that were kept of them.

    Parameters
    ----------
    trials : list of Trial
        The trials.
    predictions : dict of int to array
        Out-of-fold predictions by the trial's number.
    positive_label : str, optional
        The positive class of two, whose code is 1 in the predictions.
    """

    trials: list[Trial] = field(default_factory=list)
    predictions: dict[int, OutOfFold] = field(default_factory=dict)
    positive_label: str | None = None


def save_predictions(path: Path, predictions: Mapping[int, OutOfFold]) -> None:
    """Write out-of-fold predictions by the trial's number."""
    arrays: dict[str, Any] = {str(number): predicted for number, predicted in predictions.items()}
    np.savez(path, **arrays)


def load_predictions(path: Path, trials: Collection[int] | None = None) -> dict[int, OutOfFold]:
    """Read what `save_predictions` wrote, of these trials or of all; nothing when there is no such file."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return {int(name): stored[name] for name in stored.files if trials is None or int(name) in trials}


def kept_trials(path: Path) -> list[int]:
    """Return the numbers of the trials that `save_predictions` wrote, without reading their predictions."""
    with np.load(path, allow_pickle=False) as stored:
        return sorted(int(name) for name in stored.files)


def load_warm_start(folder: Path, settings: AutoMLSettings, fingerprint: str) -> WarmStart:
    """Read the trials of a saved result, for a search of the same table in the same way.

    Parameters
    ----------
    folder : Path
        Folder that ``AutoMLResult.save`` wrote.
    settings : AutoMLSettings
        Settings of the new search; all but `LIMITS` must be those of the earlier one.
    fingerprint : str
        Fingerprint of the new search's table.

    Raises
    ------
    StorageError
        When the folder holds no result.
    SettingsError
        When the table, or a setting that decides on the splits, the features or the search, differs.
    """
    file = folder / "result.json"
    if not file.is_file():
        raise StorageError(f"'{folder.name}' holds no saved result.", "Give the folder that AutoMLResult.save wrote.")
    record = json.loads(file.read_text(encoding="utf-8"))
    if record["fingerprint"] != fingerprint:
        raise SettingsError(
            "The earlier search was of another table, so its trials say nothing about this one.",
            "Start a new search.",
        )
    before, now = AutoMLSettings(**record["settings"]).model_dump(), settings.model_dump()
    changed = next((name for name in now if name not in LIMITS and now[name] != before[name]), None)
    if changed is not None:
        raise SettingsError(
            f"The earlier search had {changed} {before[changed]!r}, this one has {now[changed]!r}: their scores cannot "
            "be compared.",
            "Keep all settings but the limits, or start a new search.",
        )
    trials = [Trial.from_record(trial) for trial in record["trials"]]
    labels = record["labels"] or []
    positive = str(labels[1]) if len(labels) == 2 else None
    return WarmStart(trials, load_predictions(folder / PREDICTIONS_FILE), positive)
