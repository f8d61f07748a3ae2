"""What a label holds: classes, a number or several labels. A guess that can be overruled, or a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog import Dataset
from core.datasets import ColumnProfile, Profile, may_be_ids
from core.finetune import LISTS, SEPARATORS, TARGET_KINDS, FineTuneSettings, likely_separator
from pages._ui import artifacts, tables

__all__ = ["fill", "show"]

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_CELLS, _CELL_BYTES = 5_000, 2**20
_SIGNS = {
    LISTS: 'lists, such as ["a", "b"]',
    **{sign: "line breaks" if sign == "\n" else f"{sign} (as in a{sign}b)" for sign in SEPARATORS},
}
_IN_COLUMNS = "labels"  # name of labels in several columns, in results
_SEVERAL = "multilabel"


def show(dataset: Dataset, label: str) -> Mapping[str, Any] | None:
    """Draw the choice where the label leaves one; return the settings that it means, or None while it is asked."""
    profile = Profile.from_dict(tables.profile(dataset.profile_digest))
    column = profile[label]
    if column.distinct <= 2:
        return _two_values(dataset, label, _yes_no(profile))
    if _whole(column) or column.dtype in ("DOUBLE", "FLOAT"):
        return _numbers(dataset, label, column)
    return _texts(dataset, label)


def _choose(dataset: Dataset, label: str, names: list[str], usual: str | None) -> str | None:
    key = f"finetune-task-{dataset.id}-{label}"
    st.session_state.setdefault(key, usual)
    if st.session_state[key] not in names:
        st.session_state[key] = usual
    titles = {name: TARGET_KINDS[name].title for name in names}
    return st.segmented_control("The label is", names, format_func=titles.__getitem__, key=key)


def _numbers(dataset: Dataset, label: str, column: ColumnProfile) -> Mapping[str, Any] | None:
    asked = _whole(column) and may_be_ids(column.distinct, column.rows - column.missing)
    number = tables.target_summary(dataset, label).task == "regression"
    usual = None if asked else "regression" if number else "classification"
    task = _choose(dataset, label, ["classification", "regression"], usual)
    if task is None:
        st.info(
            f"The label holds {column.distinct:,} different numbers. Are they ids of classes, or quantities?",
            icon=":material/help:",
        )
        return None
    return {"task": task}


def _texts(dataset: Dataset, label: str) -> Mapping[str, Any] | None:
    """Draw the choice for cells of text, where a sign in them may separate labels."""
    likely, possible = _separators(dataset.data_digest, label)
    if not possible:
        return {"task": "auto"}
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    with left:
        task = _choose(dataset, label, ["classification", _SEVERAL], "classification" if likely is None else _SEVERAL)
    if task != _SEVERAL:
        return None if task is None else {"task": task}
    key = f"finetune-separator-{dataset.id}-{label}"
    st.session_state.setdefault(key, likely or possible[0])
    if st.session_state[key] not in possible:
        st.session_state[key] = likely or possible[0]
    with right:
        sign = st.selectbox("Labels are separated by", possible, format_func=_SIGNS.__getitem__, key=key, width=320)
    return {"task": task, "label_separator": sign}


def _two_values(dataset: Dataset, label: str, others: list[str]) -> Mapping[str, Any] | None:
    """Draw the choice for a column of two values, which may be one of several columns of labels."""
    if label not in others or len(others) < 2:
        return {"task": "auto"}
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    with left:
        task = _choose(dataset, label, ["classification", _SEVERAL], "classification")
    if task != _SEVERAL:
        return None if task is None else {"task": task}
    key = f"finetune-columns-{dataset.id}-{label}"
    st.session_state.setdefault(key, [label])
    st.session_state[key] = [name for name in st.session_state[key] if name in others]
    with right:
        columns = st.multiselect(
            "Columns of the labels",
            others,
            key=key,
            help="A column of yes and no for each label that a text may have.",
        )
    if len(columns) < 2:
        st.caption("Choose the column of each label, at least two.")
        return None
    return {"task": task, "label_column": _IN_COLUMNS, "label_columns": tuple(columns)}


@st.cache_data(max_entries=50, show_spinner=False)
def _separators(digest: str, column: str) -> tuple[str | None, list[str]]:
    """Return the sign that seems to separate labels in cells, and all that occur in them."""
    cells = artifacts.sample(digest, (column,), rows=_CELLS, max_bytes=_CELL_BYTES).frame[column].dropna().tolist()
    likely = likely_separator(cells)
    texts = {str(cell) for cell in cells}
    possible = [sign for sign in SEPARATORS if any(sign in text for text in texts)]
    lists = any(text.strip().startswith("[") for text in texts)
    return likely, [*([LISTS] if lists else []), *possible]


def _whole(column: ColumnProfile) -> bool:
    return column.dtype.lstrip("U") in _WHOLE


def _yes_no(profile: Profile) -> list[str]:
    """Return the columns that seem to hold yes and no: truth values, or two whole numbers."""
    return [
        column.name
        for column in profile.columns
        if column.dtype == "BOOLEAN" or (_whole(column) and column.distinct == 2)
    ]


def fill(settings: FineTuneSettings, dataset_id: str) -> None:
    """Put the task of an earlier training into the form."""
    label = settings.target_columns[0]
    if settings.task != "auto":
        st.session_state[f"finetune-task-{dataset_id}-{label}"] = settings.task
    if settings.label_separator is not None:
        st.session_state[f"finetune-separator-{dataset_id}-{label}"] = settings.label_separator
    if settings.label_columns:
        st.session_state[f"finetune-columns-{dataset_id}-{label}"] = list(settings.label_columns)
