"""The page of one column: distribution, summary, relation to the target, most similar columns, role."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import MEASURES, ColumnRelation, ColumnRelations
from core.errors import NotFoundError
from core.jsonable import JsonObject
from pages._ui import address, frame, header, listing, numbers, tables
from pages.data import calls, column_charts, relations, roles

__all__ = ["show"]

_SIMILAR = 10
_LIMIT = "A column of a table with more than 60 is compared with the 5 that are likely to be closest."


def show(dataset: Dataset, name: str) -> None:
    """Draw one column of a dataset."""
    back = {"dataset": dataset.id}
    columns = tables.profile(dataset.profile_digest)["columns"]
    names = [column["name"] for column in columns]
    with header.lookup("Column", back="All columns", query=back):
        if name not in names:
            raise NotFoundError(f"'{dataset.name}' has no such column.", "Choose one of its columns.")
    position = names.index(name)
    column = columns[position]
    facts = (
        f"Column {position + 1:,} of {len(names):,} of {frame.plain(dataset.name)} · {column['kind']} · "
        f"stored as {column['dtype']}"
    )
    with header.show_object(name, back="All columns", query=back, facts=facts, tab=f"{name} · {dataset.name}"):
        _step("Previous column", ":material/chevron_left:", "previous", dataset, names, position - 1)
        _step("Next column", ":material/chevron_right:", "next", dataset, names, position + 1)
    _summary(column)
    roles.of_column(dataset, name)
    related = dataset.roles.get("target") not in (None, name)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Distribution")
        column_charts.distribution(column)
        if related:
            _quantiles(column)
    with right:
        if not related:
            _quantiles(column)
        if dataset.roles.get("target") is None:
            calls.choose_target(dataset, "With a target, the relation of this column to it is measured.")
        result = relations.require(dataset)
        if result is not None:
            _target(name, result)
    if result is not None:
        _similar(dataset, name, result)


def _step(label: str, icon: str, key: str, dataset: Dataset, names: list[str], position: int) -> None:
    inside = 0 <= position < len(names)
    st.button(
        label,
        icon=icon,
        key=f"data-column-{key}",
        disabled=not inside,
        on_click=address.set_query,
        kwargs={"dataset": dataset.id, "column": names[position] if inside else ""},
    )


def _summary(column: JsonObject) -> None:
    """Draw the figures of a column as tiles."""
    known = column["rows"] - column["missing"]
    figures: dict[str, str] = {}
    if column["mean"] is not None:
        figures["Mean"] = column_charts.value_text(column["mean"])
    if "0.5" in column["quantiles"]:
        figures["Median"] = column_charts.value_text(column["quantiles"]["0.5"])
    if column["minimum"] is not None:
        figures["Minimum"] = column_charts.value_text(column["minimum"])
        figures["Maximum"] = column_charts.value_text(column["maximum"])
    if column["std"] is not None:
        figures["Standard deviation"] = column_charts.value_text(column["std"])
    if not figures and column["top"]:
        value, count = column["top"][0]
        figures[f"Most frequent ({numbers.percent(count / max(known, 1))})"] = str(value)
    if column["lengths"]:
        shortest, mean, longest = (column["lengths"][name] for name in ("min", "mean", "max"))
        figures[f"Characters (mean {mean:,.0f})"] = " to ".join(
            dict.fromkeys(f"{length:,.0f}" for length in (shortest, longest))
        )
    figures["Distinct values"] = f"{'' if column['distinct_exact'] else 'about '}{column['distinct']:,}"
    figures["Missing"] = f"{column['missing']:,} ({numbers.percent(column['missing'] / max(column['rows'], 1))})"
    with st.container(horizontal=True, key="data-column-summary"):
        for label, value in figures.items():
            st.metric(label, frame.plain(value), border=True, width="content")


def _quantiles(column: JsonObject) -> None:
    if not column["quantiles"]:
        return
    levels = {"Minimum": column["minimum"]}
    levels |= {f"{100 * float(level):.0f}%": value for level, value in column["quantiles"].items()}
    levels |= {"Maximum": column["maximum"]}
    levels = {"Median (50%)" if level == "50%" else level: value for level, value in levels.items()}
    st.dataframe(
        pd.DataFrame({"Quantile": list(levels), "Value": [column_charts.value_text(item) for item in levels.values()]}),
        hide_index=True,
        height="content",
        column_config={"Value": st.column_config.TextColumn(alignment="right")},
        alt="Quantiles of the column",
    )


def _target(name: str, result: ColumnRelations) -> None:
    target = result.target
    if target is None:
        return
    if target == name:
        st.caption("This is the target. The columns that are related to it most are listed below.")
        return
    st.subheader(frame.plain(f"Relation to {target}"))
    relation = result.between(name, target)
    if relation is not None:
        st.metric(
            "Strength, from 0 to 1",
            f"{relation.strength:.2f}",
            relations.interval(relation) or None,
            delta_color="off",
            delta_arrow="off",
            help="With its 95% interval. Where that begins at 0, chance alone can explain the strength.",
        )
        st.caption(f"{_measure(relation)}; {relation.rows:,} rows with both values.")
    else:
        reason = result.left_out.get(name) or result.left_out.get(target)
        whose = name if name in result.left_out else target
        st.caption(
            frame.plain(
                f"No strength is measured: '{whose}' {reason}."
                if reason
                else "No strength can be measured: too few rows have both values, or one value only."
            )
        )
    by_bins = result.targets.get(name)
    if by_bins is not None:
        label = _class(by_bins.hits, target) if by_bins.hits else None
        column_charts.target_by_bins(by_bins, column=name, target=target, label=label)


def _class(hits: Mapping[str, tuple[int, ...]], target: str) -> str | None:
    """Let the user choose a class: the rarer one of two, otherwise the most frequent one, is drawn first."""
    totals = {label: sum(counts) for label, counts in hits.items()}
    ordered = sorted(totals, key=lambda label: totals[label])
    if len(ordered) > 2:
        ordered = ordered[::-1]
    return st.selectbox(f"Class of {frame.plain(target)}", ordered, key="data-column-class", width=240)


def _measure(pair: ColumnRelation) -> str:
    return ", ".join(filter(None, (MEASURES[pair.measure], relations.DIRECTIONS[pair.direction])))


def _similar(dataset: Dataset, name: str, result: ColumnRelations) -> None:
    pairs = [pair for pair in result.of(name) if pair.partner(name) != result.target][:_SIMILAR]
    st.subheader("Most related columns" if name == result.target else "Most similar columns")
    if not pairs:
        reason = f"'{name}' {result.left_out[name]}" if name in result.left_out else "no other column can be compared"
        st.caption(frame.plain(f"None: {reason}."))
        return
    limit = "" if result.all_pairs or name == result.target else f" {_LIMIT}"
    st.caption(f"{relations.sample_note(dataset, result)}{limit} Select a row to open it.")
    partners = [pair.partner(name) for pair in pairs]
    listing.show(
        pd.DataFrame(
            {
                "Column": partners,
                "Strength": [pair.strength for pair in pairs],
                "95% interval": [relations.interval(pair) or None for pair in pairs],
                "Measure": [_measure(pair) for pair in pairs],
                "Rows": [pair.rows for pair in pairs],
            }
        ),
        partners,
        key="data-column-similar",
        parameter="column",
        query={"dataset": dataset.id},
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Strength": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.2f", width="small"),
            "Rows": st.column_config.NumberColumn(format="localized", width="small"),
        },
        alt=f"Columns most related to {name}, with strength and measure",
    )
    relations.explain()
