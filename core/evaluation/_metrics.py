"""The metrics: what they are called, which way is better, which tasks they fit, and how they are computed.

This module loads NumPy and scikit-learn only when a metric is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["METRICS", "Metric", "compute_metric", "metric_choices", "resolve_metric"]

_CLASSES = ("binary", "multiclass")


@dataclass(frozen=True)
class Metric:
    """One metric.

    Parameters
    ----------
    title : str
        Its usual name.
    larger_is_better : bool
        The direction of better.
    tasks : tuple of str
        Tasks it fits.
    """

    title: str
    larger_is_better: bool
    tasks: tuple[str, ...]


METRICS = {
    "roc_auc": Metric("ROC AUC", True, _CLASSES),
    "accuracy": Metric("Accuracy", True, _CLASSES),
    "balanced_accuracy": Metric("Balanced accuracy", True, _CLASSES),
    "f1_macro": Metric("F1, macro", True, _CLASSES),
    "f1_weighted": Metric("F1, weighted", True, _CLASSES),
    "log_loss": Metric("Log loss", False, _CLASSES),
    "average_precision": Metric("Average precision", True, _CLASSES),
    "r2": Metric("R²", True, ("regression",)),
    "rmse": Metric("RMSE", False, ("regression",)),
    "mae": Metric("MAE", False, ("regression",)),
    "mape": Metric("MAPE", False, ("regression",)),
}


def metric_choices(task: str) -> list[str]:
    """Return the metrics that fit a task, the default first.

    Examples
    --------
    >>> metric_choices("regression")
    ['r2', 'rmse', 'mae', 'mape']
    """
    return [name for name, metric in METRICS.items() if task in metric.tasks]


def resolve_metric(name: str, task: str) -> str:
    """Return the metric that "auto" stands for, or `name` itself."""
    return metric_choices(task)[0] if name == "auto" else name


def compute_metric(
    name: str, y: NDArray[Any], output: NDArray[np.floating], weight: NDArray[np.floating] | None = None
) -> float:
    """Compute a metric.

    Parameters
    ----------
    name : str
        A key of `METRICS`.
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers.
    weight : array of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    float
        In the metric's own direction; NaN where it is undefined (one class only). With three classes and more,
        roc_auc is one against the rest weighted by class frequency (Provost, Domingos 2000), and
        average_precision the same mean of the classes' own.

    Examples
    --------
    >>> import numpy as np
    >>> compute_metric("accuracy", np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    1.0
    """
    import numpy as np
    from sklearn import metrics as sk

    if name in ("r2", "rmse", "mae", "mape"):
        function = {
            "r2": sk.r2_score,
            "rmse": sk.root_mean_squared_error,
            "mae": sk.mean_absolute_error,
            "mape": sk.mean_absolute_percentage_error,
        }[name]
        return float(function(y, output, sample_weight=weight))
    codes = np.arange(output.shape[1])
    if name == "log_loss":
        clipped = np.clip(np.asarray(output, dtype=float), 1e-15, None)
        clipped /= clipped.sum(axis=1, keepdims=True)
        own = -np.log(clipped[np.arange(len(y)), y.astype(int)])
        return float(np.average(own, weights=weight))
    if name in ("roc_auc", "average_precision"):
        ranking = sk.roc_auc_score if name == "roc_auc" else sk.average_precision_score
        # Two classes are one question; more are one each, weighted by how common the class is.
        asked = codes[1:] if len(codes) == 2 else codes
        shares = np.array([np.average(y == code, weights=weight) for code in asked])
        usable = (shares > 0) & (shares < 1)
        if not usable.any():
            return float("nan")
        each = [ranking(y == code, output[:, code], sample_weight=weight) for code in asked[usable]]
        return float(np.average(each, weights=shares[usable] if len(codes) > 2 else None))
    predicted = output.argmax(axis=1)
    if name == "accuracy":
        return float(np.average(predicted == y, weights=weight))
    if name == "balanced_accuracy":
        recalls = [
            np.average(predicted[y == c] == c, weights=None if weight is None else weight[y == c])
            for c in codes
            if (y == c).any()
        ]
        return float(np.mean(recalls))
    average = name.removeprefix("f1_")
    return float(sk.f1_score(y, predicted, average=average, sample_weight=weight, zero_division=0.0))
