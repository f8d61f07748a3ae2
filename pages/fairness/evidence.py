"""What the page works on, and the widgets and readers that both of its sources use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Dataset, Run
from core.fairness import as_groups

__all__ = [
    "Evidence",
    "Side",
    "group_columns",
    "positive_label",
    "sensitive_columns",
    "state",
]


@dataclass(frozen=True)
class Side:
    """Rows with their truth: `truth` and `decided` are yes or no, or numbers; `score` is of the positive label."""

    truth: np.ndarray
    decided: np.ndarray
    score: np.ndarray | None
    groups: pd.DataFrame


@dataclass(frozen=True)
class Evidence:
    """What the page works on.

    Parameters
    ----------
    key : str
        Changes whenever anything in it does; caches go by it.
    positive : str or None
        The positive label; None for numbers.
    test : Side
        Rows that the figures are about.
    fit : Side or None
        Other rows, to find thresholds on; None without scores.
    """

    key: str
    title: str
    run: Run | None
    dataset: Dataset
    positive: str | None
    sensitive: tuple[str, ...]
    test: Side
    fit: Side | None
    min_rows: int


def sensitive_columns(names: list[str], default: list[str], key: str) -> tuple[tuple[str, ...], int, int]:
    """Draw the choice of columns, and how groups are made of them."""
    chosen = st.multiselect(
        "Sensitive columns",
        names,
        default=[name for name in default if name in names][:1],
        placeholder="Whose groups to compare",
        help="Several columns are intersected: each combination is a group.",
        key=f"fairness-columns-{key}",
    )
    with st.popover("Groups", icon=":material/tune:", key="fairness-groups"):
        bins = st.number_input(
            "Groups of a number", 2, 20, 4, key="fairness-bins", help="Of about equal size, such as of age."
        )
        least = st.number_input(
            "Rows a group needs",
            0,
            10_000,
            30,
            key="fairness-min-group-size",
            help="Smaller groups are shown, and not compared.",
        )
    return tuple(chosen), int(bins), int(least)


def group_columns(columns: pd.DataFrame, bins: int) -> pd.DataFrame:
    return pd.DataFrame({name: as_groups(columns[name], bins) for name in columns.columns})


def positive_label(labels: list[str], key: str) -> str:
    return st.selectbox(
        "Positive label",
        labels,
        index=len(labels) - 1,
        help="The outcome that being selected means. With several classes: this one against the rest.",
        key=f"fairness-positive-{key}",
    )


def state(evidence: Evidence, name: str) -> str:
    """Return the key of something that the session keeps for this evidence."""
    return f"{name}/{evidence.key}"
