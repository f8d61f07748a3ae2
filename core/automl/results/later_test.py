"""A result without a test, tested on rows that were held out before its search began."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.automl._types import Output
from core.automl.results.decision_figures import decision_figures
from core.automl.results.result import AutoMLResult
from core.columns import require_columns
from core.datasets import fingerprint, whole_numbers
from core.errors import InputError
from core.evaluation import (
    METRICS,
    compare_outputs,
    confusion,
    curves,
    group_name,
    groups_in,
    verdict_sentence,
)

__all__ = ["add_test"]


def add_test(result: AutoMLResult, training: pd.DataFrame, held_out: pd.DataFrame) -> tuple[AutoMLResult, pd.DataFrame]:
    """Test a result on rows that were held out before its search, as a search does with the rows that it holds out.

    Parameters
    ----------
    result : AutoMLResult
        Result of a search that held out no rows.
    training : DataFrame
        Table of that search.
    held_out : DataFrame
        Rows with the same columns; those without a target, or with one that the model does not know, are left out.

    Returns
    -------
    AutoMLResult
        The result with the test: metrics, gains over guessing, curves, predictions.
    DataFrame
        Table of both, the training rows first, which the row ids of the result are positions in.

    Raises
    ------
    InputError
        When the result has a test already, or no row has a target that the model knows.

    See Also
    --------
    evaluate_rows : Evidence of some of the test rows.
    """
    settings = result.settings
    if result.rows["test"]:
        raise InputError("The search held out test rows of its own.", "Take its result as it is.")
    if settings.weight_column is not None:
        raise InputError("Rows of this search have weights.", "Hold out the test rows in the search itself.")
    require_columns(held_out.columns, [settings.target, *result.features])
    names = None if result.labels is None else [str(label) for label in result.labels]
    y = _codes(held_out[settings.target], names)
    rows = np.flatnonzero(np.isfinite(y) if names is None else y >= 0)
    if not len(rows):
        raise InputError(f"No row has a '{settings.target}' that the model knows.", "Give rows that were held out.")
    held_out, y = held_out.iloc[rows].reset_index(drop=True), y[rows]
    table = pd.concat([training, held_out[list(training.columns)]], ignore_index=True)
    output: Output = np.asarray(
        result.model.predict(held_out) if names is None else result.model.predict_proba(held_out), dtype=np.float64
    )
    predictions = _predictions(result, held_out, output, names, first=len(training))
    groups = groups_in(predictions, settings.target)
    guesses = _guesses(training[settings.target], names, len(y))
    compared = compare_outputs(
        result.task,
        result.metric,
        y,
        {"model": output, "prior": guesses},
        groups=groups,
        labels=names,
        seed=settings.seed,
    )
    guessing = "guessing the mean" if names is None else "guessing"
    counts = {"all": len(table), "train": result.rows["train"], "test": len(y)}
    if groups is not None:
        counts["test_groups"] = len(np.unique(groups))
    decision = None
    if names is not None and len(names) == 2:
        decision = decision_figures(y == 1, output.argmax(axis=1) == 1, names[1], groups=groups)
    tested = replace(
        result,
        settings=settings.model_copy(update={"test_fraction": min(0.5, round(len(y) / len(table), 6))}),
        test_metrics=compared.metrics["model"],
        baseline_metrics={"prior": compared.metrics["prior"]},
        differences=dict(compared.gains),
        verdict=verdict_sentence(METRICS[result.metric].title, compared.gains, {"prior": guessing}),
        test=predictions,
        curves=curves(y, output, names, groups=groups, seed=settings.seed),
        confusion=None if names is None else confusion(y, output),
        decision=decision,
        rows=counts,
        fingerprint=fingerprint(table),
    )
    return tested, table


def _codes(target: pd.Series, names: list[str] | None) -> np.ndarray[Any, np.dtype[Any]]:
    """Return class codes, -1 for a label that the model does not know, or numbers."""
    if names is None:
        return np.asarray(pd.to_numeric(target, errors="coerce").to_numpy(dtype=float, na_value=np.nan))
    texts = whole_numbers(target).astype(object).map(str, na_action="ignore")
    return np.asarray(pd.Index(names, dtype=object).get_indexer(texts))


def _guesses(target: pd.Series, names: list[str] | None, rows: int) -> Output:
    """Return what guessing predicts: the mean, or the share of each class in the training rows."""
    codes = _codes(target, names)
    if names is None:
        return np.full(rows, float(np.nanmean(codes)))
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    return np.tile(counts / counts.sum(), (rows, 1))


def _predictions(
    result: AutoMLResult, held_out: pd.DataFrame, output: Output, names: list[str] | None, *, first: int
) -> pd.DataFrame:
    """Return predictions as a result stores them, with the columns of its out-of-fold predictions."""
    settings = result.settings
    table: dict[str, Any] = {"row_id": np.arange(first, first + len(held_out))}
    if settings.group_column is not None:
        name = group_name([settings.target, *settings.sensitive_columns])
        codes = pd.factorize(held_out[settings.group_column], use_na_sentinel=False)[0]
        table[name] = codes + 1 + int(result.oof[name].max())
    truth = held_out[settings.target]
    table[settings.target] = (truth if names is None else whole_numbers(truth)).to_numpy()
    if names is None:
        table["prediction"] = output
    else:
        table["prediction"] = np.asarray(result.labels)[output.argmax(axis=1)]
        table |= {f"p({name})": output[:, code] for code, name in enumerate(names)}
    for column in settings.sensitive_columns:
        table.setdefault(column, whole_numbers(held_out[column]))
    return pd.DataFrame(table)
