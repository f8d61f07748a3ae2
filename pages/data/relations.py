"""The relations between a dataset's columns, measured by a run and read by the tabs and the page of a column."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset, Run, RunState, artifacts
from core.datasets import MEASURES, ColumnRelations
from core.tasks import relations
from pages._ui import artifacts as files
from pages._ui import keys, run_view

__all__ = ["DIRECTIONS", "MEASURE_HELP", "explain", "measured", "require", "sample_note"]

DIRECTIONS = {-1: "falling", 0: "", 1: "rising"}
MEASURE_HELP = (
    f"**{MEASURES['spearman']}** for two columns of numbers or dates: 1 where one only rises, or only falls, with the "
    "other. It does not see relations that rise and then fall.\n\n"
    f"**{MEASURES['correlation_ratio']}** for a number and a category: the root of the share of the variance of the "
    "ranks that lies between the categories (root of ε², the effect size of the Kruskal-Wallis test).\n\n"
    f"**{MEASURES['cramers_v']}** for two categories: the association in their cross table, with the bias correction "
    "of Bergsma (2013).\n\n"
    "All go from 0 (no relation of this form) to 1 (one column determines the other), and use the rows in which both "
    "columns have a value. With few rows, a strength above 0 can be chance: about 0.2 is common with 100 rows, 0.06 "
    "with 1,000. A relation is not a cause."
)


def measured(dataset: Dataset) -> ColumnRelations | None:
    """Return the relations for the dataset's target if they have been measured; nothing is started."""
    run = relations.latest(dataset, dataset.roles.get("target"))
    return None if run is None or run.state is not RunState.SUCCEEDED else _stored(run)


def require(dataset: Dataset) -> ColumnRelations | None:
    """Return the relations for the dataset's target; while they are being measured, draw the run and return None."""
    target = dataset.roles.get("target")
    run = relations.latest(dataset, target)
    if run is None:
        relations.submit(dataset, target)
        run = relations.latest(dataset, target)
        assert run is not None
    if run.state is RunState.SUCCEEDED:
        return _stored(run)
    run_view.show_run(run.id)
    if run.state.terminal and st.button("Measure again", icon=":material/refresh:", key=keys.key("relations-again")):
        relations.submit(dataset, target)
        st.rerun()
    return None


def explain() -> None:
    """Draw the explanation of the measures."""
    with st.popover("How strength is measured", icon=":material/help:", type="tertiary", key=keys.key("measures")):
        st.markdown(MEASURE_HELP)


def sample_note(dataset: Dataset, result: ColumnRelations) -> str:
    """Return which rows the relations rest on."""
    if result.rows < dataset.rows:
        return f"Measured on a random sample of {result.rows:,} of {dataset.rows:,} rows."
    return f"Measured on all {result.rows:,} rows."


def _stored(run: Run) -> ColumnRelations:
    return _read(artifacts.get(run.id, relations.FILE, run.workspace).digest)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(digest: str) -> ColumnRelations:
    return ColumnRelations.from_dict(files.read_json(digest))
