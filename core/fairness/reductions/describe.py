"""The outcome of compared mitigations in words."""

from __future__ import annotations

import math

import pandas as pd

from core.fairness.reductions.techniques import technique_title

__all__ = ["describe_techniques"]


def describe_techniques(table: pd.DataFrame, bound: float) -> str:
    """Return which technique has the smallest difference, how sure that is, and its effect on accuracy.

    Parameters
    ----------
    table : DataFrame
        Finished rows of a comparison of mitigations, the unmitigated model first.
    bound : float
        Difference that was allowed, a share.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {
    ...         "technique": ["unmitigated", "reweighing"],
    ...         "accuracy": [0.8, 0.79],
    ...         "disparity": [0.2, 0.05],
    ...         "disparity_low": [0.15, 0.01],
    ...         "disparity_high": [0.25, 0.1],
    ...     }
    ... )
    >>> describe_techniques(table, 0.02)
    'Reweighing brings the difference from 20.0 to 5.0 points; accuracy changes by −1.0 points.'
    """
    unmitigated = table.iloc[0]
    if pd.isna(unmitigated["disparity"]):
        return "No two groups have enough test rows to be compared, so no technique can be judged."
    best = table.sort_values("disparity").iloc[0]
    if best["technique"] == unmitigated["technique"]:
        allowed = f", which was within the {100 * bound:g} points allowed" if unmitigated["disparity"] <= bound else ""
        return f"No technique made the difference smaller{allowed}."
    change = f"{100 * (best['accuracy'] - unmitigated['accuracy']):+.1f}".replace("-", "\u2212")
    return (
        f"{technique_title(best['technique'])} brings the difference from {100 * unmitigated['disparity']:.1f} to "
        f"{100 * best['disparity']:.1f} points; accuracy changes by {change} points. {_doubt(unmitigated, best)}"
    ).rstrip()


def _doubt(unmitigated: pd.Series, best: pd.Series) -> str:
    """Say when the difference may have become smaller by chance."""
    below = best.get("disparity_high", math.nan) < unmitigated.get("disparity_low", math.nan)
    return "" if below else "The intervals of these differences do not lie apart: it may be chance."
