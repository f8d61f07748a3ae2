"""A table that has labels and predictions, or scores, of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    choose_favorable,
    choose_groups,
    group_columns,
    sampled,
    short_texts,
)
from pages.fairness.label_mapping import choose_mapping

__all__ = ["choose_columns"]

_CALIBRATION_FRACTION = 0.5
_MAX_LABELS = 200


@dataclass(frozen=True)
class _Roles:
    """The columns of labels, predictions and scores."""

    label: str | None
    prediction: str | None
    score: str | None

    @property
    def outcome(self) -> str:
        """The column whose values are the outcomes: the true ones, or the decisions where these are all there is."""
        column = self.label or self.prediction
        assert column is not None
        return column

    @property
    def names(self) -> list[str]:
        return [name for name in (self.label, self.prediction, self.score) if name is not None]


def choose_columns(dataset: Dataset, left: DeltaGenerator, right: DeltaGenerator) -> Analysis | None:
    """Draw the choice of a table's columns, and read them."""
    names = tables.column_names(dataset)
    roles = _choose_roles(dataset, names, left)
    if roles is None:
        st.caption(
            "Choose the decision. With the true outcome beside it, right and wrong decisions are compared too; with a "
            "score, thresholds. Or choose a model above."
        )
        return None
    others = [name for name in names if name not in roles.names]
    with right:
        choice = choose_groups(others, dataset.roles.get("sensitive", []), dataset.id)
        groups = choice.columns[0] if len(choice.columns) == 1 else None
        columns = {"label": roles.label, "prediction": roles.prediction, "score": roles.score, "groups": groups}
        suggestions.explain(dataset, "fairness", columns)
    if not short_texts(dataset, [*roles.names, *choice.columns]):
        return None
    rows = artifacts.sample(dataset.data_digest, tuple(dict.fromkeys([*roles.names, *choice.columns])))
    if note := artifacts.sample_note(rows, "rows"):
        st.caption(note)
    table = rows.frame
    table = table.assign(**{name: whole_numbers(table[name]) for name in roles.names})  # 1, not 1.0
    complete = table[roles.names].notna().all(axis=1)
    if not complete.any():
        frame.show_error("No row has a value in all of these columns.", "Choose other columns.")
        return None
    if not complete.all():
        st.caption(f"{int((~complete).sum()):,} rows without a value in one of these columns are left out.")
        table = table[complete]
    positive, mapping = None, None
    classes = roles.label is None or infer_task(table[roles.label]) != "regression"
    if classes:
        labels = sorted(table[roles.outcome].astype(str).unique())
        if len(labels) > _MAX_LABELS:
            frame.show_error(f"'{roles.outcome}' has {len(labels):,} different labels.", "Choose another column.")
            return None
        predicted = [] if roles.prediction is None else sorted(table[roles.prediction].astype(str).unique())
        key = f"{dataset.id}-{roles.outcome}"
        with left:
            mapping = choose_mapping(labels, predicted, f"{key}-{roles.prediction}")
            positive = choose_favorable(labels, key)
    if not choice.columns:
        st.caption("Choose at least one sensitive column.")
        return None
    if classes and (positive is None or mapping is None):
        return None
    analysis = _analyze(dataset, table, roles, positive, mapping or {}, choice)
    if analysis is None or rows.complete:
        return analysis
    return replace(analysis, notes=(*analysis.notes, sampled(rows, "rows")), sample=artifacts.sample_size(rows))


def _choose_roles(dataset: Dataset, names: list[str], column: DeltaGenerator) -> _Roles | None:
    """Draw the choice of label, prediction and score; None until there are enough."""
    target = dataset.roles.get("target")
    with column:
        prediction = _choose(
            dataset,
            names,
            "prediction",
            "Decision or prediction",
            placeholder="The column with decisions",
            help="What was decided, such as invite or reject, or what a model predicted.",
        )
        label = _choose(
            dataset,
            names,
            "label",
            "True outcome",
            default=target if target in names else None,
            placeholder="If it is known",
            help="What turned out to be right. Leave it empty where there are decisions only.",
        )
        score = _choose(
            dataset,
            names,
            "score",
            "Score",
            placeholder="If there is one",
            help="Any number, higher for the positive label. It enables the threshold lab.",
        )
    if prediction is None and (label is None or score is None):
        return None
    if label is None and score is not None:
        column.caption(f"{frame.plain(score)} is not used: thresholds need true outcomes.")
    return _Roles(label, prediction, None if label is None else score)


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
    dataset: Dataset,
    columns: pd.DataFrame,
    roles: _Roles,
    positive: str | None,
    mapping: Mapping[str, str],
    choice: GroupChoice,
) -> Analysis | None:
    numbers = {
        name: pd.to_numeric(columns[name], errors="coerce")
        for name in (roles.score, roles.prediction)
        if name is not None
    }
    groups = group_columns(columns[list(choice.columns)], choice.bins)
    calibration = holdout = None
    notes = [f"predicted {label} counts as {meaning}" for label, meaning in mapping.items()]
    if roles.label is None:
        notes.append("decisions without true outcomes")
    if positive is None:
        predicted = numbers[roles.prediction or roles.score or ""]
        if predicted.isna().any():
            frame.show_error("The prediction is not a number in every row.", "Choose a column of numbers.")
            return None
        test = Predictions(columns[roles.outcome].to_numpy(float), predicted.to_numpy(float), None, groups)
    else:
        score = None if roles.score is None else numbers[roles.score]
        if score is not None and score.isna().any():
            message = f"'{roles.score}' is not a number in every row."
            frame.show_error(message, "Choose a column of numbers as the score.")
            return None
        truth = (columns[roles.outcome].astype(str) == positive).to_numpy()
        if roles.prediction is not None:
            selected = (columns[roles.prediction].astype(str).replace(dict(mapping)) == positive).to_numpy()
        else:
            assert score is not None
            threshold = 0.5 if score.between(0, 1).all() else float(score.median())
            selected = (score >= threshold).to_numpy()
            notes.append(f"decided by {roles.score} of at least {threshold:g}")
        test = Predictions(truth, selected, None if score is None else score.to_numpy(float), groups)
        if test.score is not None:
            drawn = np.random.default_rng(0).random(len(truth)) < _CALIBRATION_FRACTION
            holdout, calibration = _rows(test, ~drawn), _rows(test, drawn)
    return Analysis(
        key=f"{dataset.id}/{roles}/{positive}/{mapping}/{choice.columns}/{choice.bins}",
        title=dataset.name,
        run=None,
        dataset=dataset,
        positive=positive,
        sensitive=choice.columns,
        test=test,
        calibration=calibration,
        min_group_size=choice.min_group_size,
        holdout=holdout,
        notes=tuple(notes),
        decisions_only=roles.label is None,
    )


def _rows(predictions: Predictions, mask: np.ndarray) -> Predictions:
    score = None if predictions.score is None else predictions.score[mask]
    return Predictions(predictions.truth[mask], predictions.predicted[mask], score, predictions.groups[mask])
