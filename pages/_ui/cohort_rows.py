"""The choice of the test rows that a tab reads: all of a search's, or those of one of its saved cohorts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import policies, saved_cohorts
from core.catalog import Dataset, Run
from core.cohorts import Cohort
from pages._ui import address, artifacts, frame, tables

__all__ = ["MIN_ROWS", "RowChoice", "choose", "positions"]

MIN_ROWS = 30
_ALL = "all"


@dataclass(frozen=True)
class RowChoice:
    """The rows that were chosen.

    Parameters
    ----------
    cohort : Cohort or None
        Saved cohort; None for all rows.
    row_ids : array of int or None
        Positions in the table of the rows that belong to the cohort; None for all.
    count : int
        Number of rows that were chosen.
    of : int
        Number of all rows that a page reads.
    what : str, default="test rows"
        Name of the rows.
    """

    cohort: Cohort | None
    row_ids: np.ndarray | None
    count: int
    of: int
    what: str = "test rows"

    @property
    def enough(self) -> bool:
        """Whether these are enough rows to read figures from."""
        return self.cohort is None or self.count >= MIN_ROWS

    @property
    def text(self) -> str:
        """The rows in words, to follow a number."""
        return self.what if self.cohort is None else f"{self.what} where {self.cohort.text}"


def positions(data: str, test: str, cohort: Cohort) -> np.ndarray:
    """Return the positions in the table of the rows that belong to a cohort.

    Parameters
    ----------
    data, test : str
        Digests of the table, and of the predictions of test or other rows, of which those that a page reads count.
    cohort : Cohort
        Conditions on columns of the table.
    """
    return _positions(data, test, cohort)


@st.cache_data(max_entries=50, show_spinner=False)
def _positions(data: str, test: str, cohort: Cohort) -> np.ndarray:
    row_ids = artifacts.predictions(test).frame["row_id"].to_numpy()
    return np.asarray(row_ids[cohort.mask(artifacts.rows_at(data, cohort.columns, row_ids))])


def choose(
    run: Run,
    dataset: Dataset | None,
    *,
    key: str,
    file: str = "test.parquet",
    what: str = "test rows",
    parameter: str = "cohort",
) -> RowChoice:
    """Draw the choice where cohorts are saved with the search, and say how many rows it has.

    Looking at a cohort's test rows counts as a use of them.

    Parameters
    ----------
    run : Run
        Search, or another run that made a model; without saved cohorts nothing is drawn.
    dataset : Dataset or None
        Table of the rows; without it a cohort's columns cannot be read.
    key : str
        Key of the widget.
    file : str, default="test.parquet"
        File of the run with the predictions that are read.
    what : str, default="test rows"
        Name of these rows.
    parameter : str, default="cohort"
        Parameter of the address that holds the choice.
    """
    kept = saved_cohorts.kept(run, access=frame.access())
    digest = artifacts.digests(run).get(file)
    total = 0 if digest is None else len(artifacts.predictions(digest).positions)
    everything = RowChoice(None, None, total, total, what)
    if not kept or dataset is None or digest is None:
        return everything
    shown = address.restore(parameter, [_ALL, *kept], _ALL, key)
    chosen = st.selectbox(
        "Rows",
        [_ALL, *kept],
        format_func=lambda name: f"All {what}" if name == _ALL else kept[name].text,
        key=key,
        width=520,
        help="Cohorts are saved on the tab Where it fails of a search.",
    )
    address.keep(parameter, chosen, shown, key)
    if chosen == _ALL:
        return everything
    cohort = kept[chosen]
    missing = [name for name in cohort.columns if name not in tables.column_names(dataset)]
    if missing:
        frame.show_error(f"The table has no column '{missing[0]}'.", "Choose other rows, or remove the cohort.")
        return RowChoice(cohort, np.zeros(0, dtype=np.intp), 0, total, what)
    row_ids = positions(dataset.data_digest, digest, cohort)
    choice = RowChoice(cohort, row_ids, len(row_ids), total, what)
    counted = ""
    if file == "test.parquet":
        policies.note_read(run, {"cohort": cohort.to_dict()}, access=frame.access())
        counted = " Each cohort that is looked at counts as a use of the test rows."
    if choice.enough:
        st.caption(f"{choice.count:,} of {total:,} {frame.plain(choice.text)}.{counted}")
    else:
        st.warning(
            f"Only {choice.count:,} of {total:,} {what} belong to this cohort: at least {MIN_ROWS} are needed. "
            "Choose other rows.",
            icon=":material/group_off:",
        )
    return choice
