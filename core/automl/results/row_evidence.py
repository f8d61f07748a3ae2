"""The evidence of a search on some of its test rows, such as those of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.evaluation import compare_outputs, confusion, curves, groups_in, weights_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate_rows"]


def evaluate_rows(
    table: pd.DataFrame, *, target: str, task: str, metric: str, labels: Sequence[object] | None, seed: int = 0
) -> dict[str, Any]:
    """Compute what a result says of its test rows for some of them.

    Parameters
    ----------
    table : DataFrame
        Some rows of a table of predictions like ``AutoMLResult.test``.
    target, task, metric : str
        Target, task and metric of the search.
    labels : sequence or None
        Classes in the order of the search; None for numbers.
    seed : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    dict
        test_metrics, curves and confusion as ``result.json`` has them, and rows: the number of rows.

    Raises
    ------
    InputError
        When there are no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"row_id": [4, 7, 9], "y": [1.0, 2.0, 4.0], "prediction": [1.5, 2.5, 4.5]})
    >>> evaluate_rows(rows, target="y", task="regression", metric="mae", labels=None)["test_metrics"]["mae"]["value"]
    0.5
    """
    if table.empty:
        raise InputError("There are no rows to evaluate.", "Choose other rows.")
    groups, weights = groups_in(table, target), weights_in(table, target)
    if labels is None:
        names = None
        y = table[target].to_numpy(dtype=float)
        output = table["prediction"].to_numpy(dtype=float)
    else:
        names = [str(label) for label in labels]
        codes = {name: code for code, name in enumerate(names)}
        y = np.array([codes[str(label)] for label in table[target]], dtype=np.intp)
        output = table[[f"p({name})" for name in names]].to_numpy(dtype=float)
    compared = compare_outputs(
        task, metric, y, {"model": output}, groups=groups, sample_weight=weights, labels=names, seed=seed
    )
    return {
        "test_metrics": {name: item.to_dict() for name, item in compared.metrics["model"].items()},
        "curves": curves(y, output, names, groups=groups, sample_weight=weights, seed=seed),
        "confusion": None if names is None else confusion(y, output),
        "rows": len(table),
    }
