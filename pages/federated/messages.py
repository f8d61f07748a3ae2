"""The Messages tab: everything that left a site, by kind and by site, and the full log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Run
from core.federated import MESSAGES
from pages._ui import artifacts, downloads, frame, numbers

__all__ = ["show"]

_FILE = "messages.parquet"
_TABLE_ROWS = 15
_TABLE_HEIGHT = 420
_KB = 1_000


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the messages by kind and by site, and the download of the log."""
    total = record["bytes"]
    sites = max(1, len(record["sites"]))
    st.markdown(
        f"**{total['messages']:,} messages: {numbers.size(total['received'])} left the {sites:,} sites, and "
        f"{numbers.size(total['sent'])} went to them**"
    )
    st.caption(
        "There are no other messages: only these carry information from one site to another. A masked answer is "
        "unreadable by itself; only the sum over all sites can be read."
    )
    digest = artifacts.digests(run)[_FILE]
    stored = artifacts.sample(digest)
    note = artifacts.sample_note(stored, "messages")
    if note:
        st.caption(note)
    log = stored.frame
    _by_kind(log)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        _by_site(log)
    with right:
        _download(run)


def _by_kind(log: pd.DataFrame) -> None:
    by_kind = {str(name): rows for name, rows in log.groupby("kind", sort=False)}
    order = [name for name in MESSAGES if name in by_kind] + [name for name in by_kind if name not in MESSAGES]
    table = pd.DataFrame(
        {
            "Messages": [f"{len(by_kind[name]):,}" for name in order],
            "From sites": [numbers.size(int(by_kind[name]["received"].sum())) for name in order],
            "To sites": [numbers.size(int(by_kind[name]["sent"].sum())) for name in order],
            "Masked": ["yes" if by_kind[name]["masked"].all() else "–" for name in order],
        },
        index=pd.Index([_described(name) for name in order], name="What leaves a site"),
    )
    st.table(table, border="horizontal", alt="Kinds of messages: what leaves a site, number, bytes")


def _described(name: str) -> str:
    """Return the title of a kind of message and what leaves a site with it, as Markdown."""
    if name not in MESSAGES:
        return f"**{frame.plain(name)}**"
    return f"**{MESSAGES[name].title}**: {frame.plain(MESSAGES[name].leaves)}"


def _by_site(log: pd.DataFrame) -> None:
    st.markdown("**By site**")
    grouped = log.groupby("site", sort=True)
    table = pd.DataFrame(
        {
            "Site": list(grouped.groups),
            "Messages": grouped.size().to_numpy(),
            "From the site": _kilobytes(grouped["received"].sum()),
            "To the site": _kilobytes(grouped["sent"].sum()),
            "Unanswered": grouped["received"].apply(lambda sizes: int((sizes == 0).sum())).to_numpy(),
        }
    )
    if not table["Unanswered"].any():
        table = table.drop(columns="Unanswered")
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _TABLE_ROWS else _TABLE_HEIGHT,
        column_config={
            "Site": st.column_config.TextColumn(pinned=True),
            "Messages": st.column_config.NumberColumn(format="localized"),
            "From the site": st.column_config.NumberColumn("From the site (kB)", format="localized"),
            "To the site": st.column_config.NumberColumn("To the site (kB)", format="localized"),
        },
        alt="Messages and bytes by site",
    )


def _kilobytes(sizes: pd.Series) -> list[float]:
    """Return bytes as kilobytes, with a decimal where all are small."""
    values = sizes / _KB
    return list(values.round(1 if values.max() < _KB else 0))


def _download(run: Run) -> None:
    st.markdown("**Full log**")
    st.caption("One row per message: its number, kind, site, round, bytes both ways, and whether it was masked.")
    downloads.button(
        "Messages (CSV)",
        lambda: downloads.csv_of(artifacts.path_of(run, _FILE)),
        file_name=downloads.file_name(f"{run.title} messages", ".csv"),
        mime="text/csv",
        icon=":material/csv:",
        key="federated-download-messages",
        on_click="ignore",
    )
    downloads.csv_note()
