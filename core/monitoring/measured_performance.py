"""Performance that labels show, beside what was estimated before they came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.datasets import Finding
from core.errors import InputError
from core.evaluation import Estimate, mover
from core.jsonable import JsonObject, jsonable
from core.monitoring.expected_metrics import ESTIMATED_METRICS, EstimatedMetric
from core.monitoring.label_book import LabelBook, row_keys
from core.monitoring.measured_metrics import measure, measure_classes
from core.monitoring.performance_estimate import PerformanceEstimate
from core.monitoring.positive_label import positive_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MeasuredPerformance", "labeled_rows", "measure_performance"]

_ALL = 0.95


@dataclass(frozen=True)
class MeasuredPerformance:
    """A metric on the rows of a batch that have their label by now, and the estimate that it replaces.

    Parameters
    ----------
    metric : str
        Key of `ESTIMATED_METRICS`.
    measured : Estimate
        Measured value with its interval; bounds are None, with the reason, for too few rows.
    labeled, rows : int
        Rows with a label, and rows of the batch.
    estimate : PerformanceEstimate or None, default=None
        Estimate from before.
    agrees : bool or None, default=None
        Whether the measured value is within the interval of the estimate; None without an estimate.
    findings : tuple of Finding, default=()
        "concept_drift" where the measured value is surely worse than the estimate.
    """

    metric: str
    measured: Estimate
    labeled: int
    rows: int
    estimate: PerformanceEstimate | None = None
    agrees: bool | None = None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def sentence(self) -> str:
        """The measured value beside the estimate."""
        title = ESTIMATED_METRICS[self.metric].title
        words = f"{title} measured on {self.labeled:,} of {self.rows:,} rows: {_interval(self.measured)}"
        if self.estimate is None or self.estimate.value is None:
            return f"{words}."
        return f"{words}; estimated before: {_interval(self.estimate)}."

    def to_dict(self) -> JsonObject:
        """Return both values as JSON-serializable ones."""
        return {
            "metric": self.metric,
            "measured": jsonable(self.measured.to_dict()),
            "labeled": self.labeled,
            "rows": self.rows,
            "estimate": None if self.estimate is None else self.estimate.to_dict(),
            "agrees": self.agrees,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MeasuredPerformance:
        """Read what `to_dict` wrote."""
        measured = {**values["measured"], "value": _number(values["measured"]["value"])}
        before = values["estimate"]
        return cls(
            values["metric"],
            Estimate(**measured),
            values["labeled"],
            values["rows"],
            None if before is None else PerformanceEstimate.from_dict(before),
            values["agrees"],
            tuple(Finding.from_dict(finding) for finding in values["findings"]),
        )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _interval(value: Estimate | PerformanceEstimate) -> str:
    if value.value is None or not np.isfinite(value.value):
        return "undefined"
    bounds = "" if value.low is None or value.high is None else f" [{value.low:.3f}, {value.high:.3f}]"
    return f"{value.value:.3f}{bounds}"


def labeled_rows(predictions: pd.DataFrame, labels: LabelBook) -> pd.DataFrame:
    """Return the rows of a table of predictions that have a label, with the label as `y_true`.

    Parameters
    ----------
    predictions : DataFrame
        Table with `row_id`.
    labels : LabelBook
        Labels that are known.

    Examples
    --------
    >>> import pandas as pd
    >>> book, _ = LabelBook.of(["a", "b"]).add(pd.DataFrame({"row_id": ["b"], "y_true": [1]}))
    >>> labeled_rows(pd.DataFrame({"row_id": ["a", "b"], "y_score": [0.2, 0.9]}), book).to_dict("list")
    {'row_id': ['b'], 'y_score': [0.9], 'y_true': [1]}
    """
    require_columns(predictions.columns, ["row_id"], what="The table of predictions")
    known = row_keys(predictions["row_id"]).map(labels.labels)
    return predictions.assign(y_true=known.array)[known.notna().to_numpy()]


def measure_performance(
    predictions: pd.DataFrame,
    labels: LabelBook,
    *,
    metric: str,
    estimate: PerformanceEstimate | None = None,
    threshold: float = 0.5,
    positive_label: object = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> MeasuredPerformance:
    """Measure a metric on the rows whose labels have come, and compare it with its estimate.

    Where the measured value is surely worse than the estimate, the outcome depends on the columns in another way than
    in the reference, which no estimate can see: concept drift. Where all rows have their label, the estimate's interval
    decides, because it is one of what labels will show; else the interval of the difference does.

    Parameters
    ----------
    predictions : DataFrame
        Predictions of the batch, with `row_id` and `y_score`, or a column ``p(label)`` for each of several classes.
    labels : LabelBook
        Labels that are known.
    metric : str
        Key of `ESTIMATED_METRICS`.
    estimate : PerformanceEstimate, optional
        Estimate from before, of the same metric.
    threshold : float, default=0.5
        Score from which a row is selected.
    positive_label : label, optional
        Label that the scores are about, as in `estimate_performance`; by default that of the estimate.
    confidence : float, default=0.95
        Probability with which the interval holds the value.
    seed : int, default=0
        Seed of the random number generator.

    Raises
    ------
    InputError
        When no row has a label, or the estimate is of another metric.

    See Also
    --------
    estimate_performance : The estimate without labels.

    Examples
    --------
    >>> import pandas as pd
    >>> predictions = pd.DataFrame({"row_id": range(100), "y_score": [0.9, 0.2] * 50})
    >>> book, _ = LabelBook.of(range(100)).add(pd.DataFrame({"row_id": range(80), "y_true": [1, 0, 1, 1] * 20}))
    >>> result = measure_performance(predictions, book, metric="accuracy")
    >>> result.measured.value, result.labeled, result.rows
    (0.75, 80, 100)
    """
    record = ESTIMATED_METRICS.require(metric)
    if estimate is not None and estimate.metric != metric:
        raise InputError(
            f"The estimate is of '{estimate.metric}', and '{metric}' is measured.", "Give the estimate of this metric."
        )
    columns = _score_columns(predictions)
    require_columns(predictions.columns, ["row_id", *columns], what="The table of predictions")
    table = labeled_rows(predictions, labels)
    table = table[table[columns].notna().all(axis=1)]
    if not len(table):
        raise InputError("No row of the batch has a label yet.", "Add labels with the row ids of the batch.")
    score = table[columns].to_numpy(dtype=np.float64)
    label = estimate.positive_label if positive_label is None and estimate is not None else positive_label
    if len(columns) > 1:
        measured = measure_classes(
            record, table["y_true"], score, [name[2:-1] for name in columns], confidence=confidence, seed=seed
        )
    else:
        truth = _truth(table["y_true"], record, label)
        measured = measure(record, truth, score[:, 0], threshold=threshold, confidence=confidence, seed=seed)
    agrees: bool | None = None
    findings: tuple[Finding, ...] = ()
    if estimate is not None and estimate.low is not None and estimate.high is not None:
        agrees = bool(estimate.low <= measured.value <= estimate.high)
        share = len(table) / len(predictions)
        if not agrees and _is_surely_worse(measured, estimate, share, record.larger_is_better):
            findings = (_concept_drift(measured, estimate, record.title),)
    return MeasuredPerformance(metric, measured, len(table), len(predictions), estimate, agrees, findings)


def _score_columns(predictions: pd.DataFrame) -> list[str]:
    """Return the column of scores, or those of the probabilities of several classes."""
    if "y_score" in predictions.columns:
        return ["y_score"]
    named = [str(name) for name in predictions.columns if str(name).startswith("p(") and str(name).endswith(")")]
    return named if len(named) > 2 else ["y_score"]


def _truth(labels: pd.Series, metric: EstimatedMetric, positive_label: object) -> NDArray[np.generic]:
    if metric.is_of_numbers:
        return np.asarray(labels.to_numpy(dtype=np.float64))
    return positive_rows(labels, positive_label, may_lack=True).rows


def _is_surely_worse(measured: Estimate, estimate: PerformanceEstimate, share: float, larger_is_better: bool) -> bool:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return False
    if share >= _ALL:
        return measured.value < estimate.low if larger_is_better else measured.value > estimate.high
    if measured.low is None or measured.high is None:
        return False
    bounds = (measured.low, measured.high), (estimate.low, estimate.high)
    low, high = mover(measured.value, bounds[0], estimate.value, bounds[1])
    return float(high) < 0 if larger_is_better else float(low) > 0


def _concept_drift(measured: Estimate, estimate: PerformanceEstimate, title: str) -> Finding:
    return Finding(
        "concept_drift",
        "alert",
        None,
        f"{title} is {_interval(measured)} by the labels, worse than estimated from the rows alone "
        f"({_interval(estimate)}).",
        "The outcome seems to depend on the columns in another way than in the reference (concept drift): look for "
        "groups where errors are more frequent than expected, and train again.",
        {"measured": measured.value, "estimated": estimate.value},
    )
