"""The rows of each site before a study starts: who takes part, and who has too few."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted
from pages._ui import frame, theme
from pages.federated.study_data import MIN_SITE_ROWS, StudyData

__all__ = ["show"]

_BARS = 15
_NAMED = 5


def show(data: StudyData) -> None:
    """Draw the rows by site, and name the sites that are left out."""
    large, small = data.large_sites, data.small_sites
    if not data.rows:
        return
    title = f"{len(large):,} of {len(data.rows):,} sites have at least {MIN_SITE_ROWS} rows and take part"
    if not small:
        title = f"All {len(large):,} sites have at least {MIN_SITE_ROWS} rows and take part"
    ordered = sorted(data.rows.items(), key=lambda item: -item[1])
    table = pd.DataFrame(
        [(site, rows, rows >= MIN_SITE_ROWS) for site, rows in ordered[:_BARS]],
        columns=["site", "rows", "takes part"],
    )
    table["label"] = [f"{rows:,}" for rows in table["rows"]]
    y = alt.Y("site:N", sort=list(table["site"]), title=None, axis=alt.Axis(labelLimit=180))
    base = alt.Chart(table)
    bars = base.mark_bar(height=14).encode(
        y=y,
        x=alt.X("rows:Q", title="Rows", axis=alt.Axis(format=",.0f", tickCount=4)),
        color=alt.condition("datum['takes part']", alt.value(theme.accent()), alt.value(theme.muted())),
        tooltip=["site:N", alt.Tooltip("rows:Q", format=",")],
    )
    texts = base.mark_text(align="left", dx=4, color=theme.text()).encode(y=y, x="rows:Q", text="label:N")
    said = ", ".join(f"{row.site} {row.rows:,}" for row in table.itertuples())
    st.altair_chart(
        (bars + texts).properties(height=alt.Step(22), title=fitted(title)), alt=f"{title}. Rows by site: {said}"
    )
    _notes(data, len(ordered))


def _notes(data: StudyData, count: int) -> None:
    notes = []
    if count > _BARS:
        notes.append(f"The chart shows the largest {_BARS} of {count:,} sites.")
    small = data.small_sites
    if small:
        named = ", ".join(f"{site} ({rows:,})" for site, rows in list(small.items())[:_NAMED])
        more = f" and {len(small) - _NAMED:,} more" if len(small) > _NAMED else ""
        notes.append(f"Left out, with fewer than {MIN_SITE_ROWS} rows: {frame.plain(named)}{more}.")
    without = data.dataset.rows - sum(data.rows.values())
    if not data.tables and without > 0:
        notes.append(f"{without:,} rows have no site and are left out.")
    if notes:
        st.caption(" ".join(notes))
