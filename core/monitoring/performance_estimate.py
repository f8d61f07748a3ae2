"""An estimate of a model's performance on rows without labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.jsonable import JsonObject, jsonable

__all__ = ["CONCEPT_DRIFT_CAVEAT", "PerformanceEstimate"]

CONCEPT_DRIFT_CAVEAT = (
    "The estimate assumes that the outcome depends on the columns as it did in the reference. Whether that changed "
    "(concept drift) can only be seen from labels."
)


@dataclass(frozen=True)
class PerformanceEstimate:
    """How well a model does on rows whose labels are not known.

    Parameters
    ----------
    metric : str
        Key of `ESTIMATED_METRICS`.
    value : float or None
        Estimated value on the rows of the batch; None where it is refused.
    low, high : float or None
        Bounds within which the value that labels will show lies in 95% of cases: they hold the chance of the labels and
        what is not known of the calibration.
    n : int
        Rows behind it.
    refused : str or None, default=None
        Reason why there is no estimate.
    method : str, default=""
        "CBPE" (calibrated scores) or "DLE" (a second model, of the error).
    reference : float or None, default=None
        Value on the reference, measured.
    reference_n : int, default=0
        Rows of the reference with a label and a score.
    chunk : str or None, default=None
        Name of the chunk, where there are several.
    positive_label : str or None, default=None
        Label that the scores are about; None for numbers and for several classes.
    standard_error : float or None, default=None
        Standard error of the value as one of rows like these: it holds the choice of the rows and the calibration, and
        not the chance of the labels of just these rows.
    difference_error : float or None, default=None
        Standard error of the difference from the reference's value, which rests on the same labels as the calibration.
    estimates : tuple of PerformanceEstimate, default=()
        Estimates of the chunks, in their order.
    notes : tuple of str, default=()
        Sentences on what was assumed and left out.
    caveat : str
        Sentence about what no estimate of this kind can see.

    See Also
    --------
    estimate_performance : Makes one.

    Examples
    --------
    >>> estimate = PerformanceEstimate("roc_auc", 0.81, 0.78, 0.84, 1_000)
    >>> PerformanceEstimate.from_dict(estimate.to_dict()) == estimate
    True
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    refused: str | None = None
    method: str = ""
    reference: float | None = None
    reference_n: int = 0
    chunk: str | None = None
    positive_label: str | None = None
    standard_error: float | None = None
    difference_error: float | None = None
    estimates: tuple[PerformanceEstimate, ...] = ()
    notes: tuple[str, ...] = ()
    caveat: str = CONCEPT_DRIFT_CAVEAT

    def to_dict(self) -> JsonObject:
        """Return the estimate as JSON-serializable values."""
        values = dict(vars(self))
        values["estimates"] = [estimate.to_dict() for estimate in self.estimates]
        return dict(jsonable(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PerformanceEstimate:
        """Read what `to_dict` wrote."""
        estimates = tuple(cls.from_dict(estimate) for estimate in values["estimates"])
        return cls(**{**values, "estimates": estimates, "notes": tuple(values["notes"])})
