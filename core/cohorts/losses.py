"""The loss of each row, from a stored table of predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.cohorts.cells import value_text
from core.columns import require_columns
from core.errors import InputError
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LOSSES", "Loss", "losses_of", "row_losses"]

_SMALLEST = 1e-15


@dataclass(frozen=True)
class Loss:
    """A loss per row.

    Parameters
    ----------
    key : str
        Name in settings and files.
    title : str
        Label.
    regression : bool
        Whether it is about predicted numbers, and not classes.
    help : str
        Explanation for the label.
    """

    key: str
    title: str
    regression: bool
    help: str


LOSSES: dict[str, Loss] = {
    loss.key: loss
    for loss in (
        Loss("wrong", "Share predicted wrongly", False, "Whether the predicted class is not the actual one."),
        Loss("log_loss", "Log loss", False, "Large where the actual class was given a small probability."),
        Loss("absolute", "Absolute error", True, "How far the prediction is from the actual number."),
        Loss("squared", "Squared error", True, "Square of the error, so that large errors count more."),
    )
}
"""The losses by key, for each task the default first."""


def losses_of(task: str) -> list[Loss]:
    """Return the losses that fit a task, the default first.

    Examples
    --------
    >>> [loss.key for loss in losses_of("regression")]
    ['absolute', 'squared']
    """
    return [loss for loss in LOSSES.values() if loss.regression == (task == "regression")]


def row_losses(predictions: pd.DataFrame, target: str, loss: str) -> NDArray[np.float64]:
    """Return the loss of each row of a table of predictions.

    Parameters
    ----------
    predictions : DataFrame
        Table with the target, ``prediction``, and for the log loss a probability per class (``p(label)``), as
        ``AutoMLResult.oof``.
    target : str
        Column that was predicted.
    loss : str
        Key in `LOSSES`.

    Raises
    ------
    InputError
        When the loss is unknown, or the table lacks what it needs.

    Examples
    --------
    >>> import pandas as pd
    >>> row_losses(pd.DataFrame({"y": [1.0, 2.0], "prediction": [1.5, 2.0]}), "y", "absolute").tolist()
    [0.5, 0.0]
    """
    if loss not in LOSSES:
        raise InputError(f"Unknown loss '{loss}'.", unknown_name(loss, LOSSES))
    require_columns(predictions.columns, [target, "prediction"], what="The table of predictions")
    truth, predicted = predictions[target], predictions["prediction"]
    if loss == "wrong":
        pairs = zip(truth.array, predicted.array, strict=True)
        return np.array([value_text(actual) != value_text(label) for actual, label in pairs], dtype=np.float64)
    if loss == "log_loss":
        names = [str(name) for name in predictions.columns if str(name).startswith("p(") and str(name).endswith(")")]
        columns = {name: index for index, name in enumerate(names)}
        wanted = [f"p({label})" for label in truth]
        require_columns(names, dict.fromkeys(wanted), what="The table of predictions")
        values = predictions[names].to_numpy(dtype=np.float64)
        own = values[np.arange(len(values)), [columns[name] for name in wanted]]
        return np.asarray(-np.log(np.clip(own, _SMALLEST, None)))
    errors = predicted.to_numpy(dtype=np.float64) - truth.to_numpy(dtype=np.float64)
    return np.asarray(np.abs(errors) if loss == "absolute" else errors**2)
