"""What it would look like if: a change made on purpose to rows that training kept out, compared as a batch."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.monitoring import Change, changes_adapter
from core.tasks import monitor
from pages._ui import frame, popovers
from pages.models.metrics import OpenModel

__all__ = ["show"]

_NUMBER, _CATEGORY = ("number",), ("category", "boolean")
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "shift": ("Numbers move", _NUMBER),
    "multiply": ("Numbers in another unit", _NUMBER),
    "drop_level": ("A category does not occur any more", _CATEGORY),
    "shuffle": ("Categories are exchanged", _CATEGORY),
    "missing": ("Cells are missing", (*_NUMBER, *_CATEGORY, "date", "text")),
    "rename": ("A column has another name", (*_NUMBER, *_CATEGORY, "date", "text")),
    "remove": ("A column is not delivered", (*_NUMBER, *_CATEGORY, "date", "text")),
}
"""Title of each change, and the kinds of column that it fits."""


def show(opened: OpenModel, popover: str) -> None:
    """Draw the form, in a popover that closes when it was sent."""
    fields = [field for field in opened.version.columns if field["role"] == "feature"]
    offered = [name for name, (_, fits) in _KINDS.items() if any(field["kind"] in fits for field in fields)]
    kind = st.selectbox("What if", offered, format_func=lambda name: _KINDS[name][0], key="models-simulate-kind")
    fitting = {str(field["name"]): field for field in fields if field["kind"] in _KINDS[kind][1]}
    column = st.selectbox("Column", list(fitting), key=f"models-simulate-column-{kind}")
    values: dict[str, Any] = {"kind": kind, "column": column} | _values(kind, fitting[column])
    st.caption("1,000 rows that training kept out are compared after this change. It raises no alert.")
    if st.button("Simulate", type="primary", key="models-simulate-start", disabled=None in values.values()):
        with frame.errors_shown():
            changes: list[Change] = changes_adapter().validate_python([values])
            monitor.submit_simulation(opened.version, changes, access=frame.access())
            popovers.close(popover)


def _values(kind: str, field: dict[str, Any]) -> dict[str, Any]:
    """Draw what a change needs besides its column."""
    name = field["name"]
    if kind == "shift":
        help = "From the mean of the column; negative numbers are smaller."
        return {
            "deviations": st.number_input(
                "Standard deviations", -10.0, 10.0, 1.0, step=0.25, key="models-simulate-shift", help=help
            )
        }
    if kind == "multiply":
        return {"factor": st.number_input("Times", value=1000.0, format="%g", key="models-simulate-factor")}
    if kind == "missing":
        share = st.slider("Share of the rows", 1, 100, 25, format="%d%%", key="models-simulate-missing")
        return {"share": share / 100}
    if kind == "drop_level":
        choices = field.get("choices") or ["True", "False"]
        return {"level": st.selectbox("Category", choices, key=f"models-simulate-level-{name}")}
    if kind == "rename":
        return {"name": st.text_input("New name", f"{name}_new", key=f"models-simulate-name-{name}") or None}
    return {}
