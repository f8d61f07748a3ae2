"""Whether a label of numbers means classes or quantities: a guess that can be overruled, or a question."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.catalog import Dataset
from core.datasets import Profile, may_be_ids
from core.finetune import FineTuneSettings
from pages._ui import tables

__all__ = ["fill", "show"]

_Task = Literal["auto", "classification", "regression"]
_TITLES: dict[_Task, str] = {"classification": "Classes", "regression": "A number"}
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def show(dataset: Dataset, label: str) -> _Task | None:
    """Draw the choice where the label is a number; return the task, or None while it is asked."""
    column = Profile.from_dict(tables.profile(dataset.profile_digest))[label]
    numeric = column.dtype.lstrip("U") in _WHOLE or column.dtype in ("DOUBLE", "FLOAT")
    if not numeric or column.distinct <= 2:
        return "auto"
    asked = column.dtype.lstrip("U") in _WHOLE and may_be_ids(column.distinct, column.rows - column.missing)
    guessed: _Task = "regression" if tables.target_summary(dataset, label).task == "regression" else "classification"
    key = f"finetune-task-{dataset.id}-{label}"
    st.session_state.setdefault(key, None if asked else guessed)
    chosen = st.segmented_control("The label is", list(_TITLES), format_func=_TITLES.__getitem__, key=key)
    if chosen is None:
        st.info(
            f"The label holds {column.distinct:,} different numbers. Are they ids of classes, or quantities?",
            icon=":material/help:",
        )
        return None
    return chosen


def fill(settings: FineTuneSettings, dataset_id: str) -> None:
    """Put the task of an earlier training into the form."""
    if settings.task != "auto":
        st.session_state[f"finetune-task-{dataset_id}-{settings.label_column}"] = settings.task
