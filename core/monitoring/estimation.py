"""Estimates the performance of a model on rows without labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.monitoring.calibrated_estimation import CalibratedEstimator
from core.monitoring.chunks import Chunks, chunk_rows
from core.monitoring.class_estimation import ClassEstimator
from core.monitoring.error_estimation import ErrorEstimator
from core.monitoring.estimation_inputs import error_columns, errors_of, read_tables
from core.monitoring.expected_metrics import ESTIMATED_METRICS
from core.monitoring.performance_estimate import PerformanceEstimate
from core.monitoring.positive_label import positive_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate_performance"]


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
        predicted number; for numbers also the columns that the error may depend on. Three classes and more have a
        column ``p(label)`` each in place of `y_score`.
    current : DataFrame
        The batch, with the same columns of scores, and for numbers the same other columns.
    metric : str
        Key of `ESTIMATED_METRICS`: roc_auc, accuracy, balanced_accuracy, precision, recall, specificity, f1,
        average_precision, log_loss, brier_score, mae, rmse. Of three classes and more: roc_auc (one-vs-rest),
        accuracy, balanced_accuracy, log_loss.
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
    tables = read_tables(reference, current, record)
    notes, label = list(tables.notes), None
    estimate: Callable[[NDArray[np.intp], str | None], PerformanceEstimate]
    if record.is_of_numbers:
        errors = errors_of(tables, record)
        by_error = ErrorEstimator(tables.reference, errors, error_columns(tables, columns), confidence, seed)
        measured = float(np.sqrt(errors.mean()) if record.error == "squared" else errors.mean())

        def estimate(index: NDArray[np.intp], chunk: str | None) -> PerformanceEstimate:
            return by_error.estimate(record, tables.current.iloc[index], chunk)

    elif tables.labels:
        by_class = ClassEstimator(tables.reference_scores, tables.codes, tables.labels, confidence, seed)
        measured = by_class.measured(record)

        def estimate(index: NDArray[np.intp], chunk: str | None) -> PerformanceEstimate:
            return by_class.estimate(record, tables.current_scores[index], chunk)

    else:
        positive = positive_rows(tables.reference["y_true"], positive_label)
        notes += [positive.note] if positive.note else []
        label = positive.label
        by_score = CalibratedEstimator(tables.reference_scores, positive.rows, threshold, confidence, seed)
        measured = by_score.measured(record)

        def estimate(index: NDArray[np.intp], chunk: str | None) -> PerformanceEstimate:
            return by_score.estimate(record, tables.current_scores[index], chunk)

    parts = chunk_rows(tables.current, _of_rows(chunks, tables.kept))
    known: dict[str, Any] = {
        "reference": measured if np.isfinite(measured) else None,
        "reference_n": len(tables.reference),
        "positive_label": label,
    }

    def complete(index: NDArray[np.intp], chunk: str | None = None) -> PerformanceEstimate:
        result = estimate(index, chunk)
        return replace(result, **known, notes=(*notes, *result.notes))

    whole = complete(np.arange(len(tables.current)))
    return replace(whole, estimates=tuple(complete(index, name) for name, index in parts))


def _of_rows(chunks: Chunks, kept: NDArray[np.bool_]) -> Chunks:
    """Return the chunks of the rows with a score."""
    if chunks is None or isinstance(chunks, int | str) or len(chunks) != len(kept):
        return chunks  # chunk_rows says what is wrong with a number of names that does not fit
    return [name for name, keep in zip(chunks, kept, strict=True) if keep]
