"""The trials of a finished search, for another that goes on from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.automl._settings import AutoMLSettings
from core.errors import SettingsError, StorageError

__all__ = ["LIMITS", "PREDICTIONS_FILE", "Earlier", "load_earlier", "load_predictions", "save_predictions"]

PREDICTIONS_FILE = "trials.npz"
"""Out-of-fold predictions of the best trials of each learner, by the trial's number."""

LIMITS = {
    "time_budget_s",
    "trial_timeout_s",
    "max_trials",
    "max_concurrent_trials",
    "early_stopping",
    "exit_score",
    "explain",
    "ensemble",
}
"""Settings that may be others when a search goes on."""


@dataclass(frozen=True)
class Earlier:
    """Trials of an earlier search, with the predictions that were kept of them."""

    trials: list[dict[str, Any]] = field(default_factory=list)
    predictions: dict[int, NDArray[np.float32]] = field(default_factory=dict)


def save_predictions(path: Path, predictions: Mapping[int, NDArray[np.float32]]) -> None:
    """Write out-of-fold predictions."""
    arrays: dict[str, Any] = {str(number): each for number, each in predictions.items()}
    np.savez(path, **arrays)


def load_predictions(path: Path) -> dict[int, NDArray[np.float32]]:
    """Read what `save_predictions` wrote; nothing when there is no such file."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return {int(name): stored[name] for name in stored.files}


def load_earlier(folder: Path, settings: AutoMLSettings, fingerprint: str) -> Earlier:
    """Read the trials of a saved result, for a search of the same table in the same way.

    Raises
    ------
    StorageError
        When the folder holds no result.
    SettingsError
        When the table, or a setting that decides on the splits, the features or the search, is another.
    """
    file = folder / "result.json"
    if not file.is_file():
        raise StorageError(f"'{folder.name}' holds no saved result.", "Give the folder that AutoMLResult.save wrote.")
    found = json.loads(file.read_text(encoding="utf-8"))
    if found["fingerprint"] != fingerprint:
        raise SettingsError(
            "The earlier search was of another table, so its trials say nothing about this one.",
            "Start a new search.",
        )
    before, now = AutoMLSettings(**found["settings"]).model_dump(), settings.model_dump()
    other = [name for name in now if name not in LIMITS and now[name] != before[name]]
    if other:
        name = other[0]
        raise SettingsError(
            f"The earlier search had {name} {before[name]!r}, this one has {now[name]!r}: their scores cannot be "
            "compared.",
            "Keep all settings but the limits, or start a new search.",
        )
    return Earlier(found["trials"], load_predictions(folder / PREDICTIONS_FILE))
