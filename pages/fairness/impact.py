"""Impact ratios: selection rates beside the highest, as a table that can be filed."""

from __future__ import annotations

import streamlit as st

from core.fairness import IMPACT_CITATION, GroupMetrics, impact_ratios

__all__ = ["show"]

_TABLE_HEIGHT = 480
_TABLE_ROWS = 15


def show(metrics: GroupMetrics) -> None:
    """Draw the table of impact ratios."""
    table = impact_ratios(metrics)
    st.markdown("#### Impact ratios")
    shown = table.assign(
        selection_rate=100 * table["selection_rate"],
        below_four_fifths=table["below_four_fifths"].map({True: "below 0.80", False: ""}),
        small=table["small"].map({True: "small group", False: ""}),
    ).rename(
        columns={
            "group": "Group",
            "applicants": "Applicants",
            "selected": "Selected",
            "selection_rate": "Selection rate (%)",
            "impact_ratio": "Impact ratio",
            "below_four_fifths": "Four fifths",
            "small": "Note",
        }
    )
    if shown["Selected"].isna().all():  # rows are weighted
        shown = shown.drop(columns="Selected")
    if not table["small"].any():
        shown = shown.drop(columns="Note")
    count = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        shown,
        hide_index=True,
        height="content" if len(shown) <= _TABLE_ROWS else _TABLE_HEIGHT,
        column_config={
            "Applicants": count,
            "Selected": count,
            "Selection rate (%)": st.column_config.NumberColumn(format="%.1f"),
            "Impact ratio": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Applicants, selected, selection rate and impact ratio of each group",
    )
    st.caption(
        "The impact ratio is a group's selection rate divided by the highest rate of the groups with enough rows and "
        "2% of all. "
        f"Ratios below 0.80 are looked at by {IMPACT_CITATION}; it decides nothing by itself."
    )
