"""The folds on which a metric is defined."""

from __future__ import annotations

import numpy as np

from core.automl._types import Codes, Target, Weights
from core.automl.data.splits import Folds
from core.datasets import Finding
from core.errors import InputError
from core.evaluation import METRICS, compute_metric

__all__ = ["scorable"]


def scorable(
    folds: Folds, y: Target, classes: int, metric: str, weights: Weights | None = None
) -> tuple[Folds, list[Finding]]:
    """Return the folds that can be learned from and scored on, and a finding about the others.

    A fold whose rows are all of one class, or all of one value, would make the score of every trial undefined.

    Parameters
    ----------
    folds : Folds
        Folds over the training rows.
    y : array of shape (n,)
        Class codes, or numbers.
    classes : int
        Number of classes; 0 for regression.
    metric : str
        Key of `METRICS` that the search optimizes.
    weights : array of shape (n,), optional
        Weights of the rows; one of weight 0 is as if it were not there.

    Raises
    ------
    InputError
        When there is no such fold.

    Examples
    --------
    >>> y = np.array([0, 1, 0, 1, 0, 0])
    >>> pairs = [(np.array([2, 3, 4, 5]), np.array([0, 1])), (np.array([0, 1, 2, 3]), np.array([4, 5]))]
    >>> kept, findings = scorable(Folds(pairs, "2-fold cross-validation"), y, 2, "roc_auc")
    >>> len(kept.pairs), findings[0].message
    (1, '1 of 2 folds is left out: its rows are of one class only, so ROC AUC is undefined on it.')
    """

    def defined(train: Codes, validation: Codes) -> bool:
        if weights is not None:
            train, validation = train[weights[train] > 0], validation[weights[validation] > 0]
            if not len(train) or not len(validation):
                return False
        if classes and len(np.unique(y[train])) < 2:
            return False
        undecided = np.full((len(validation), classes), 1 / classes) if classes else np.zeros(len(validation))
        return bool(np.isfinite(compute_metric(metric, y[validation], undecided)))

    pairs = [pair for pair in folds.pairs if defined(*pair)]
    lost, count = len(folds.pairs) - len(pairs), len(folds.pairs)
    title, uniform = METRICS[metric].title, "of one class only" if classes else "of one value only"
    if not pairs:
        others = "log loss, accuracy" if classes else "RMSE, MAE"
        raise InputError(
            f"{title} cannot be computed: in each of the {count} folds the rows are {uniform}.",
            f"Choose another metric ({others}), fewer folds, or another way to split the rows.",
        )
    if not lost:
        return folds, []
    who, whose, on = ("is", "its", "it") if lost == 1 else ("are", "their", "them")
    finding = Finding(
        "folds",
        "notice",
        None,
        f"{lost} of {count} folds {who} left out: {whose} rows are {uniform}, so {title} is undefined on {on}.",
        f"Scores come from the other folds. Fewer folds, or more rows of the rare {'class' if classes else 'values'}, "
        "would use all.",
        {"folds": lost},
    )
    return Folds(pairs, f"{folds.method}, {lost} left out"), [finding]
