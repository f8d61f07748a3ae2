"""Estimates the performance of a model on rows without labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.errors import InputError, SettingsError
from core.monitoring.calibrated_estimation import CalibratedEstimator
from core.monitoring.chunks import Chunks, chunk_rows
from core.monitoring.error_estimation import ErrorEstimator
from core.monitoring.expected_metrics import ESTIMATED_METRICS, EstimatedMetric
from core.monitoring.performance_estimate import PerformanceEstimate
from core.monitoring.positive_label import positive_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate_performance"]

_SPECIAL = ("y_true", "y_score")


def estimate_performance(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    metric: str,
    chunks: Chunks = None,
    threshold: float = 0.5,
    positive_label: object = None,
    columns: Sequence[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> PerformanceEstimate:
    """Estimate a metric on rows whose labels are not known yet.

    For two classes the scores are calibrated on the reference (CBPE): a row with the probability p counts as p positive
    and 1 - p negative ones. For numbers a second model predicts the error of a row from its columns (DLE). Both see a
    change of the rows, and neither sees that the outcome depends on the columns in another way than before.

    Parameters
    ----------
    reference : DataFrame
        Rows that the model was not fitted on, with `y_true` and `y_score`: the probability of the positive class, or a
        predicted number; for numbers also the columns that the error may depend on.
    current : DataFrame
        The batch, with `y_score`, and for numbers the same columns.
    metric : str
        Key of `ESTIMATED_METRICS`: roc_auc, accuracy, balanced_accuracy, precision, recall, specificity, f1,
        average_precision, log_loss, brier_score, mae, rmse.
    chunks : int, str or sequence, optional
        Number of equal chunks in the order of the rows, a column that names them (days of dates), or a name per row.
    threshold : float, default=0.5
        Score from which a row is selected.
    positive_label : label, optional
        Label that the scores are about. By default 1, True, a word that is known to be favorable, or the last label.
    columns : sequence of str, optional
        Columns that the error of a number may depend on; by default all that both tables have.
    confidence : float, default=0.95
        Probability with which an interval holds the value that labels will show.
    seed : int, default=0
        Seed of the random number generator.

    Returns
    -------
    PerformanceEstimate
        The value is None, and `refused` says why, where the scores cannot be calibrated on the reference, a class has
        fewer than 50 rows, or more than 5% of the scores are where the reference has none.

    Raises
    ------
    InputError
        When a table lacks a column, has no rows, or its scores are not numbers.
    SettingsError
        When the metric is unknown, or a setting is invalid.

    See Also
    --------
    measure_performance : Measures it when labels have come.

    Examples
    --------
    >>> import pandas as pd
    >>> random = np.random.default_rng(0)
    >>> score = random.random(4_000)
    >>> reference = pd.DataFrame({"y_score": score, "y_true": random.random(4_000) < score})
    >>> result = estimate_performance(reference, pd.DataFrame({"y_score": random.random(1_000)}), metric="roc_auc")
    >>> 0.80 < result.low < result.value < result.high < 0.87, result.n, result.refused
    (True, 1000, None)
    """
    record = ESTIMATED_METRICS.require(metric)
    if not 0 < confidence < 1:
        raise SettingsError(f"The confidence is {confidence}.", "Give a number between 0 and 1.")
    require_columns(reference.columns, _SPECIAL, what="The reference")
    require_columns(current.columns, ["y_score"], what="The batch")
    known = reference["y_true"].notna() & reference["y_score"].notna()
    rows, batch = reference[known], current[current["y_score"].notna()]
    if not len(rows) or not len(batch):
        side = "reference" if not len(rows) else "batch"
        raise InputError(
            f"The {side} has no rows with a score{' and a label' if side == 'reference' else ''}.",
            "Give rows that the model has scored.",
        )
    scores = _numbers(rows, "reference"), _numbers(batch, "batch")
    notes: list[str] = []
    if len(rows) < len(reference):
        notes.append(f"{len(reference) - len(rows):,} rows of the reference have no label or score.")
    if len(batch) < len(current):
        notes.append(f"{len(current) - len(batch):,} rows of the batch have no score.")
    estimate: Callable[[NDArray[np.intp], str | None], PerformanceEstimate]
    if record.is_of_numbers:
        errors = _errors(rows, scores[0], record)
        used = _error_columns(rows, batch, columns)
        second = ErrorEstimator(rows.reset_index(drop=True), errors, used, confidence, seed)
        measured = float(np.sqrt(errors.mean()) if record.error == "squared" else errors.mean())
        frame = batch.reset_index(drop=True)

        def estimate(index: NDArray[np.intp], chunk: str | None) -> PerformanceEstimate:
            return second.estimate(record, frame.iloc[index], chunk)

    else:
        truth, note = positive_rows(rows["y_true"], positive_label)
        notes += [note] if note else []
        first = CalibratedEstimator(scores[0], truth, threshold, confidence, seed)
        measured = first.measured(record)

        def estimate(index: NDArray[np.intp], chunk: str | None) -> PerformanceEstimate:
            return first.estimate(record, scores[1][index], chunk)

    return _with_chunks(estimate, chunk_rows(batch, _of_rows(chunks, current)), len(batch), measured, len(rows), notes)


def _with_chunks(
    estimate: Callable[[NDArray[np.intp], str | None], PerformanceEstimate],
    chunks: list[tuple[str, NDArray[np.intp]]],
    rows: int,
    measured: float,
    reference_n: int,
    notes: list[str],
) -> PerformanceEstimate:
    """Return the estimate of all rows with those of the chunks."""
    level = measured if np.isfinite(measured) else None

    def complete(result: PerformanceEstimate) -> PerformanceEstimate:
        return replace(result, reference=level, reference_n=reference_n, notes=(*notes, *result.notes))

    parts = tuple(complete(estimate(index, name)) for name, index in chunks)
    return replace(complete(estimate(np.arange(rows), None)), estimates=parts)


def _of_rows(chunks: Chunks, current: pd.DataFrame) -> Chunks:
    """Return the chunks of the rows with a score."""
    if chunks is None or isinstance(chunks, int | str):
        return chunks
    if len(chunks) != len(current):
        return chunks  # chunk_rows says what is wrong
    present = current["y_score"].notna().to_numpy()
    return [name for name, keep in zip(chunks, present, strict=True) if keep]


def _numbers(frame: pd.DataFrame, side: str) -> NDArray[np.float64]:
    import pandas as pd

    try:
        scores = pd.to_numeric(frame["y_score"]).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The column 'y_score' of the {side} does not hold numbers ({error}).", "Give the model's scores."
        ) from error
    if not np.isfinite(scores).all():
        raise InputError(f"The {side} has {int((~np.isfinite(scores)).sum()):,} infinite scores.", "Leave them out.")
    return np.asarray(scores)


def _errors(frame: pd.DataFrame, scores: NDArray[np.float64], metric: EstimatedMetric) -> NDArray[np.float64]:
    import pandas as pd

    try:
        truth = pd.to_numeric(frame["y_true"]).to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{metric.title} is a metric of numbers, and the reference's 'y_true' does not hold numbers ({error}).",
            "Choose a metric of classes, or give numbers.",
        ) from error
    return np.asarray(np.abs(truth - scores) if metric.error == "absolute" else (truth - scores) ** 2)


def _error_columns(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str] | None) -> tuple[str, ...]:
    if columns is None:
        return tuple(str(name) for name in reference.columns if name in current.columns and name not in _SPECIAL)
    require_columns(reference.columns, columns, what="The reference")
    require_columns(current.columns, columns, what="The batch")
    return tuple(name for name in columns if name not in _SPECIAL)
