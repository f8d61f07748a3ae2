"""What the final model of a search was made of, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["describe_final_model"]


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
