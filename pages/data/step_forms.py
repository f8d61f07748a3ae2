"""Forms of steps: the widgets that fill each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pandas as pd
import streamlit as st

from core.catalog import Dataset
from core.datasets import COLUMN_KINDS, FUNCTIONS, NUMBER_STYLES, Preview
from pages.data import table_step_forms

__all__ = ["show"]

Fields: TypeAlias = dict[str, Any] | None
"""Fields of a step, or None while the form is not complete."""
_DETECT = "Detected"
_DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y%m%d")
_HOW = {"value": "A value", "median": "Median", "mean": "Mean", "most_frequent": "Most frequent value"}
_MOST_VALUES = 500


def show(name: str, preview: Preview, dataset: Dataset) -> Fields:
    """Draw the form of a kind of step, and return the fields of the step; None while something is missing."""
    return _FORMS[name](preview, dataset)


def _column(preview: Preview, *types: str, label: str = "Column", name: str = "column") -> str | None:
    names = [column for column, kind in preview.types.items() if not types or kind in types]
    if not names:
        st.caption(f"The table has no column of the type {' or '.join(types)}.")
        return None
    return st.selectbox(label, names, index=None, placeholder="Choose a column", key=f"data-step-{name}")


def _change_type(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview)
    kind = st.selectbox(
        "Type",
        list(COLUMN_KINDS),
        index=COLUMN_KINDS.index("number"),
        format_func=str.capitalize,
        key="data-step-type",
    )
    written = None
    if kind == "number":
        written = st.selectbox("Written as", [_DETECT, *NUMBER_STYLES], key="data-step-style")
    elif kind in ("date", "timestamp"):
        written = st.selectbox(
            "Written as",
            [_DETECT, *_DATES],
            accept_new_options=True,
            help="%d day, %m month, %Y year, %b month's name, %H hour, %M minute.",
            key="data-step-format",
        )
    if column is None:
        return None
    return {"column": column, "type": kind if written in (None, _DETECT) else f"{kind}:{written}"}


def _rename(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview)
    to = st.text_input("New name", key="data-step-to", max_chars=200)
    return {"column": column, "to": to} if column and to.strip() else None


def _drop(preview: Preview, _: Dataset) -> Fields:
    columns = st.multiselect("Columns", list(preview.types), key="data-step-columns")
    return {"columns": columns} if columns else None


def _merge(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview, "text")
    if column is None:
        return None
    counts = preview.frame[column].value_counts().head(_MOST_VALUES)
    table = pd.DataFrame({"Value": counts.index.astype(str), "Rows": counts.to_numpy(), "Write as": ""})
    st.caption(f"Values in the first {preview.rows:,} rows, the most frequent first. Fill in what to write instead.")
    edited = st.data_editor(
        table,
        hide_index=True,
        disabled=["Value", "Rows"],
        height=260,
        key=f"data-step-merge-{column}",
    )
    values = {
        value: new
        for value, new in zip(edited["Value"], edited["Write as"], strict=True)
        if isinstance(new, str) and new.strip() and new != value
    }
    return {"column": column, "values": values} if values else None


def _replace(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview)
    find = st.text_input("Find", key="data-step-find")
    part = st.checkbox(
        "Also as a part of a text", key="data-step-part", disabled=preview.types.get(column or "") != "text"
    )
    replacement = st.text_input(
        "Replace with",
        key="data-step-replacement",
        placeholder="Nothing: the cell becomes missing" if not part else "Nothing",
    )
    if column is None or not find:
        return None
    return {"column": column, "find": find, "replacement": replacement or None, "part": part}


def _fill(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview)
    numeric = preview.types.get(column or "") in ("number", "integer")
    choices = [how for how in _HOW if numeric or how not in ("mean", "median")]
    how = st.selectbox("Fill with", choices, format_func=lambda item: _HOW[item], key="data-step-how")
    value = st.text_input("Value", key="data-step-value") if how == "value" else None
    if column is None or (how == "value" and not value):
        return None
    return {"column": column, "how": how, "value": value}


def _split(preview: Preview, _: Dataset) -> Fields:
    column = _column(preview, "text")
    separator = st.text_input("Separator", key="data-step-separator", max_chars=20)
    into = st.multiselect(
        "Names of the new columns",
        [],
        accept_new_options=True,
        placeholder="Type a name and press Enter, at least twice",
        key="data-step-into",
    )
    keep = st.checkbox("Keep the column itself", key="data-step-keep")
    if column is None or not separator or len(into) < 2:
        return None
    return {"column": column, "separator": separator, "into": into, "keep": keep}


def _derive(preview: Preview, _: Dataset) -> Fields:
    name = st.text_input("Name of the column", key="data-step-new", max_chars=200)
    expression = _expression(preview, "Expression", "`Monthly charges` * 12")
    return {"column": name, "expression": expression} if name.strip() and expression else None


def _filter(preview: Preview, _: Dataset) -> Fields:
    condition = _expression(preview, "Keep rows where", 'age >= 18 and country in ["DE", "AT"]')
    return {"condition": condition} if condition else None


def _expression(preview: Preview, label: str, example: str) -> str:
    text = st.text_area(
        label, key=f"data-step-{label.split()[0].lower()}", placeholder=example, height=80, max_chars=4_000
    )
    with st.popover("Columns and functions", icon=":material/function:", type="tertiary", key="data-step-functions"):
        st.caption("Columns: a name with blanks stands in backticks.")
        shown = [name if name.isidentifier() else f"`{name}`" for name in list(preview.types)[:40]]
        st.code("  ".join(shown), language=None, wrap_lines=True)
        st.caption(
            "Also + - * / // % **, ==, !=, <, >, and, or, not, in [...], x if condition else y, bins(x, [1, 2])."
        )
        st.dataframe(
            pd.DataFrame([{"Example": item.example, "Result": item.help} for item in FUNCTIONS.values()]),
            hide_index=True,
            height=240,
            alt="Functions of expressions",
        )
    return text.strip()


def _remove_duplicates(preview: Preview, _: Dataset) -> Fields:
    columns = st.multiselect(
        "Equal in",
        list(preview.types),
        placeholder="All columns",
        key="data-step-equal",
        help="The first of equal rows is kept.",
    )
    return {"columns": columns}


def _sample(preview: Preview, _: Dataset) -> Fields:
    rows = st.number_input("Rows", min_value=1, value=10_000, key="data-step-rows")
    seed = st.number_input(
        "Seed", min_value=0, value=0, key="data-step-seed", help="The same seed draws the same rows."
    )
    return {"rows": int(rows), "seed": int(seed)}


_FORMS: dict[str, Callable[[Preview, Dataset], Fields]] = {
    "change_type": _change_type,
    "rename": _rename,
    "drop": _drop,
    "merge": _merge,
    "replace": _replace,
    "fill": _fill,
    "split": _split,
    "derive": _derive,
    "filter": _filter,
    "remove_duplicates": _remove_duplicates,
    "sample": _sample,
    "join": table_step_forms.join,
    "append": table_step_forms.append,
}
