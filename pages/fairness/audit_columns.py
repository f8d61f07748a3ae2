"""The columns of a bias audit: the outcome, and the law's category of each value of sex and race."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Dataset, Run
from core.datasets import ValueCounts, suspected_attribute, whole_numbers
from core.fairness import RACE_CATEGORIES, SEX_CATEGORIES, UNKNOWN_CATEGORY, label_text, suggest_categories
from core.favorable import favorable_outcome
from pages._ui import address, artifacts, frame, tables
from pages.fairness.analysis import short_texts
from pages.fairness.audit_study import AuditStudy
from pages.fairness.audited_rows import TITLES, AuditColumns

__all__ = ["NOT_HISPANIC", "choose"]

_MAX_VALUES = 40
_PER_ROW = 3
_ATTRIBUTES = {"sex": "sex or gender", "race": "race or ethnicity"}
_LAW = {"sex": SEX_CATEGORIES, "race": RACE_CATEGORIES}
_OWN = "A category of its own, as written"
NOT_HISPANIC = " (Not Hispanic or Latino)"


def choose(dataset: Dataset, run: Run | None, study: AuditStudy) -> AuditColumns | None:
    """Draw the choice of columns and categories; return None until everything is decided."""
    test = None if run is None else artifacts.digests(run).get("test.parquet")
    if run is not None and test is None:
        st.caption("This search held out no rows to audit.")
        return None
    names = tables.column_names(dataset)
    key = f"{dataset.id}-{'' if run is None else run.id}"
    left, middle, right = st.columns(3, gap="medium")
    with left:
        outcome, selected, decided = _choose_outcome(dataset, test, names, key)
    with middle:
        sex = _choose_column(names, "sex", key, outcome if run is None else None)
    with right:
        race = _choose_column(names, "race", key, outcome if run is None else None)
    if outcome is None or not decided or (sex is None and race is None):
        st.caption("Choose the outcome, and the column of sex, of race and ethnicity, or both.")
        return None
    if not short_texts(dataset, [name for name in (sex, race) if name is not None]):
        return None
    chosen = AuditColumns(
        dataset.name if run is None else run.title, dataset.data_digest, test, outcome, selected, sex, race
    )
    mappings = {name: _choose_categories(chosen, name, key, study) for name in ("sex", "race")}
    if any(mapping is None for mapping in mappings.values()):
        return None
    return AuditColumns(
        chosen.title, chosen.data, test, outcome, selected, sex, race, mappings["sex"] or (), mappings["race"] or ()
    )


def _choose_outcome(
    dataset: Dataset, test: str | None, names: list[str], key: str
) -> tuple[str | None, str | None, bool]:
    """Draw the choice of the outcome; return its column, what means selected, and whether both are decided."""
    options = names
    if test is not None:
        options = [name for name in artifacts.column_names(test) if name == "prediction" or name.startswith("p(")]
    widget = f"fairness-audit-outcome-{key}"
    decided = "prediction" if test is not None else st.query_params.get("prediction")  # chosen above for a table
    shown = address.restore_optional("outcome", options, decided if decided in options else None, widget)
    outcome = st.selectbox(
        "Outcome",
        options,
        index=None,
        placeholder="Selections or scores",
        help="A column that says who was selected, or one with a score.",
        format_func=_outcome_title if test is not None else str,
        key=widget,
    )
    address.keep("outcome", outcome, shown, widget)
    if outcome is None:
        return None, None, False
    if test is None and not short_texts(dataset, [outcome]):
        return outcome, None, False
    counted = artifacts.value_counts(dataset.data_digest if test is None else test, outcome)
    values = counted.counts.index
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and not np.isin(values, (0, 1)).all():
        st.caption("Numbers: read as scores.")
        return outcome, None, True
    labels = sorted({label_text(value) for value in values})
    if len(labels) > _MAX_VALUES or not counted.complete:
        _too_many(outcome, counted, "Choose a column of few outcomes.")
        return outcome, None, False
    widget = f"fairness-audit-selected-{key}-{outcome}"
    shown = address.restore_optional("selected", labels, _suggested(labels), widget)
    selected = st.selectbox("Selected means", labels, index=None, placeholder="The value of those chosen", key=widget)
    address.keep("selected", selected, shown, widget)
    return outcome, selected, selected is not None


def _suggested(labels: Sequence[str]) -> str | None:
    """Return the value that surely means selected; None where a person has to say."""
    favorable = favorable_outcome(labels)
    plain = set(labels) in ({"0", "1"}, {"False", "True"})
    return None if favorable is None or not (favorable.certain or plain) else str(favorable.label)


def _outcome_title(name: str) -> str:
    return "Predicted label" if name == "prediction" else f"Score: {name}"


def _choose_column(names: Sequence[str], name: str, key: str, taken: str | None) -> str | None:
    options = [column for column in names if column != taken]
    default = next((column for column in options if suspected_attribute(column) == _ATTRIBUTES[name]), None)
    widget = f"fairness-audit-{name}-{key}"
    shown = address.restore_optional(name, options, default, widget)
    column = st.selectbox(f"{TITLES[name]} column", options, index=None, placeholder="None", key=widget)
    address.keep(name, column, shown, widget)
    return column


def _choose_categories(
    chosen: AuditColumns, name: str, key: str, study: AuditStudy
) -> tuple[tuple[str, str], ...] | None:
    """Draw a choice of the law's category for each value; return None while a value has none."""
    column = chosen.sex if name == "sex" else chosen.race
    if column is None:
        return ()
    counted = _counted(chosen, column)
    counts = _by_label(counted.counts)
    if len(counts) > _MAX_VALUES or not counted.complete:
        _too_many(column, counted, "Choose a column of categories.")
        return None
    missing = counted.missing
    suggested = suggest_categories(counts, "sex" if name == "sex" else "race")
    options = [*_LAW[name], UNKNOWN_CATEGORY, _OWN]
    decided: dict[str, str | None] = {}
    known = len(counts) - list(suggested.values()).count(None)
    title = f"Categories of '{column}': {known} of {len(counts)} values suggested by known words"
    with st.expander(frame.plain(title), expanded=True, icon=":material/rule:"):
        if name == "race":
            st.caption(
                "All categories but the first are of people who are not Hispanic or Latino. Where ethnicity is in a "
                "column of its own, combine both in Data, Prepare first."
            )
        for index, (value, count) in enumerate(counts.items()):
            if index % _PER_ROW == 0:
                grid = st.columns(_PER_ROW, gap="medium")
            widget = f"fairness-audit-{name}-{key}-{column}-{value}"
            stored = study.category(column, value)
            address.follow(stored if stored in options else suggested[value], widget)
            with grid[index % _PER_ROW]:
                picked = st.selectbox(
                    f"{frame.plain(value)}, {count:,} row{'s' * (count != 1)}",
                    options,
                    index=None,
                    format_func=lambda option: option.replace(NOT_HISPANIC, ""),
                    placeholder="Choose a category",
                    key=widget,
                )
            study.keep_category(column, value, None if picked == suggested[value] else picked)
            decided[value] = value if picked == _OWN else picked
        if missing:
            st.caption(f"{missing:,} rows without a value are in the unknown category.")
    open_values = [value for value, category in decided.items() if category is None]
    if open_values:
        listed = ", ".join(f"'{value}'" for value in open_values)
        st.warning(frame.plain(f"Choose a category for {listed}."), icon=":material/help:")
        return None
    return tuple((value, str(category)) for value, category in decided.items())


def _counted(chosen: AuditColumns, column: str) -> ValueCounts:
    """Return the values of a column of the table, or of a model's test rows."""
    if chosen.test is None:
        return artifacts.value_counts(chosen.data, column)
    predicted = artifacts.predictions(chosen.test)
    values = whole_numbers(artifacts.rows_at(chosen.data, (column,), predicted.frame["row_id"].to_numpy())[column])
    return ValueCounts(values.value_counts(), len(values), int(values.isna().sum()), complete=True)


def _too_many(column: str, counted: ValueCounts, hint: str) -> None:
    more = "" if counted.complete else "more than "
    frame.show_error(f"'{column}' has {more}{len(counted.counts):,} different values.", hint)


def _by_label(counts: pd.Series) -> dict[str, int]:
    """Return the rows of each value as text, the most frequent first."""
    merged = counts.groupby(counts.index.map(label_text), sort=False).sum()
    return {text: int(count) for text, count in merged.items()}
