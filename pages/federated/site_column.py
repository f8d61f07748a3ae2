"""One table with a column of sites: the choice of the table, the target and the column."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset
from pages._ui import address, artifacts, frame, lookups, tables
from pages.federated.study_data import StudyData

__all__ = ["choose"]

_MOST_SITES = 200


def choose(by_id: dict[str, Dataset]) -> StudyData | None:
    """Let the user choose; return None until there is a target."""
    first, second, third = st.columns(3, gap="medium")
    with first:
        dataset = by_id[_dataset(by_id)]
    columns = tables.profile(dataset.profile_digest)["columns"]
    names = [column["name"] for column in columns]
    with second:
        target = _target(dataset, names)
    with third:
        offered = [column["name"] for column in columns if 2 <= column["distinct"] <= _MOST_SITES]
        sites = _sites(dataset, offered)
    if target is None:
        st.caption("Choose the column to predict.")
        return None
    missing = ""
    if sites is None:
        missing = "Choose the column of sites."
        if not [name for name in offered if name != target]:
            missing = f"No column has 2 to {_MOST_SITES} values that could be sites. Choose another table."
    elif sites == target:
        missing = "The target cannot be the column of sites. Choose another one."
    return StudyData(
        dataset,
        target,
        tables.target_summary(dataset, target),
        [name for name in names if name not in (target, sites)],
        {} if sites is None else _rows(dataset, sites),
        sites,
        missing=missing,
    )


def _dataset(by_id: dict[str, Dataset]) -> str:
    key = "federated-dataset"
    shown = address.restore("dataset", list(by_id), next(iter(by_id)), key)
    chosen: str = st.selectbox(
        "Dataset",
        list(by_id),
        format_func=lambda item: lookups.dataset_title(by_id[item]),
        key=key,
    )
    if chosen != shown:  # its columns are others, so what the address says of them goes
        kept = {name: st.query_params[name] for name in ("from", "algorithm") if name in st.query_params}
        address.set_query(**kept, dataset=chosen)
    address.keep("dataset", chosen, st.query_params.get("dataset", shown), key)
    return chosen


def _target(dataset: Dataset, names: list[str]) -> str | None:
    key, stored = f"federated-target-{dataset.id}", dataset.roles.get("target")
    shown = address.restore_optional("target", names, stored if stored in names else None, key)
    target: str | None = st.selectbox("Target", names, index=None, placeholder="The column to predict", key=key)
    address.keep("target", target, shown, key)
    return target


def _sites(dataset: Dataset, offered: list[str]) -> str | None:
    key = f"federated-sites-{dataset.id}"
    shown = address.restore_optional("sites", offered, None, key)
    sites: str | None = st.selectbox(
        "Column of sites",
        offered,
        index=None,
        placeholder="Its values are the sites",
        help=f"A column with 2 to {_MOST_SITES} values, such as the hospital, branch or country that a row comes from. "
        "The model does not use it.",
        key=key,
    )
    address.keep("sites", sites, shown, key)
    return sites


def _rows(dataset: Dataset, column: str) -> dict[str, int]:
    """Return the number of rows by value, most first: of the profile, or counted where it does not have all."""
    profile = next(item for item in tables.profile(dataset.profile_digest)["columns"] if item["name"] == column)
    top = {str(value): int(count) for value, count in profile["top"]}
    if len(top) == profile["distinct"]:
        return top
    with frame.errors_shown():
        counts = artifacts.value_counts(dataset.data_digest, column).counts
        return {str(value): int(count) for value, count in counts.items()}
    return top
