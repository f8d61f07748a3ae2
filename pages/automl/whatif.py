"""What if: a row, why the model says what it says of it, other cells, and what would change the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.catalog import Run
from core.explain import ShapValues, explain_row, waterfall, what_if
from pages._ui import explain_charts, frame, numbers
from pages.automl import cells, otherwise
from pages.automl.asking import Asked, asked
from pages.automl.explained import explanation

__all__ = ["show"]

_SHOWN = 200


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the choice of a row, its answer, the form to edit it, and the search for other answers."""
    model = asked(run, found)
    if model is None:
        reason = (run.result or {}).get("export_error") or "This search left no file that a page can ask."
        st.info(frame.plain(reason), title="What-if needs the model as ONNX", icon=":material/info:")
        return
    place = _row(model)
    row = model.rows.loc[[place]]
    left, right = st.columns(2, gap="large")
    with right:
        edits = cells.form(model.rows, row, _order(run, found), key=f"{run.id}-{place}")
    with left:
        _answer(model, row, edits)
        _why(run, model, row, place, edits)
    otherwise.show(model, _edited(model, row, edits), found, key=f"{run.id}-{place}")


def _order(run: Run, found: Mapping[str, Any]) -> list[str]:
    """Return the columns, the most important first."""
    told = explanation(run)
    known = [] if told is None else [name for name in told.permutation["feature"] if name in found["features"]]
    return [*known, *(name for name in found["features"] if name not in known)]


def _row(model: Asked) -> int:
    """Let the user choose one of the rows; return its position in the table."""
    test = model.test
    kinds = {"All": np.ones(len(test), dtype=bool)}
    if model.labels is not None:
        wrong = test["prediction"].astype(str).to_numpy() != test[model.target].astype(str).to_numpy()
        sure = test.filter(regex=r"^p\(").max(axis=1).to_numpy()
        kinds |= {"Predicted wrongly": wrong, "Unsure": sure <= np.quantile(sure, 0.1)}
    chosen = "All"
    if len(kinds) > 1:
        chosen = st.radio("Rows", list(kinds), horizontal=True, key="whatif-kind")
    some = test[kinds[chosen]].head(_SHOWN)
    if some.empty:
        st.caption("There is none.")
        some = test.head(_SHOWN)
    positions = [int(position) for position in some.index]
    return st.selectbox(
        "Row",
        positions,
        format_func=lambda position: (
            f"Row {position}: {some.at[position, model.target]}, predicted {_shown(some.at[position, 'prediction'])}"
        ),
        key=f"whatif-row-{chosen}",
        help="Its position in the table. The model has not learned from it.",
    )


def _shown(value: Any) -> str:
    return numbers.rounded(value) if isinstance(value, float) else str(value)


def _edited(model: Asked, row: pd.DataFrame, edits: Mapping[str, Any]) -> pd.DataFrame:
    return what_if(model.scorer.outputs, row, edits).row


def _answer(model: Asked, row: pd.DataFrame, edits: Mapping[str, Any]) -> None:
    told = what_if(model.scorer.outputs, row, edits)
    if model.labels is None:
        change = float(told.after[0] - told.before[0])
        st.metric(
            f"Predicted {frame.plain(model.target)}", numbers.rounded(float(told.after[0])),
            f"{change:+.4g}" if told.changed else None, delta_color="off", border=True,
        )  # fmt: skip
    else:
        order = np.argsort(-told.after, kind="stable")[:4]
        with st.container(horizontal=True):
            for code in order:
                change = 100 * float(told.after[code] - told.before[code])
                st.metric(
                    frame.plain(model.labels[code]), f"{told.after[code]:.1%}",
                    f"{change:+.1f} points" if told.changed else None, delta_color="off", border=True,
                )  # fmt: skip
    if told.changed:
        st.caption(f"Changed: {frame.plain(', '.join(told.changed))}. The differences are to the row as it is.")


def _why(run: Run, model: Asked, row: pd.DataFrame, place: int, edits: Mapping[str, Any]) -> None:
    values = _values(run, model, row, place, edits)
    label = None
    if len(values.classes) > 1:
        first = int(values.outputs[0].argmax()) if len(values) == 1 else 0
        label = st.selectbox("Why this class", values.classes, index=first, key=f"why-{place}", width=280)
    explain_charts.waterfall(waterfall(values, place, label))


def _values(run: Run, model: Asked, row: pd.DataFrame, place: int, edits: Mapping[str, Any]) -> ShapValues:
    """Return the row's stored SHAP values; of an edited row, and of one that has none, new ones."""
    told = explanation(run)
    if not edits and told is not None and told.shap is not None and place in told.shap.row_id:
        return told.shap
    return explain_row(
        model.scorer.outputs, _edited(model, row, edits), model.rows, model.labels, row_id=place,
        columns=[column.name for column in model.scorer.columns],
    )  # fmt: skip
