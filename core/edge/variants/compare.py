"""The quality that quantization costs: both variants on the same rows, with the interval of the difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, JsonValue

from core.errors import InputError, SettingsError
from core.evaluation import LABEL_THRESHOLD, Estimate, compare_outputs, wilson
from core.registry import unknown_name

__all__ = ["METRICS_BY_TASK", "StoredEstimate", "VariantComparison", "compare_variants"]


METRICS_BY_TASK = {
    "binary": ("accuracy", "roc_auc"),
    "multiclass": ("accuracy",),
    "regression": ("r2", "rmse"),
    "multilabel": ("f1_micro", "exact_match"),
}
"""Metrics that variants are compared by, for each task; log loss and the others say the same less plainly."""


def _with_nan(values: Mapping[str, JsonValue] | Estimate) -> Mapping[str, JsonValue] | Estimate:
    """Return a stored estimate with NaN in place of a value of null: JSON has no NaN."""
    if isinstance(values, Estimate):
        return values
    return {**values, "value": float("nan")} if values["value"] is None else values


StoredEstimate = Annotated[Estimate, BeforeValidator(_with_nan)]
"""An estimate that can be read from JSON."""


@dataclass(frozen=True)
class VariantComparison:
    """Two variants of a model on the same rows.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    n : int
        Number of rows.
    before, after : dict of str to Estimate
        Metrics of each variant, with 95% intervals.
    gains : dict of str to Estimate
        Gain of `after` over `before`, negative where it is worse, whichever way the metric goes. Both are evaluated on
        the same rows, so an interval that contains 0 shows no difference.
    equal_labels : Estimate or None
        Share of rows with the same label, with Wilson's interval; None for numbers.
    largest_difference : float
        Largest difference of a probability, or of a predicted number.
    undefined : tuple of str, default=()
        Metrics that these rows do not define: ROC AUC where there is only one class.
    """

    task: str
    n: int
    before: dict[str, StoredEstimate]
    after: dict[str, StoredEstimate]
    gains: dict[str, StoredEstimate]
    equal_labels: StoredEstimate | None
    largest_difference: float
    undefined: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-serializable values."""
        return asdict(self) | {"undefined": list(self.undefined)}


def compare_variants(
    y: NDArray[Any], before: NDArray[Any], after: NDArray[Any], *, task: str, seed: int = 0
) -> VariantComparison:
    """Compare the answers of two variants of a model on rows that neither was made with.

    Parameters
    ----------
    y : array of shape (n,) or (n, labels)
        Class codes 0 to k-1, numbers, or whether a row has each label.
    before, after : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers, of the model and of the variant.
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    seed : int, default=0
        Seed of the random number generator that draws the bootstrap's resamples.

    Returns
    -------
    VariantComparison

    Raises
    ------
    SettingsError
        When there is no such task.
    InputError
        When there are no rows, or the arrays do not fit together or hold anything but probabilities or numbers.

    Examples
    --------
    >>> y = np.arange(100) % 2
    >>> before = np.column_stack([1 - y, y]) * 0.8 + 0.1
    >>> comparison = compare_variants(y, before, before, task="binary")
    >>> comparison.gains["accuracy"].value, comparison.equal_labels.value, comparison.largest_difference
    (0.0, 1.0, 0.0)
    """
    if task not in METRICS_BY_TASK:
        raise SettingsError(f"Unknown task '{task}'.", unknown_name(task, METRICS_BY_TASK))
    y = np.asarray(y)
    outputs = {"after": _checked("after", y, after, task), "before": _checked("before", y, before, task)}
    if outputs["after"].shape != outputs["before"].shape:
        raise InputError(
            f"One variant has outputs of shape {outputs['before'].shape}, the other of {outputs['after'].shape}.",
            "Give both the same rows.",
        )
    compared = {metric: compare_outputs(task, metric, y, outputs, seed=seed) for metric in METRICS_BY_TASK[task]}
    defined = {name: result for name, result in compared.items() if np.isfinite(result.gains["before"].value)}
    return VariantComparison(
        task,
        len(y),
        {name: result.metrics["before"][name] for name, result in defined.items()},
        {name: result.metrics["after"][name] for name, result in defined.items()},
        {name: result.gains["before"] for name, result in defined.items()},
        None if task == "regression" else _equal_labels(task, **outputs),
        float(np.abs(outputs["after"] - outputs["before"]).max()),
        tuple(name for name in compared if name not in defined),
    )


def _checked(name: str, y: NDArray[Any], output: NDArray[Any], task: str) -> NDArray[np.float64]:
    values = np.asarray(output, dtype=np.float64)
    if not len(y) or len(values) != len(y):
        raise InputError(f"There are {len(y):,} rows, and outputs '{name}' of {len(values):,}.", "Give one per row.")
    if values.ndim != (1 if task == "regression" else 2) or (values.ndim == 2 and values.shape[1] < 2):
        raise InputError(
            f"The outputs '{name}' have the shape {values.shape}, which does not fit {task}.",
            "Give a probability per class, shape (n, classes), or numbers, shape (n,).",
        )
    if not np.isfinite(values).all():
        raise InputError(
            f"{np.count_nonzero(~np.isfinite(values)):,} outputs '{name}' are not finite.",
            "The variant overflows or divides by zero: do not use it.",
        )
    if task != "regression" and (values.min() < 0 or values.max() > 1 + 1e-6):
        raise InputError(f"The outputs '{name}' are not probabilities.", "Apply softmax to logits first.")
    return values


def _equal_labels(task: str, before: NDArray[np.float64], after: NDArray[np.float64]) -> Estimate:
    n = len(before)
    if task == "multilabel":
        same = ((before >= LABEL_THRESHOLD) == (after >= LABEL_THRESHOLD)).all(axis=1)
    else:
        same = before.argmax(axis=1) == after.argmax(axis=1)
    equal = int(np.count_nonzero(same))
    share, (low, high) = equal / n, wilson(equal, n)
    return Estimate(share, min(share, float(low)), max(share, float(high)), n)  # at 0 and 1 rounding errs either way
