"""What a quantised model costs in quality: both variants on the same rows, with the interval of the difference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, SettingsError
from core.evaluation import Estimate, compare_outputs, wilson

__all__ = ["VariantComparison", "compare_variants"]

# What is shown of each task; log loss and the rest say the same less plainly.
_SHOWN = {"binary": ("accuracy", "roc_auc"), "multiclass": ("accuracy",), "regression": ("r2", "rmse")}


@dataclass(frozen=True)
class VariantComparison:
    """Two variants of a model on the same rows.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    n : int
        Rows.
    before, after : dict of str to Estimate
        Figures of each variant, with 95 % bootstrap intervals.
    gains : dict of str to Estimate
        What `after` gains over `before`, negative where it is worse, whichever way the metric goes. Both saw the same
        resamples of rows, so an interval that holds 0 shows no difference.
    equal_labels : Estimate or None
        Share of rows with the same label, with Wilson's interval; None for numbers.
    largest_difference : float
        Of a probability, or of a predicted number.
    undefined : tuple of str
        Figures that these rows do not define: ROC AUC where there is one class only.
    """

    task: str
    n: int
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    gains: dict[str, Estimate]
    equal_labels: Estimate | None
    largest_difference: float
    undefined: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-serialisable values."""
        return asdict(self) | {"undefined": list(self.undefined)}


def compare_variants(
    y: NDArray[Any], before: NDArray[Any], after: NDArray[Any], *, task: str, seed: int = 0
) -> VariantComparison:
    """Compare what two variants of a model answer on rows that neither was made with.

    Parameters
    ----------
    y : array of shape (n,)
        Class codes 0 to k-1, or numbers.
    before, after : array of shape (n, k) or (n,)
        Probabilities of the classes, or predicted numbers: of the model, and of what was made of it.
    task : str
        binary, multiclass or regression.
    seed : int
        Of the bootstrap.

    Returns
    -------
    VariantComparison

    Raises
    ------
    SettingsError
        When there is no such task.
    InputError
        When there are no rows, the arrays do not fit together, or hold something else than probabilities or numbers.

    Examples
    --------
    >>> y = np.arange(100) % 2
    >>> before = np.column_stack([1 - y, y]) * 0.8 + 0.1
    >>> found = compare_variants(y, before, before, task="binary")
    >>> found.gains["accuracy"].value, found.equal_labels.value, found.largest_difference
    (0.0, 1.0, 0.0)
    """
    if task not in _SHOWN:
        raise SettingsError(f"There is no task '{task}'.", f"Choose one of: {', '.join(_SHOWN)}.")
    y = np.asarray(y)
    outputs = {"after": _checked("after", y, after, task), "before": _checked("before", y, before, task)}
    if outputs["after"].shape != outputs["before"].shape:
        raise InputError(
            f"One variant has outputs of shape {outputs['before'].shape}, the other of {outputs['after'].shape}.",
            "Give both the same rows.",
        )
    compared = {metric: compare_outputs(task, metric, y, outputs, seed=seed) for metric in _SHOWN[task]}
    known = {name: each for name, each in compared.items() if np.isfinite(each.gains["before"].value)}
    return VariantComparison(
        task,
        len(y),
        {name: each.metrics["before"][name] for name, each in known.items()},
        {name: each.metrics["after"][name] for name, each in known.items()},
        {name: each.gains["before"] for name, each in known.items()},
        None if task == "regression" else _equal_labels(**outputs),
        float(np.abs(outputs["after"] - outputs["before"]).max()),
        tuple(name for name in compared if name not in known),
    )


def _checked(name: str, y: NDArray[Any], output: NDArray[Any], task: str) -> NDArray[np.float64]:
    found = np.asarray(output, dtype=np.float64)
    if not len(y) or len(found) != len(y):
        raise InputError(f"There are {len(y):,} rows, and outputs '{name}' of {len(found):,}.", "Give one a row.")
    if found.ndim != (1 if task == "regression" else 2) or (found.ndim == 2 and found.shape[1] < 2):
        raise InputError(
            f"The outputs '{name}' have the shape {found.shape}, which does not fit {task}.",
            "Give a probability a class, shape (n, classes), or numbers, shape (n,).",
        )
    if not np.isfinite(found).all():
        raise InputError(
            f"{np.count_nonzero(~np.isfinite(found)):,} outputs '{name}' are not finite.",
            "The variant overflows or divides by zero: do not use it.",
        )
    if task != "regression" and (found.min() < 0 or found.max() > 1 + 1e-6):
        raise InputError(f"The outputs '{name}' are no probabilities.", "Apply softmax to logits first.")
    return found


def _equal_labels(before: NDArray[np.float64], after: NDArray[np.float64]) -> Estimate:
    n = len(before)
    equal = int(np.count_nonzero(before.argmax(axis=1) == after.argmax(axis=1)))
    share, (low, high) = equal / n, wilson(equal, n)
    return Estimate(share, min(share, float(low)), max(share, float(high)), n)  # at 0 and 1 rounding errs either way
