"""Groups of rows where a model errs more often than its scores say: concept drift of a part of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.columns import require_columns
from core.datasets import Finding
from core.monitoring.calibrated_estimation import CalibratedEstimator
from core.monitoring.positive_label import positive_rows

if TYPE_CHECKING:
    import pandas as pd

    from core.cohorts import CohortReport

__all__ = ["error_surplus", "find_surprising_errors"]

Array = NDArray[np.float64]

_SPECIAL = ("row_id", "y_true", "y_score")


def error_surplus(
    reference: pd.DataFrame, labeled: pd.DataFrame, *, threshold: float = 0.5, positive_label: object = None
) -> Array:
    """Return for each row by how much it is more wrong than its score lets expect: from -1 to 1.

    The probability that a decision is wrong comes from the score, calibrated on the reference. On rows like those of
    the reference the surplus is 0 on average, in every group of scores.

    Parameters
    ----------
    reference, labeled : DataFrame
        Rows with `y_true` and `y_score`.
    threshold : float, default=0.5
        Score from which a row is selected.
    positive_label : label, optional
        Label that the scores are about.

    Returns
    -------
    array of shape (n,)

    Examples
    --------
    >>> import pandas as pd
    >>> random = np.random.default_rng(0)
    >>> score = random.random(2_000)
    >>> reference = pd.DataFrame({"y_score": score, "y_true": random.random(2_000) < score})
    >>> rows = pd.DataFrame({"y_score": [0.9, 0.9], "y_true": [True, False]})
    >>> error_surplus(reference, rows).round(1).tolist()
    [-0.1, 0.9]
    """
    for frame, side in ((reference, "The reference"), (labeled, "The batch")):
        require_columns(frame.columns, ["y_true", "y_score"], what=side)
    known = reference[reference["y_true"].notna() & reference["y_score"].notna()]
    positive = positive_rows(known["y_true"], positive_label)
    scores = known["y_score"].to_numpy(dtype=np.float64)
    estimator = CalibratedEstimator(scores, positive.rows, threshold, 0.95, 0)
    actual = positive_rows(labeled["y_true"], positive.label, may_lack=True).rows
    score = labeled["y_score"].to_numpy(dtype=np.float64)
    selected, probability = score >= threshold, estimator.probabilities(score)
    expected = np.where(selected, 1 - probability, probability)
    return np.asarray((selected != actual) - expected)


def find_surprising_errors(
    reference: pd.DataFrame,
    labeled: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    threshold: float = 0.5,
    positive_label: object = None,
    seed: int = 0,
) -> tuple[CohortReport, tuple[Finding, ...]]:
    """Look for groups of rows whose labels contradict the scores more than elsewhere.

    A concept that drifts for a part of the rows may hardly change the metric of all rows. `core.cohorts.find_cohorts`
    looks for groups by conditions on the columns, on one half of the rows, and judges them on the other half, so that a
    batch without such groups names one in at most 5% of cases.

    Parameters
    ----------
    reference, labeled : DataFrame
        Rows with `y_true` and `y_score`; the second ones also with the columns of the batch.
    columns : sequence of str, optional
        Columns that conditions may use; by default all but row ids, labels and scores.
    threshold : float, default=0.5
        Score from which a row is selected.
    positive_label : label, optional
        Label that the scores are about.
    seed : int, default=0
        Seed of the random number generator that draws the halves.

    Returns
    -------
    report : CohortReport
        Groups with the mean surplus of errors, inside and outside.
    findings : tuple of Finding
        One per group that surely has more errors than its scores let expect.

    Raises
    ------
    InputError
        When a table lacks a column, or the rows are too few.

    See Also
    --------
    measure_performance : Whether the metric of all rows is worse than estimated.

    Examples
    --------
    >>> import pandas as pd
    >>> random = np.random.default_rng(0)
    >>> score = random.random(4_000)
    >>> frame = pd.DataFrame({"y_score": score, "y_true": random.random(4_000) < score})
    >>> frame["plan"] = random.choice(["basic", "plus"], 4_000)
    >>> changed = frame.assign(y_true=frame["y_true"] ^ (frame["plan"] == "plus"))
    >>> _, findings = find_surprising_errors(frame, changed, columns=["plan"])
    >>> findings[0].values["condition"]
    "'plan' is 'plus'"
    """
    from core.cohorts import find_cohorts

    surplus = error_surplus(reference, labeled, threshold=threshold, positive_label=positive_label)
    names = [str(name) for name in labeled.columns if name not in _SPECIAL] if columns is None else list(columns)
    report = find_cohorts(labeled[names], surplus, name="surplus of errors", seed=seed)
    findings = tuple(
        Finding(
            "concept_drift_group",
            "alert",
            None,
            f"Where {item.cohort.text}, {100 * (item.error or 0.0):.0f} of 100 decisions more are wrong than the "
            f"scores let expect ({item.rows:,} rows).",
            "The outcome seems to depend on the columns in another way there (concept drift).",
            {"condition": item.cohort.text, "surplus": item.error, "rows": item.rows},
        )
        for item in report.worse
        if (item.error or 0.0) > 0
    )
    return report, findings
