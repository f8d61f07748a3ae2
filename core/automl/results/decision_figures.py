"""What a model's decisions about one class come to: how many of its rows are hit, and how many alarms are right."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation import MIN_UNITS, Estimate, effective_rows, kish, wilson

__all__ = ["DecisionFigures", "decision_figures", "natural_frequency"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class DecisionFigures:
    """Decisions for one class on rows that the model never saw.

    Parameters
    ----------
    label : str
        The class that the decisions are about.
    threshold : float
        Probability of the class above which a row is predicted as it.
    recall : Estimate
        Share of the rows of the class that are predicted as it.
    precision : Estimate
        Share of the rows predicted as the class that are of it.
    selected : Estimate
        Share of all rows that are predicted as the class.
    prevalence : float
        Share of all rows that are of the class.
    """

    label: str
    threshold: float
    recall: Estimate
    precision: Estimate
    selected: Estimate
    prevalence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-serializable values."""
        estimates = {name: getattr(self, name).to_dict() for name in ("recall", "precision", "selected")}
        return asdict(self) | estimates

    @property
    def sentence(self) -> str:
        """The figures as natural frequencies.

        Examples
        --------
        >>> mask = np.repeat([True, True, False, False], [71, 29, 44, 156])
        >>> hit = np.repeat([True, False, True, False], [71, 29, 44, 156])
        >>> decision_figures(mask, hit, "leaver").sentence
        "Finds 71 of 100 rows of 'leaver'; 38 of 100 alarms are false."
        """
        if math.isnan(self.recall.value):
            return f"The test has no row of '{self.label}'."
        hits = f"Finds {natural_frequency(self.recall.value)} rows of '{self.label}'"
        if math.isnan(self.precision.value):
            return f"{hits}: no row is predicted as it."
        return f"{hits}; {natural_frequency(1 - self.precision.value)} alarms are false."


def decision_figures(
    positive: Mask,
    selected: Mask,
    label: str,
    *,
    threshold: float = 0.5,
    groups: NDArray[np.generic] | None = None,
    sample_weight: NDArray[np.float64] | None = None,
) -> DecisionFigures:
    """Return what decisions come to, with Wilson intervals.

    Parameters
    ----------
    positive, selected : array of bool of shape (n,)
        Whether a row is of the class, and whether it is predicted as it.
    label : str
        The class.
    threshold : float, default=0.5
        Threshold of the decisions, to be stated.
    groups : array of shape (n,), optional
        Group of each row. Rows of a group depend on each other, so the intervals are those of the effective number of
        independent rows.
    sample_weight : array of shape (n,), optional
        Weights of the rows.
    """
    weights = np.ones(len(positive)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)

    def share(hits: Mask, among: Mask, before: str, after: str) -> Estimate:
        own, counted = hits[among], weights[among]
        if not len(own) or counted.sum() <= 0:
            return Estimate(math.nan, None, None, len(own), reason=f"no interval: {before}no row{after}")
        value = float(np.average(own, weights=counted))
        units = len(own) if groups is None else len(np.unique(groups[among]))
        if units < MIN_UNITS:
            unit = "row" if groups is None else "group"
            count = f"only {units} {unit}{'s' * (units != 1)}"
            return Estimate(value, None, None, len(own), reason=f"no interval: {before}{count}{after}")
        effective = float(len(own)) if groups is None else effective_rows(own, groups[among])
        effective *= kish(counted) / len(own)
        low, high = wilson(value * effective, effective)
        return Estimate(value, float(low), float(high), len(own))

    everything = np.ones(len(positive), dtype=bool)
    return DecisionFigures(
        label=label,
        threshold=threshold,
        recall=share(selected, positive, "the test has ", f" of '{label}'"),
        precision=share(positive, selected, "", f" predicted as '{label}'"),
        selected=share(selected, everything, "the test has ", ""),
        prevalence=float(np.average(positive, weights=weights)) if len(positive) and weights.sum() > 0 else math.nan,
    )


def natural_frequency(share: float) -> str:
    """Return a share as a natural frequency; one that rounds to none or all is said to be near it.

    Examples
    --------
    >>> natural_frequency(0.712), natural_frequency(0.004), natural_frequency(1.0)
    ('71 of 100', 'fewer than 1 of 100', '100 of 100')
    """
    count = round(100 * share)
    if count == 0 and share > 0:
        return "fewer than 1 of 100"
    if count == 100 and share < 1:
        return "more than 99 of 100"
    return f"{count} of 100"
