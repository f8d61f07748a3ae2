"""A table that has labels and predictions, or scores, of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog import Dataset
from core.datasets import infer_task
from pages._ui import artifacts, frame, tables
from pages.fairness.evidence import Evidence, Side, group_columns, positive_label, sensitive_columns

__all__ = ["of_table"]

_SHARE_TO_FIT = 0.5
_FEW = 200


def of_table(dataset: Dataset, left: DeltaGenerator, right: DeltaGenerator) -> Evidence | None:
    """Draw the choice of a table's columns, and read them."""
    names = tables.column_names(dataset)
    default = dataset.roles.get("target")
    label = left.selectbox(
        "Label (what was true)",
        names,
        index=names.index(default) if default in names else None,
        key=f"fairness-label-{dataset.id}",
    )
    predicted = left.selectbox(
        "Prediction",
        names,
        index=None,
        placeholder="The column with decisions",
        key=f"fairness-prediction-{dataset.id}",
    )
    scored = left.selectbox(
        "Score",
        names,
        index=None,
        placeholder="If there is one",
        key=f"fairness-score-{dataset.id}",
        help="Any number, higher for the positive label: it opens the threshold lab.",
    )
    if label is None or (predicted is None and scored is None):
        st.caption("Choose the label, and a prediction or a score. Or choose a model above.")
        return None
    used = [name for name in (label, predicted, scored) if name is not None]
    others = [name for name in names if name not in used]
    with right:
        sensitive, bins, least = sensitive_columns(others, dataset.roles.get("sensitive", []), dataset.id)
    columns = artifacts.read_table(dataset.data_digest, tuple(dict.fromkeys([*used, *sensitive])))
    whole = columns[used].notna().all(axis=1)
    if not whole.any():
        frame.show_error("No row has both a label and a prediction.", "Choose other columns.")
        return None
    if not whole.all():
        st.caption(f"{int((~whole).sum()):,} rows without a label or a prediction are left out.")
        columns = columns[whole]
    positive = None
    if infer_task(columns[label]) != "regression":
        values = columns[label].astype(str)
        if values.nunique() > _FEW:
            frame.show_error(f"'{label}' has {values.nunique():,} different labels.", "Choose another column.")
            return None
        with left:
            positive = positive_label(sorted(values.unique()), f"{dataset.id}-{label}")
    if not sensitive:
        st.caption("Choose at least one sensitive column.")
        return None
    return _evidence(dataset, columns, label, predicted, scored, positive, sensitive, bins, least)


def _evidence(
    dataset: Dataset,
    columns: pd.DataFrame,
    label: str,
    predicted: str | None,
    scored: str | None,
    positive: str | None,
    sensitive: tuple[str, ...],
    bins: int,
    least: int,
) -> Evidence | None:
    groups = group_columns(columns[list(sensitive)], bins)
    numbers = {name: pd.to_numeric(columns[name], errors="coerce") for name in (scored, predicted) if name is not None}
    key = f"{dataset.id}/{label}/{predicted}/{scored}/{positive}/{sensitive}/{bins}"
    if positive is None:
        guess = numbers[predicted or scored or ""]
        if guess.isna().any():
            frame.show_error("The prediction is no number everywhere.", "Choose a column of numbers.")
            return None
        side = Side(columns[label].to_numpy(float), guess.to_numpy(float), None, groups)
        return Evidence(key, dataset.name, None, dataset, None, sensitive, side, None, least)
    score = None if scored is None else numbers[scored]
    if score is not None and score.isna().any():
        frame.show_error(f"'{scored}' is no number everywhere.", "Choose a column of numbers as the score.")
        return None
    truth = (columns[label].astype(str) == positive).to_numpy()
    if predicted is not None:
        decided = (columns[predicted].astype(str) == positive).to_numpy()
    else:
        assert score is not None
        middle = 0.5 if score.between(0, 1).all() else float(score.median())
        decided = (score >= middle).to_numpy()
    points = None if score is None else score.to_numpy(float)
    whole = Side(truth, decided, points, groups)
    if points is None:
        return Evidence(key, dataset.name, None, dataset, positive, sensitive, whole, None, least)
    fit = np.random.default_rng(0).random(len(truth)) < _SHARE_TO_FIT
    return Evidence(key, dataset.name, None, dataset, positive, sensitive, _part(whole, ~fit), _part(whole, fit), least)


def _part(side: Side, rows: np.ndarray) -> Side:
    score = None if side.score is None else side.score[rows]
    return Side(side.truth[rows], side.decided[rows], score, side.groups[rows])
