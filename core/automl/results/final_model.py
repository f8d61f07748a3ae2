"""What the final model of a search was made of, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["describe_calibration", "describe_final_model"]


def describe_final_model(winner: Mapping[str, Any]) -> str:
    """Return what the final model was made of.

    Parameters
    ----------
    winner : mapping
        The winner as ``result.json`` has it; one of an earlier version says no number of fitted models.

    Examples
    --------
    >>> describe_final_model({"learner": "rf", "config": {}, "fitted": 1})
    'The winner was fitted on all training rows.'
    >>> describe_final_model({"learner": "lgbm", "config": {}, "fitted": 5})
    'The final model is the mean of the 5 models of cross-validation.'
    >>> describe_final_model({"learner": "blend", "config": {"members": [{}, {}]}, "fitted": 2})
    'The members were fitted on all training rows.'
    """
    fitted = winner.get("fitted") or 1
    members = len((winner.get("config") or {}).get("members", ())) if winner["learner"] == "blend" else 1
    if fitted <= members:
        return f"The {'members were' if members > 1 else 'winner was'} fitted on all training rows."
    if members == 1:
        return f"The final model is the mean of the {fitted} models of cross-validation."
    return (
        f"The final model is made of {fitted} fitted models: of some members those of cross-validation, else one on "
        "all training rows."
    )


def describe_calibration(winner: Mapping[str, Any]) -> str:
    """Return what calibration came to, in a sentence; empty where there was none.

    Parameters
    ----------
    winner : mapping
        The winner as ``result.json`` has it.

    Examples
    --------
    >>> losses = {"log_loss": 0.33, "calibrated_log_loss": 0.32, "gain": 0.01, "error": 0.002}
    >>> describe_calibration({"calibration": {"used": True, "slope": 1.4, **losses}})
    'Probabilities are calibrated: the log loss of other rows fell from 0.3300 to 0.3200 (by 0.0100 ± 0.0020).'
    """
    record = winner.get("calibration")
    if record is None:
        return ""
    if not record["used"]:
        return "Probabilities are as the models give them: calibrating them would not surely help."
    before, after = record["log_loss"], record["calibrated_log_loss"]
    return (
        f"Probabilities are calibrated: the log loss of other rows fell from {before:.4f} to {after:.4f} "
        f"(by {record['gain']:.4f} ± {record['error']:.4f})."
    )
