"""What if: a row, why the model says what it says of it, other cells, and what would change the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Run
from core.errors import LimitError
from core.explain import Explanation, ShapValues, WhatIf, explain_row, waterfall, what_if
from pages._ui import address, explain_charts, frame, numbers
from pages.automl import cells, otherwise
from pages.automl.asking import Asked, asked
from pages.automl.explained import explanation

__all__ = ["show"]


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the choice of a row, its answer, the form to edit it, and the search for other answers."""
    model = asked(run, found)
    if model is None:
        reason = (run.result or {}).get("export_error") or "This search left no file that a page can ask."
        st.info(frame.plain(reason), title="What-if needs the model as ONNX", icon=":material/info:")
        return
    place = _row(model, found)
    row = model.rows.loc[[place]]
    explained = explanation(run)
    kinds = {column.name: column.kind for column in model.scorer.columns}
    left, right = st.columns(2, gap="large")
    with right:
        edits = cells.form(model.rows, row, _order(explained, found), kinds, key=f"automl-cell-{run.id}-{place}")
    answered = False
    with left, frame.errors_shown():
        told = _told(model.digest, place, repr(edits), model, row, edits)
        _answer(model, told)
        try:
            _why(_values(explained, model, told, place, edits), place)
        except LimitError as error:  # the answer stands without its reasons
            st.info(frame.plain(f"{error.message} {error.hint}"), icon=":material/info:")
        answered = True
    if answered:
        otherwise.show(model, told, found, key=f"{run.id}-{place}", edits=repr(edits))


def _order(told: Explanation | None, found: Mapping[str, Any]) -> list[str]:
    """Return the columns, the most important first."""
    known = [] if told is None else [name for name in told.permutation["feature"] if name in found["features"]]
    return [*known, *(name for name in found["features"] if name not in known)]


def _row(model: Asked, found: Mapping[str, Any]) -> int:
    """Let the user choose one of the rows; return its position in the table."""
    test = model.test
    kinds = {"All": np.ones(len(test), dtype=bool)}
    if model.labels is not None:
        wrong = test["prediction"].astype(str).to_numpy() != test[model.target].astype(str).to_numpy()
        sure = test.filter(regex=r"^p\(").max(axis=1).to_numpy()
        kinds |= {"Predicted wrongly": wrong, "Unsure": sure <= np.quantile(sure, 0.1)}
    kind = "All"
    if len(kinds) > 1:
        shown = address.restore("rows", list(kinds), kind, "automl-whatif-kind")
        kind = st.radio("Rows", list(kinds), horizontal=True, key="automl-whatif-kind")
        address.keep("rows", kind, shown, "automl-whatif-kind")
    some = test[kinds[kind]]
    if some.empty:
        st.caption("There is none.")
        some = test
    names = {
        int(place): f"Row {place}: {actual}, predicted {_shown(predicted)}"
        for place, actual, predicted in zip(some.index, some[model.target], some["prediction"], strict=True)
    }
    key, learned = (
        f"automl-whatif-row-{kind}",
        "not learned from it" if model.tested else "learned from it: there was no test",
    )
    first = address.restore("row", list(names), next(iter(names)), key)
    chosen = st.selectbox(
        "Row",
        list(names),
        format_func=names.__getitem__,
        key=key,
        help=f"Its position in the table; type a number to find it. The model has {learned}.",
    )
    address.keep("row", chosen, first, key)
    there = found["rows"]["test" if model.tested else "train"]
    of = f"{there:,} {'test rows' if model.tested else 'rows that the model learned from'}"
    first_ones = f"the first {len(test):,} of " if len(test) < there else ""
    st.caption(f"{len(names):,} to choose from, of {first_ones}{of}.")
    return chosen


def _shown(value: Any) -> str:
    return numbers.rounded(value) if isinstance(value, float) else str(value)


@st.cache_data(max_entries=200, show_spinner=False)
def _told(
    digest: str, place: int, changes: str, _model: Asked, _row: pd.DataFrame, _edits: Mapping[str, Any]
) -> WhatIf:
    return what_if(_model.scorer.outputs, _row, _edits)


def _answer(model: Asked, told: WhatIf) -> None:
    if model.labels is None:
        change = float(told.after[0] - told.before[0])
        st.metric(
            f"Predicted {frame.plain(model.target)}",
            numbers.rounded(float(told.after[0])),
            f"{change:+.4g}" if told.changed else None,
            delta_color="off",
            border=True,
        )
    else:
        order = np.argsort(-told.after, kind="stable")[:4]
        with st.container(horizontal=True):
            for code in order:
                change = 100 * float(told.after[code] - told.before[code])
                st.metric(
                    frame.plain(model.labels[code]),
                    f"{told.after[code]:.1%}",
                    f"{change:+.1f} points" if told.changed else None,
                    delta_color="off",
                    border=True,
                )
    if told.changed:
        st.caption(f"Changed: {frame.plain(', '.join(told.changed))}. The differences are to the row as it is.")


def _why(values: ShapValues, place: int) -> None:
    label = None
    if len(values.classes) > 1:
        first = int(values.outputs[values.row_id.tolist().index(place)].argmax())
        label = st.selectbox("Why this class", values.classes, index=first, key=f"automl-why-{place}", width=280)
    explain_charts.waterfall(waterfall(values, place, label))


def _values(
    explained: Explanation | None, model: Asked, told: WhatIf, place: int, edits: Mapping[str, Any]
) -> ShapValues:
    """Return the row's stored SHAP values; of an edited row, and of one that has none, new ones."""
    if not edits and explained is not None and explained.shap is not None and place in explained.shap.row_id:
        return explained.shap
    return _new_values(model.digest, place, repr(edits), model, told.row)


@st.cache_data(max_entries=200, show_spinner=False)
def _new_values(digest: str, place: int, changes: str, _model: Asked, _row: pd.DataFrame) -> ShapValues:
    return explain_row(
        _model.scorer.outputs,
        _row,
        _model.rows,
        _model.labels,
        row_id=place,
        columns=[column.name for column in _model.scorer.columns],
    )
