"""The relations between a dataset's columns, measured by a run and read by the tabs and the page of a column."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset, Run, RunState, artifacts
from core.datasets import MEASURES, ColumnRelation, ColumnRelations
from core.tasks import relations
from pages._ui import artifacts as files
from pages._ui import frame, keys, run_view

__all__ = ["DIRECTIONS", "MEASURE_HELP", "explain", "figures", "interval", "measured", "require", "sample_note"]

DIRECTIONS = {-1: "falling", 0: "", 1: "rising"}
MEASURE_HELP = (
    f"**{MEASURES['spearman']}** for two columns of numbers or dates: 1 where one only rises, or only falls, with the "
    "other. It does not see relations that rise and then fall.\n\n"
    f"**{MEASURES['correlation_ratio']}** for a number and a category: the root of the share of the variance of the "
    "ranks that lies between the categories (root of ε², the effect size of the Kruskal-Wallis test).\n\n"
    f"**{MEASURES['cramers_v']}** for two categories: the association in their cross table, with the bias correction "
    "of Bergsma (2013).\n\n"
    "All go from 0 (no relation of this form) to 1 (one column determines the other), and use the rows in which both "
    "columns have a value. In brackets is the 95% interval; where it begins at 0, chance alone can explain the "
    "strength. A relation is not a cause."
)


def measured(dataset: Dataset) -> ColumnRelations | None:
    """Return the relations for the dataset's target if they have been measured; nothing is started."""
    run = relations.latest(dataset, dataset.roles.get("target"), access=frame.access())
    return None if run is None or run.state is not RunState.SUCCEEDED else _stored(run)


def require(dataset: Dataset) -> ColumnRelations | None:
    """Return the relations for the dataset's target; while they are being measured, draw the run and return None."""
    target = dataset.roles.get("target")
    run = relations.latest(dataset, target, access=frame.access())
    if run is None:
        relations.submit(dataset, target, access=frame.access())
        run = relations.latest(dataset, target, access=frame.access())
        assert run is not None
    if run.state is RunState.SUCCEEDED:
        return _stored(run)
    run_view.show_run(run.id)
    if run.state.terminal and st.button("Measure again", icon=":material/refresh:", key=keys.key("relations-again")):
        relations.submit(dataset, target, access=frame.access())
        st.rerun()
    return None


def explain() -> None:
    """Draw the explanation of the measures."""
    with st.popover("How strength is measured", icon=":material/help:", type="tertiary", key=keys.key("measures")):
        st.markdown(MEASURE_HELP)


def figures(pair: ColumnRelation) -> str:
    """Return the strength of a relation with its interval.

    Examples
    --------
    >>> figures(ColumnRelation("x", "y", "spearman", 0.5, 100, 1, 0.326, 0.641))
    '0.50 [0.33, 0.64]'
    """
    return f"{pair.strength:.2f} {interval(pair)}".rstrip()


def interval(pair: ColumnRelation) -> str:
    """Return the interval of a strength, or an empty text where none was measured."""
    return "" if pair.low is None else f"[{pair.low:.2f}, {pair.high:.2f}]"


def sample_note(dataset: Dataset, result: ColumnRelations) -> str:
    """Return which rows the relations rest on."""
    if result.rows < dataset.rows:
        return f"Measured on a random sample of {result.rows:,} of {dataset.rows:,} rows."
    return f"Measured on all {result.rows:,} rows."


def _stored(run: Run) -> ColumnRelations:
    return _read(artifacts.get(run.id, relations.FILE, access=frame.access()).digest)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(digest: str) -> ColumnRelations:
    return ColumnRelations.from_dict(files.read_json(digest))
