"""Where it fails: groups of rows with larger errors, an error map of two columns, and saved cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import saved_cohorts
from core.catalog import Run
from core.cohorts import (
    LOSSES,
    MAX_COLUMNS,
    MAX_ROWS,
    Cohort,
    CohortReport,
    JudgedCohort,
    condition_columns,
    find_cohorts,
    judge_cohort,
    load_out_of_fold,
    losses_of,
    row_losses,
    rows_to_judge,
)
from core.evaluation import groups_in, weights_in
from core.storage import get_store
from pages._ui import address, artifacts, frame, lookups, numbers, tables
from pages.automl import error_map

__all__ = ["show"]

_LOSS = "automl-loss"


@dataclass(frozen=True)
class _Source:
    """The stored files that the tab reads, and what it reads of them."""

    data: str
    predictions: str
    target: str
    columns: tuple[str, ...]


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the cohorts, the error map and the saved cohorts of a finished search."""
    dataset = lookups.existing_dataset(run.dataset_id)
    predictions = artifacts.digests(run).get("oof.parquet")
    if dataset is None:
        st.caption("The table of this search was deleted, so its columns cannot be read.")
        return
    if predictions is None or not artifacts.count(predictions):
        st.caption("This model has no predictions of its training rows, so there are no errors to look at.")
        return
    settings = record["settings"]
    target = settings["target"]
    columns = condition_columns(tables.column_names(dataset), record["features"], settings["sensitive_columns"], target)
    source = _Source(dataset.data_digest, predictions, target, columns[:MAX_COLUMNS])
    options = [loss.key for loss in losses_of(record["task"])]
    shown = address.restore("loss", options, options[0], _LOSS)
    loss = str(st.session_state[_LOSS])
    with frame.errors_shown():
        report = _find(source, loss)
        st.subheader(frame.plain(report.sentence))
        _which_rows(source, record, report, len(columns))
    loss = st.radio(
        "Error",
        options,
        format_func=lambda key: LOSSES[key].title,
        captions=[LOSSES[key].help for key in options],
        horizontal=True,
        key=_LOSS,
    )
    address.keep("loss", loss, shown, _LOSS)
    with frame.errors_shown():
        report = _find(source, loss)
        if report.cohorts:
            _table(report)
            _save(run, report)
        _saved(run, source, loss, report)
        rows, losses, weights = _judged(source, loss)
        error_map.show(rows, losses, weights, list(rows.columns), report)


