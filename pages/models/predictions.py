"""The distribution of predictions, and the first of them, without holding the whole file in memory."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.datasets import count_values, iter_numbers, store_frame
from core.spreadsheet import write_csv
from core.tasks.score import ScoredFile, top_rows
from pages._ui import artifacts, downloads, frame, numbers
from pages.models import charts

__all__ = ["show_distribution", "show_rows", "show_top"]

_BINS = 40
_CLOSE = slice(16, 24)  # the bins from 0.4 to 0.6
_ROWS = 200
_OWN_NAME = " (model)"  # what scoring adds where the file has a column of the same name
_MAX_LABELS = 30
_MOST_LABELS = 1_000_000  # a model has fewer classes


def show_distribution(path: str, scored: ScoredFile) -> None:
    """Draw how often each label was predicted, and the probabilities."""
    prediction, *others = scored.columns
    scores = [name for name in others if name.startswith("p(")]
    if not scores:
        edges, counts = _binned(path, prediction, unit=False)
        span = f"from {numbers.rounded(edges[0])} to {numbers.rounded(edges[-1])}"
        charts.histogram(edges, counts, "Prediction", f"{sum(counts):,} predictions, {span}")
        return
    counted = _counts(path, prediction)
    total = sum(count for _, count in counted)
    label, highest = counted[0]
    left, right = st.columns(2, gap="medium")
    with left:
        charts.shares(dict(counted[:_MAX_LABELS]), f"{highest / max(total, 1):.1%} are predicted to be {label}")
        if len(counted) > _MAX_LABELS:
            st.caption(f"The {_MAX_LABELS} most frequent of {len(counted):,} labels.")
        _decisions(path, others)
    with right:
        name = scores[-1]
        if len(scores) > 2:
            name = st.selectbox("Probability of", scores, format_func=_label, key="models-spread")
        edges, counts = _binned(path, name, unit=True)
        title = f"{sum(counts[_CLOSE]) / max(sum(counts), 1):.1%} are close calls, between 0.4 and 0.6"
        charts.histogram(
            edges,
            counts,
            f"Probability of {_label(name)}",
            title if len(scores) == 2 else f"Distribution of the probability of {_label(name)}",
        )


def _label(column: str) -> str:
    """Return the label that a column of probabilities is about.

    Examples
    --------
    >>> _label("p(>50K)"), _label("p(a (b)) (model)")
    ('>50K', 'a (b)')
    """
    while column.endswith(_OWN_NAME):
        column = column.removesuffix(_OWN_NAME)
    return column[2:-1]


def _decisions(path: str, others: list[str]) -> None:
    decision = next((name for name in others if name.startswith("decision")), None)
    if decision is None:
        return
    counts = {
        {"1": "selected", "0": "not selected"}.get(value, value): count for value, count in _counts(path, decision)
    }
    total = sum(counts.values())
    charts.shares(counts, f"The policy selects {counts.get('selected', 0) / max(total, 1):.1%}")


@st.cache_data(max_entries=30, show_spinner=False)
def _counts(path: str, name: str) -> list[tuple[str, int]]:
    """Return each value with its number of rows, the most frequent first."""
    counted = count_values(path, name, max_values=_MOST_LABELS)
    counts: Counter[str] = Counter({"no prediction": counted.missing} if counted.missing else {})
    for value, count in counted.counts.items():
        counts[str(value)] += int(count)
    return counts.most_common()


@st.cache_data(max_entries=30, show_spinner=False)
def _binned(path: str, name: str, *, unit: bool) -> tuple[list[float], list[int]]:
    """Return edges and counts of a column's finite values, between 0 and 1 or between its own minimum and maximum."""
    low, high = (0.0, 1.0) if unit else _ends(path, name)
    edges = np.linspace(low, high, _BINS + 1)
    counts = sum((np.histogram(values, edges)[0] for values in _values(path, name)), np.zeros(_BINS, int))
    return edges.tolist(), counts.tolist()


def _ends(path: str, name: str) -> tuple[float, float]:
    parts = [values for values in _values(path, name) if len(values)]
    low, high = min((part.min() for part in parts), default=0.0), max((part.max() for part in parts), default=1.0)
    return float(low), float(high) if high > low else float(low) + 1.0


def _values(path: str, name: str) -> Iterator[NDArray[np.float64]]:
    for values in iter_numbers(path, name):
        yield values[np.isfinite(values)]


def show_top(path: str, scored: ScoredFile) -> None:
    """Draw the rows with the highest ranks, with their decisions, and offer them as a file."""
    assert scored.ranked_by is not None
    count = st.number_input("Take the top", 1, _ROWS, min(50, _ROWS), step=10, key="models-top", width=180)
    table = top_rows(Path(path), scored.ranked_by, int(count), max_chars=artifacts.CELL_CHARS)
    added = [name for name in scored.columns if name in table.columns]
    others = [name for name in table.columns[1:] if name not in added]
    names = [table.columns[0], *added, *others]
    decision = next((name for name in added if name.startswith("decision")), None)
    selected = "" if decision is None else f"; the rule selects {int(table[decision].eq(1).sum()):,} of them"
    st.caption(f"The top {len(table):,} of {scored.rows:,} rows by {frame.plain(scored.ranked_by)}{selected}.")
    st.dataframe(
        table[names],
        hide_index=True,
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format="%.4f") for name in added if name.startswith("p(")},
        alt="The rows with the highest ranks",
    )
    downloads.button(
        f"Top {len(table):,} (CSV)",
        lambda: _csv(top_rows(Path(path), str(scored.ranked_by), int(count))[names]),
        file_name=f"top {len(table)}.csv",
        mime="text/csv",
        icon=":material/download:",
        key="models-download-top",
        on_click="ignore",
    )
    downloads.csv_note()


def _csv(table: pd.DataFrame) -> bytes:
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        stored = store_frame(table, Path(folder) / "top.parquet")
        return write_csv(stored, Path(folder) / "top.csv").read_bytes()


def show_rows(path: str, scored: ScoredFile) -> None:
    """Draw the first rows, with the predictions in front."""
    rows = artifacts.first_rows(Path(path), _ROWS)
    shown, added, cut = rows.frame, scored.columns, artifacts.cut_note(rows)
    st.caption(
        f"The first {len(shown):,} of {scored.rows:,} rows, with the columns that the model added in front. {cut}"
    )
    st.dataframe(
        shown[[*added, *(name for name in shown.columns if name not in added)]],
        hide_index=True,
        placeholder="–",
        column_config={name: st.column_config.NumberColumn(format="%.4f") for name in added if name.startswith("p(")},
        alt="The first scored rows",
    )
