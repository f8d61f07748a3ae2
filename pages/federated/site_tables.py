"""A table per site: the choice of the tables, the names of the sites and the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from core.catalog import Dataset
from core.datasets import TargetSummary
from pages._ui import address, distinct, frame, lookups, tables
from pages.federated.study_data import StudyData

__all__ = ["choose"]

_MOST_TABLES = 50
_NAMED = 5
_LONGEST_NAME = 60


def choose(by_id: dict[str, Dataset]) -> StudyData | None:
    """Let the user choose; return None until there are two tables with a target in common."""
    labels = distinct.labels({key: lookups.dataset_title(dataset) for key, dataset in by_id.items()})
    key = "federated-tables"
    shown = address.restore_several("table", list(by_id), [], key)
    chosen = st.multiselect(
        "Datasets",
        list(by_id),
        format_func=labels.__getitem__,
        placeholder="The tables of the sites",
        max_selections=_MOST_TABLES,
        help="Tables with the same columns, such as those of several hospitals or branches.",
        key=key,
    )
    address.keep_several("table", chosen, shown, key)
    if len(chosen) < 2:
        st.caption("Choose at least two tables, one per site.")
        return None
    names = _site_names([by_id[item] for item in chosen])
    shared = _shared_columns([by_id[item] for item in chosen])
    if not shared:
        st.warning("These tables have no column in common. Choose others.", icon=":material/table_chart:")
        return None
    target = _target(by_id[chosen[0]], shared)
    if target is None:
        st.caption("Choose the column to predict.")
        return None
    by_site = {name: by_id[item] for name, item in zip(names, chosen, strict=True)}
    return StudyData(
        by_id[chosen[0]],
        target,
        _summary([by_id[item] for item in chosen], target),
        [name for name in shared if name != target],
        {name: dataset.rows for name, dataset in by_site.items()},
        tables=by_site,
        missing=_missing(names),
    )


def _site_names(chosen: Sequence[Dataset]) -> list[str]:
    """Let the user name the sites, at first like their tables."""
    names = []
    with st.grid(3, min_column_width=240):
        for dataset in chosen:
            name = st.text_input(
                frame.plain(f"Site of {lookups.dataset_title(dataset)}"),
                dataset.name[:_LONGEST_NAME],
                max_chars=_LONGEST_NAME,
                key=f"federated-site-{dataset.id}",
            )
            names.append(name.strip())
    return names


def _missing(names: Sequence[str]) -> str:
    if not all(names):
        return "Give each site a name."
    twice = [name for name, count in Counter(names).items() if count > 1]
    return f"Several sites are called '{twice[0]}'. Give each site a name of its own." if twice else ""


def _shared_columns(chosen: Sequence[Dataset]) -> list[str]:
    """Return the columns that all tables have, and say which are not among them."""
    columns = [tables.column_names(dataset) for dataset in chosen]
    shared = [name for name in columns[0] if all(name in names for names in columns)]
    others = list(dict.fromkeys(name for names in columns for name in names if name not in shared))
    if others and shared:
        more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
        st.caption(
            f"{len(shared):,} columns are in all tables. Left out: {frame.plain(', '.join(others[:_NAMED]))}{more}."
        )
    return shared


def _target(first: Dataset, shared: list[str]) -> str | None:
    key, stored = "federated-target-of-tables", first.roles.get("target")
    options = [None, *shared]
    if st.session_state.get(key) not in options:  # a table was added that does not have it
        st.session_state.pop(key, None)
    shown = address.restore_optional("target", shared, stored if stored in shared else None, key)
    target: str | None = st.selectbox(
        "Target", shared, index=None, placeholder="The column to predict", key=key, width=360
    )
    address.keep("target", target, shown, key)
    return target


def _summary(chosen: Sequence[Dataset], target: str) -> TargetSummary:
    """Return the summary of the target over all tables; the task is that of the first."""
    summaries = [tables.target_summary(dataset, target) for dataset in chosen]
    counts: Counter[str] = Counter()
    for summary in summaries:
        counts.update(_as_counts(summary.counts))
    task = summaries[0].task
    if task != "regression":
        task = "binary" if len(counts) == 2 else "multiclass"
    return TargetSummary(
        task,
        sum(summary.rows for summary in summaries),
        sum(summary.missing for summary in summaries),
        max(len(counts), *(summary.distinct for summary in summaries)),
        dict(counts.most_common()),
        all(summary.exact for summary in summaries),
    )


def _as_counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(label): int(rows) for label, rows in counts.items()}