def _rows(source: _Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the raw columns and the out-of-fold predictions of the same rows, which callers must not change."""
    return artifacts.keep(
        source,
        lambda: load_out_of_fold(
            get_store().local_path(source.data), artifacts.predictions(source.predictions).frame, source.columns
        ),
        lambda pair: sum(map(artifacts.frame_bytes, pair)),
    )


@st.cache_data(max_entries=50, show_spinner="Looking for groups of rows with larger errors")
def _find(source: _Source, loss: str) -> CohortReport:
    table, predictions = _rows(source)
    return find_cohorts(
        table,
        row_losses(predictions, source.target, loss),
        sample_weight=weights_in(predictions, source.target),
        groups=groups_in(predictions, source.target),
        name=loss,
    )


@st.cache_data(max_entries=50, show_spinner=False)
def _losses(source: _Source, loss: str) -> np.ndarray:
    _, predictions = _rows(source)
    return row_losses(predictions, source.target, loss)


def _judged(source: _Source, loss: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Return the rows that cohorts are judged on, their losses and their weights."""
    table, predictions = _rows(source)
    rest = rows_to_judge(len(table), groups_in(predictions, source.target))
    weights = weights_in(predictions, source.target)
    return table[rest], _losses(source, loss)[rest], None if weights is None else weights[rest]


@st.cache_data(max_entries=100, show_spinner=False)
def _judge(source: _Source, loss: str, cohort: Cohort, confidence: float) -> JudgedCohort:
    rows, losses, weights = _judged(source, loss)
    _, predictions = _rows(source)
    groups = groups_in(predictions, source.target)
    if groups is not None:
        groups = groups[rows_to_judge(len(groups), groups)]
    return judge_cohort(cohort, rows, losses, sample_weight=weights, groups=groups, confidence=confidence)


def _which_rows(source: _Source, record: Mapping[str, Any], report: CohortReport, columns: int) -> None:
    table, predictions = _rows(source)
    count = record["rows"]["train"]
    part = f" (drawn from {count:,})" if len(predictions) == MAX_ROWS < count else ""
    few = f" Only the first {MAX_COLUMNS} of {columns:,} columns are looked at." if columns > MAX_COLUMNS else ""
    long = ", ".join(frame.plain(name) for name in source.columns if name not in table)
    few += f" Columns of long texts are not looked at: {long}." if long else ""
    st.caption(
        f"Groups were looked for on {report.rows_found:,} training rows and judged on {report.rows_judged:,} "
        f"others{part}. Each row was predicted by models that were not fitted on it; the test rows are not read here."
        f"{few} A group has at least {report.min_rows:,} rows in each half."
    )


def _table(report: CohortReport) -> None:
    """Draw the candidates with their errors."""
    st.table(
        pd.DataFrame([_line(report.loss, item) for item in report.cohorts]).set_index("Rows where"),
        border="horizontal",
    )
    many = len(report.cohorts)
    together = "The interval has" if many == 1 else f"The {many} intervals hold together with"
    others = " The other groups are what looked worst in the first half." if len(report.worse) < many else ""
    st.caption(f"{together} 95% confidence. A group stands out where its interval lies above zero.{others}")


def _line(loss: str, item: JudgedCohort) -> dict[str, str]:
    share = loss == "wrong"

    def shown(value: float | None) -> str:
        if value is None:
            return "–"
        return numbers.percent(value) if share else numbers.estimate(value, item.low, item.high)

    if item.low is None or item.high is None or item.difference is None:
        difference = "too few rows"
    elif share:
        low, high = (numbers.signed(100 * bound, ".1f") for bound in (item.low, item.high))
        difference = f"{numbers.signed(100 * item.difference, '.1f')} points [{low}, {high}]"
    else:
        difference = f"{numbers.estimate(item.difference, item.low, item.high)} {numbers.interval(item.low, item.high)}"
    inside = f"{shown(item.error)} {'of' if share else 'over'} {item.rows:,} rows"
    return {  # few columns, so that all of them fit on a phone
        "Rows where": frame.plain(item.cohort.text),
        "Error": f"{inside}, {shown(item.other_error)} elsewhere",
        "Difference": difference,
        "Stands out": "Yes" if item.is_worse else "No",
    }


def _save(run: Run, report: CohortReport) -> None:
    """Let the user save one of the groups with the search."""
    saved = set(saved_cohorts.kept(run, access=frame.access()).values())
    cohorts = {item.cohort.text: item.cohort for item in report.cohorts if item.cohort not in saved}
    if not cohorts:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Group to save as a cohort", list(cohorts), key="automl-cohort-choice", width=520)
        if st.button("Save cohort", icon=":material/bookmark_add:", key="automl-cohort-save"):
            saved_cohorts.keep(run, cohorts[chosen], access=frame.access())
            st.rerun()


def _saved(run: Run, source: _Source, loss: str, report: CohortReport) -> None:
    """Draw the saved cohorts with their errors on the same rows, each with a button that removes it."""
    kept = saved_cohorts.kept(run, access=frame.access())
    if not kept:
        return
    table, _ = _rows(source)
    st.markdown("**Saved cohorts**")
    for file, cohort in kept.items():
        missing = [name for name in cohort.columns if name not in table]
        with st.container(horizontal=True, vertical_alignment="center"):
            if missing:
                text = f"cannot be read, because the table has no column {', '.join(missing)}"
            else:
                known = [item for item in report.cohorts if item.cohort == cohort]
                level = 1 - (1 - report.confidence) / (len(report.cohorts) + 1)
                text = report.describe(known[0] if known else _judge(source, loss, cohort, level))
            st.markdown(frame.plain(f"{cohort.text}: {text}"), width="stretch")
            if st.button("Remove", icon=":material/delete:", key=f"automl-cohort-remove-{file}"):
                saved_cohorts.remove(run, file, access=frame.access())
                st.rerun()
