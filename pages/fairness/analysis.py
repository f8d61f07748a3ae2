"""The rows that the page analyzes, and the widgets that both of its sources share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Dataset, Run
from core.cohorts import Cohort
from core.datasets import StoredRows
from core.fairness import MIN_GROUP_SIZE, MitigationSettings, ScoreTable, as_groups, score_table
from core.favorable import favorable_outcome
from pages._ui import address, frame, tables

__all__ = [
    "Analysis",
    "GroupChoice",
    "Predictions",
    "choose_favorable",
    "choose_groups",
    "group_columns",
    "sampled",
    "short_texts",
    "state_key",
]

_LONGEST_LABEL = 1_000
_BINS = MitigationSettings.model_fields["bins"].default


@dataclass(frozen=True)
class Predictions:
    """Rows with their labels and predictions.

    Parameters
    ----------
    truth, predicted : array of shape (n,)
        Whether the label is the positive one, or numbers.
    score : array of shape (n,) or None
        Score of the positive label.
    groups : DataFrame of shape (n, columns)
        Sensitive columns.
    weight : array of shape (n,) or None, default=None
        Weight of each row, where the search has a weight column.
    """

    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray | None
    groups: pd.DataFrame
    weight: np.ndarray | None = None

    def score_table(self, min_group_size: int, *, weighted: bool = True) -> ScoreTable:
        """Return the scores by group, sorted once; without weights it counts rows."""
        if self.score is None:
            raise ValueError("These rows have no scores.")
        weight = self.weight if weighted else None
        return score_table(self.truth, self.score, self.groups, min_group_size=min_group_size, sample_weight=weight)


@dataclass(frozen=True)
class Analysis:
    """The rows that the page analyzes.

    Parameters
    ----------
    key : str
        Key of caches; it changes whenever anything else here does.
    title : str
        Title of the model or table.
    run : Run or None
        Run that trained the model; None for a table with its own predictions.
    dataset : Dataset
        Table of the rows.
    positive : str or None
        The favorable outcome, which the rates are about; None for numbers.
    sensitive : tuple of str
        Sensitive columns.
    test : Predictions
        Rows that the metrics are about.
    calibration : Predictions or None
        Rows to fit thresholds on; None without scores.
    min_group_size : int
        Rows that a group needs to be compared.
    weight : str or None, default=None
        Column whose weights the rows count by.
    holdout : Predictions or None, default=None
        Rows to check thresholds on, where those are not the ones that the metrics are about: a table's own decisions
        are all compared, and only thresholds need rows of their own.
    notes : tuple of str, default=()
        Phrases on how the rows were read.
    sample : tuple of int, optional
        Number of the calibration rows, and of those that they are a sample of; None where they are all.
    decisions_only : bool, default=False
        Whether there are no true outcomes: `test.truth` repeats the decisions then.
    cohort : Cohort or None, default=None
        Saved cohort that the rows are of; None for all rows. Rules and models are for all rows, so none is made then.
    """

    key: str
    title: str
    run: Run | None
    dataset: Dataset
    positive: str | None
    sensitive: tuple[str, ...]
    test: Predictions
    calibration: Predictions | None
    min_group_size: int
    weight: str | None = None
    holdout: Predictions | None = None
    notes: tuple[str, ...] = ()
    sample: tuple[int, int] | None = None
    decisions_only: bool = False
    cohort: Cohort | None = None

    @property
    def check(self) -> Predictions:
        """Rows that a rule is checked on, which it was not fitted on."""
        return self.test if self.holdout is None else self.holdout


@dataclass(frozen=True)
class GroupChoice:
    """The chosen sensitive columns, the bins of numeric ones, and the smallest group that is compared."""

    columns: tuple[str, ...]
    bins: int
    min_group_size: int


def choose_groups(names: list[str], default: list[str], key: str) -> GroupChoice:
    """Draw the choice of sensitive columns, and of how groups are made of them."""
    widget = f"fairness-columns-{key}"
    shown = address.restore_several("groups", names, [name for name in default if name in names][:1], widget)
    chosen = st.multiselect(
        "Sensitive columns",
        names,
        placeholder="Columns whose groups are compared",
        help="Several columns are intersected: each combination is a group.",
        key=widget,
    )
    address.keep_several("groups", chosen, shown, widget)
    with st.popover("Groups", icon=":material/tune:", key="fairness-groups"):
        bins = st.number_input(
            "Bins for numeric columns",
            2,
            20,
            _BINS,
            key="fairness-bins",
            help="Groups of about equal size, such as of age.",
        )
        min_group_size = st.number_input(
            "Minimum group size",
            0,
            10_000,
            MIN_GROUP_SIZE,
            key="fairness-min-group-size",
            help="Smaller groups are shown, but not compared.",
        )
    return GroupChoice(tuple(chosen), int(bins), int(min_group_size))


def group_columns(columns: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Return sensitive columns with their numbers in bins."""
    return pd.DataFrame({name: as_groups(columns[name], bins) for name in columns.columns})


def short_texts(dataset: Dataset, columns: Sequence[str]) -> bool:
    """Return whether the texts of columns are short enough to be labels; if not, say so."""
    for column in tables.profile(dataset.profile_digest)["columns"]:
        longest = column["lengths"].get("max", 0)
        if column["name"] in columns and longest > _LONGEST_LABEL:
            frame.show_error(
                f"'{column['name']}' has texts of up to {longest:,} characters.", "Choose a column of categories."
            )
            return False
    return True


def sampled(rows: StoredRows, what: str) -> str:
    """Return the phrase that says how many rows were drawn of how many.

    Examples
    --------
    >>> sampled(StoredRows(pd.DataFrame(), np.arange(2), 3), "test rows")
    'a random sample of 2 of 3 test rows'
    """
    return f"a random sample of {len(rows.positions):,} of {rows.total:,} {what}"


def choose_favorable(labels: Sequence[str], key: str, *, chosen: str | None = None) -> str | None:
    """Draw the choice of the favorable outcome; None until a known word or the user decides.

    Parameters
    ----------
    labels : sequence of str
        Outcomes to choose from.
    key : str
        Key of the widget.
    chosen : str, optional
        Positive class that was chosen for the search.
    """
    suggestion = favorable_outcome(labels)
    default = chosen if chosen in labels else None if suggestion is None else str(suggestion.label)
    widget = f"fairness-positive-{key}"
    shown = address.restore_optional("favorable", labels, default, widget)
    outcome = st.selectbox(
        "Favorable outcome",
        labels,
        index=None,
        placeholder="Which outcome is good for the person?",
        help="The outcome that rates are about, such as being invited. Of several outcomes: this one against the rest.",
        key=widget,
    )
    address.keep("favorable", outcome, shown, widget)
    if outcome is None:
        st.info("Choose the outcome that is good for the person. Groups are compared by it.", icon=":material/rule:")
    elif outcome == chosen:
        st.caption("The positive class of the search.")
    elif suggestion is not None and outcome == suggestion.label:
        other = "" if suggestion.certain else " Choose another one if that is not good for the person."
        st.caption(f":material/lightbulb: {frame.plain(suggestion.reason)}{other}")
    return outcome


def state_key(analysis: Analysis, name: str) -> str:
    """Return the key of a value that the session keeps for this analysis."""
    return f"{name}/{analysis.key}"
