"""The tab Correlations: the strength of the relation of all pairs as a heat map, and the strongest pairs."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.charts import fitted
from core.datasets import MEASURES, ColumnRelations
from pages._ui import frame, listing, theme
from pages.data import relations

__all__ = ["show"]

_PAIRS = 100
_MANY = 40  # of intervals at 95%, two are expected to miss
_WEAK = 0.1
_NUMBERS = 14
_CELL = 20
_LARGE_CELL = 34


def show(dataset: Dataset) -> None:
    """Draw the overview, or the run that measures it."""
    result = relations.require(dataset)
    if result is None:
        return
    if not result.pairs:
        st.info("No two columns can be compared: at least two need values that vary.", icon=":material/grid_off:")
        _left_out(result)
        return
    surest = max(result.pairs, key=lambda pair: pair.strength if pair.low is None else pair.low)
    strongest = result.pairs[0]
    if strongest.strength < _WEAK:
        figures = relations.figures(strongest)
        st.markdown(frame.plain(f"No two columns are clearly related: the strongest pair has a strength of {figures}."))
    else:
        figures = f"strength {relations.figures(surest)}, {surest.rows:,} rows"
        st.markdown(frame.plain(f"The surest relation is that of '{surest.one}' and '{surest.other}': {figures}."))
    st.caption(f"{relations.sample_note(dataset, result)} {_shown(result)}")
    relations.explain()
    _heat_map(result)
    _strongest(dataset, result)
    _left_out(result)


def _shown(result: ColumnRelations) -> str:
    compared = len(result.columns) - len(result.left_out)
    if result.all_pairs:
        return f"All pairs of {compared:,} columns are compared."
    return (
        f"Of {compared:,} columns, the {len(result.overview)} with the strongest relations are drawn. "
        "Besides their pairs, each column is compared with the target and with the 5 likely closest columns."
    )


def _heat_map(result: ColumnRelations) -> None:
    order = list(result.overview)
    shown = set(order)
    rows = [
        {
            "one": one,
            "other": other,
            "strength": pair.strength,
            "measure": MEASURES[pair.measure],
            "direction": relations.DIRECTIONS[pair.direction] or "–",
            "interval": relations.interval(pair) or "–",
            "rows": pair.rows,
        }
        for pair in result.pairs
        if {pair.one, pair.other} <= shown
        for one, other in ((pair.one, pair.other), (pair.other, pair.one))
    ]
    size = alt.Step(_CELL if len(order) > _NUMBERS else _LARGE_CELL)
    bold = alt.condition(f"datum.value === {json.dumps(result.target)}", alt.value("bold"), alt.value("normal"))
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("one:N", title=None, scale=alt.Scale(domain=order), axis=_axis(bold, -90)),
        y=alt.Y("other:N", title=None, scale=alt.Scale(domain=order), axis=_axis(bold, 0)),
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            "strength:Q",
            scale=alt.Scale(domain=[0, 1], range=theme.sequential()),
            legend=alt.Legend(title="Strength", orient="top", gradientLength=180, format=".1f"),
        ),
        tooltip=[
            alt.Tooltip("one:N", title="column"),
            alt.Tooltip("other:N", title="and"),
            alt.Tooltip("strength:Q", format=".2f"),
            alt.Tooltip("interval:N", title="95% interval"),
            "measure:N",
            "direction:N",
            alt.Tooltip("rows:Q", format=",", title="rows with both"),
        ],
    )
    layers = [cells]
    if len(order) <= _NUMBERS:
        light, dark = theme.on_sequential()
        layers.append(
            base.mark_text(fontSize=12).encode(
                text=alt.Text("strength:Q", format=".2f"),
                color=alt.condition("datum.strength > 0.5", alt.value(dark), alt.value(light)),
            )
        )
    st.altair_chart(
        alt.layer(*layers).properties(height=size, title=fitted("Related columns stand together")),
        alt=f"Heat map of the strength of the relation between {len(order)} columns; the table below has the pairs",
    )
    notes = [] if result.target is None else [f"The target, {result.target}, is in bold."]
    if len(rows) < len(order) * (len(order) - 1):
        notes.append("Cells off the diagonal are empty where too few rows have both values, or one value only.")
    st.caption(frame.plain(" ".join(notes)))


def _axis(weight: Any, angle: int) -> alt.Axis:
    return alt.Axis(
        labelAngle=angle,
        labelLimit=130,
        labelFontWeight=weight,
        labelOverlap=angle != 0,  # on a narrow screen some names are left out; those of the rows are all there
        labelFlush=False,
        ticks=False,
        domain=False,
    )


def _strongest(dataset: Dataset, result: ColumnRelations) -> None:
    st.subheader("Strongest pairs")
    pairs = result.pairs[:_PAIRS]
    which = f"The strongest {len(pairs)} of {len(result.pairs):,} pairs. " if len(result.pairs) > len(pairs) else ""
    by_chance = (
        "Each interval is that of one pair; among so many pairs, some are strong by chance alone. "
        if len(result.pairs) >= _MANY
        else ""
    )
    st.caption(f"{which}{by_chance}Select a row to open its first column.")
    listing.show(
        pd.DataFrame(
            {
                "Strength": [pair.strength for pair in pairs],
                "95% interval": [relations.interval(pair) or None for pair in pairs],
                "Column": [pair.one for pair in pairs],
                "And": [pair.other for pair in pairs],
                "Measure": [MEASURES[pair.measure] for pair in pairs],
                "Direction": [relations.DIRECTIONS[pair.direction] or None for pair in pairs],
                "Rows": [pair.rows for pair in pairs],
            }
        ),
        [pair.one for pair in pairs],
        key="data-pairs",
        parameter="column",
        query={"dataset": dataset.id},
        height="auto",
        column_config={
            "Strength": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.2f", width="small"),
            "Rows": st.column_config.NumberColumn("Rows with both", format="localized"),
        },
        alt="Strongest pairs of columns, with measure and rows",
    )


def _left_out(result: ColumnRelations) -> None:
    if not result.left_out:
        return
    count = len(result.left_out)
    with st.expander(f"{count:,} column{'s are' if count != 1 else ' is'} not compared", icon=":material/info:"):
        for name, reason in result.left_out.items():
            st.markdown("- " + frame.plain(f"'{name}' {reason}."))
