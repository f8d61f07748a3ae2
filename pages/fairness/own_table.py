"""A table that has labels and predictions, or scores, of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.catalog import Dataset
from core.datasets import infer_task, whole_numbers
from pages._ui import address, artifacts, frame, suggestions, tables
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
        groups = choice.columns[0] if len(choice.columns) == 1 else None
        columns = {"label": roles.label, "prediction": roles.prediction, "score": roles.score, "groups": groups}
        suggestions.explain(dataset, "fairness", columns)
    table = artifacts.read_table(dataset.data_digest, tuple(dict.fromkeys([*roles.names, *choice.columns])))
    table = table.assign(**{name: whole_numbers(table[name]) for name in roles.names})  # 1, not 1.0
    complete = table[roles.names].notna().all(axis=1)
    if not complete.any():
        frame.show_error("No row has both a label and a prediction.", "Choose other columns.")
        return None
    if not complete.all():
        st.caption(f"{int((~complete).sum()):,} rows without a label or a prediction are left out.")
        table = table[complete]
    positive = None
    if infer_task(table[roles.label]) != "regression":
        values = table[roles.label].astype(str)
        if values.nunique() > _MAX_LABELS:
            frame.show_error(f"'{roles.label}' has {values.nunique():,} different labels.", "Choose another column.")
            return None
        with left:
            positive = choose_positive_label(sorted(values.unique()), f"{dataset.id}-{roles.label}")
    if not choice.columns:
        st.caption("Choose at least one sensitive column.")
        return None
    return _analyze(dataset, table, roles, positive, choice)


def _choose_roles(dataset: Dataset, names: list[str], column: DeltaGenerator) -> _Roles | None:
    """Draw the choice of label, prediction and score; None until there are enough."""
    target = dataset.roles.get("target")
    with column:
        label = _choose(dataset, names, "label", "Label (true outcome)", default=target if target in names else None)
        prediction = _choose(dataset, names, "prediction", "Prediction", placeholder="The column with decisions")
        score = _choose(
            dataset,
            names,
            "score",
            "Score",
            placeholder="If there is one",
            help="Any number, higher for the positive label. It enables the threshold lab.",
        )
    return None if label is None or (prediction is None and score is None) else _Roles(label, prediction, score)


def _choose(
    dataset: Dataset,
    names: list[str],
    name: str,
    label: str,
    *,
    default: str | None = None,
    placeholder: str | None = None,
    help: str | None = None,
) -> str | None:
    """Draw the choice of one column, which the address keeps by `name`."""
    key = f"fairness-{name}-{dataset.id}"
    shown = address.restore_optional(name, names, default, key)
    column = st.selectbox(label, names, index=None, placeholder=placeholder, help=help, key=key)
    address.keep(name, column, shown, key)
    return column


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
