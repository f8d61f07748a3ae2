"""A table that has labels and predictions, or scores, of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog import Dataset
from core.datasets import infer_task, whole_numbers
from pages._ui import artifacts, frame, tables
from pages.fairness.analysis import (
    Analysis,
    GroupChoice,
    Predictions,
    choose_groups,
    choose_positive_label,
    group_columns,
)

__all__ = ["choose_columns"]

_CALIBRATION_FRACTION = 0.5
_MAX_LABELS = 200


@dataclass(frozen=True)
class _Roles:
    """The columns of labels, predictions and scores."""

    label: str
    prediction: str | None
    score: str | None

    @property
    def names(self) -> list[str]:
        return [name for name in (self.label, self.prediction, self.score) if name is not None]


def choose_columns(dataset: Dataset, left: DeltaGenerator, right: DeltaGenerator) -> Analysis | None:
    """Draw the choice of a table's columns, and read them."""
    names = tables.column_names(dataset)
    roles = _choose_roles(dataset, names, left)
    if roles is None:
        st.caption("Choose the label, and a prediction or a score. Or choose a model above.")
        return None
    others = [name for name in names if name not in roles.names]
    with right:
        choice = choose_groups(others, dataset.roles.get("sensitive", []), dataset.id)
    columns = artifacts.read_table(dataset.data_digest, tuple(dict.fromkeys([*roles.names, *choice.columns])))
    columns = columns.assign(**{name: whole_numbers(columns[name]) for name in roles.names})  # 1, not 1.0
    complete = columns[roles.names].notna().all(axis=1)
    if not complete.any():
        frame.show_error("No row has both a label and a prediction.", "Choose other columns.")
        return None
    if not complete.all():
        st.caption(f"{int((~complete).sum()):,} rows without a label or a prediction are left out.")
        columns = columns[complete]
    positive = None
    if infer_task(columns[roles.label]) != "regression":
        values = columns[roles.label].astype(str)
        if values.nunique() > _MAX_LABELS:
            frame.show_error(f"'{roles.label}' has {values.nunique():,} different labels.", "Choose another column.")
            return None
        with left:
            positive = choose_positive_label(sorted(values.unique()), f"{dataset.id}-{roles.label}")
    if not choice.columns:
        st.caption("Choose at least one sensitive column.")
        return None
    return _analyze(dataset, columns, roles, positive, choice)


def _choose_roles(dataset: Dataset, names: list[str], column: DeltaGenerator) -> _Roles | None:
    """Draw the choice of label, prediction and score; None until there are enough."""
    default = dataset.roles.get("target")
    label = column.selectbox(
        "Label (true outcome)",
        names,
        index=names.index(default) if default in names else None,
        key=f"fairness-label-{dataset.id}",
    )
    prediction = column.selectbox(
        "Prediction",
        names,
        index=None,
        placeholder="The column with decisions",
        key=f"fairness-prediction-{dataset.id}",
    )
    score = column.selectbox(
        "Score",
        names,
        index=None,
        placeholder="If there is one",
        help="Any number, higher for the positive label. It enables the threshold lab.",
        key=f"fairness-score-{dataset.id}",
    )
    return None if label is None or (prediction is None and score is None) else _Roles(label, prediction, score)


def _analyze(
    dataset: Dataset, columns: pd.DataFrame, roles: _Roles, positive: str | None, choice: GroupChoice
) -> Analysis | None:
    numbers = {
        name: pd.to_numeric(columns[name], errors="coerce")
        for name in (roles.score, roles.prediction)
        if name is not None
    }
    groups = group_columns(columns[list(choice.columns)], choice.bins)
    if positive is None:
        predicted = numbers[roles.prediction or roles.score or ""]
        if predicted.isna().any():
            frame.show_error("The prediction is not a number in every row.", "Choose a column of numbers.")
            return None
        test = Predictions(columns[roles.label].to_numpy(float), predicted.to_numpy(float), None, groups)
        calibration = None
    else:
        score = None if roles.score is None else numbers[roles.score]
        if score is not None and score.isna().any():
            message = f"'{roles.score}' is not a number in every row."
            frame.show_error(message, "Choose a column of numbers as the score.")
            return None
        truth = (columns[roles.label].astype(str) == positive).to_numpy()
        if roles.prediction is not None:
            selected = (columns[roles.prediction].astype(str) == positive).to_numpy()
        else:
            assert score is not None
            threshold = 0.5 if score.between(0, 1).all() else float(score.median())
            selected = (score >= threshold).to_numpy()
        test = Predictions(truth, selected, None if score is None else score.to_numpy(float), groups)
        calibration = None
        if test.score is not None:
            drawn = np.random.default_rng(0).random(len(truth)) < _CALIBRATION_FRACTION
            test, calibration = _rows(test, ~drawn), _rows(test, drawn)
    return Analysis(
        key=f"{dataset.id}/{roles}/{positive}/{choice.columns}/{choice.bins}",
        title=dataset.name,
        run=None,
        dataset=dataset,
        positive=positive,
        sensitive=choice.columns,
        test=test,
        calibration=calibration,
        min_group_size=choice.min_group_size,
    )


def _rows(predictions: Predictions, mask: np.ndarray) -> Predictions:
    score = None if predictions.score is None else predictions.score[mask]
    return Predictions(predictions.truth[mask], predictions.predicted[mask], score, predictions.groups[mask])
