"""What if: the prediction of a row, why, with other cells, and what would change it."""

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
from pages.automl import counterfactuals, row_form
from pages.automl.explain import explanation
from pages.automl.page_model import PageModel, page_model

__all__ = ["show"]


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the choice of a row, its prediction, the form to edit it, and the search for the smallest change."""
    model = page_model(run, record)
    if model is None:
        reason = (run.result or {}).get("export_error") or "This search has no exported model."
        st.info(frame.plain(reason), title="What-if needs the model as ONNX", icon=":material/info:")
        return
    row_id = _row(model, record)
    row = model.rows.loc[[row_id]]
    explained = explanation(run)
    feature_types = {column.name: column.kind for column in model.scorer.columns}
    left, right = st.columns(2, gap="large")
    with right:
        edits = row_form.form(
            model.rows, row, _order(explained, record), feature_types, key=f"automl-cell-{run.id}-{row_id}"
        )
    answered = False
    with left, frame.errors_shown():
        prediction = _predict(model.digest, row_id, repr(edits), model, row, edits)
        _prediction(model, prediction)
        try:
            _why(_values(explained, model, prediction, row_id, edits), row_id)
        except LimitError as error:  # the prediction is shown without its reasons
            st.info(frame.plain(f"{error.message} {error.hint}"), icon=":material/info:")
        answered = True
    if answered:
        counterfactuals.show(model, prediction, record, key=f"{run.id}-{row_id}", edits=repr(edits))


def _order(explained: Explanation | None, record: Mapping[str, Any]) -> list[str]:
    """Return the columns, the most important first."""
    known = (
        [] if explained is None else [name for name in explained.permutation["feature"] if name in record["features"]]
    )
    return [*known, *(name for name in record["features"] if name not in known)]


def _row(model: PageModel, record: Mapping[str, Any]) -> int:
    """Let the user choose one of the rows; return its position in the table."""
    test = model.test
    filters = {"All": np.ones(len(test), dtype=bool)}
    if model.labels is not None:
        wrong = test["prediction"].astype(str).to_numpy() != test[model.target].astype(str).to_numpy()
        sure = test.filter(regex=r"^p\(").max(axis=1).to_numpy()
        filters |= {"Predicted wrongly": wrong, "Unsure": sure <= np.quantile(sure, 0.1)}
    chosen_filter = "All"
    if len(filters) > 1:
        shown = address.restore("rows", list(filters), chosen_filter, "automl-whatif-kind")
        chosen_filter = st.radio("Rows", list(filters), horizontal=True, key="automl-whatif-kind")
        address.keep("rows", chosen_filter, shown, "automl-whatif-kind")
    matching = test[filters[chosen_filter]]
    if matching.empty:
        st.caption("No rows match.")
        matching = test
    names = {
        int(row_id): f"Row {row_id}: {actual}, predicted {_shown(predicted)}"
        for row_id, actual, predicted in zip(
            matching.index, matching[model.target], matching["prediction"], strict=True
        )
    }
    key, learned = (
        f"automl-whatif-row-{chosen_filter}",
        "not learned from it" if model.tested else "learned from it, because there was no test",
    )
    first = address.restore("row", list(names), next(iter(names)), key)
    chosen = st.selectbox(
        "Row",
        list(names),
        format_func=names.__getitem__,
        key=key,
        help=f"Position in the table; type a number to find it. The model has {learned}.",
    )
    address.keep("row", chosen, first, key)
    count = record["rows"]["test" if model.tested else "train"]
    of = f"{count:,} {'test rows' if model.tested else 'training rows'}"
    first_ones = f"the first {len(test):,} of " if len(test) < count else ""
    st.caption(f"{len(names):,} to choose from, of {first_ones}{of}.")
    return chosen


def _shown(value: Any) -> str:
    return numbers.rounded(value) if isinstance(value, float) else str(value)


@st.cache_data(max_entries=200, show_spinner=False)
def _predict(
    digest: str, row_id: int, changes: str, _model: PageModel, _row: pd.DataFrame, _edits: Mapping[str, Any]
) -> WhatIf:
    return what_if(_model.scorer.outputs, _row, _edits)


def _prediction(model: PageModel, prediction: WhatIf) -> None:
    if model.labels is None:
        change = float(prediction.after[0] - prediction.before[0])
        st.metric(
            f"Predicted {frame.plain(model.target)}",
            numbers.rounded(float(prediction.after[0])),
            f"{change:+.4g}" if prediction.changed else None,
            delta_color="off",
            border=True,
        )
    else:
        order = np.argsort(-prediction.after, kind="stable")[:4]
        with st.container(horizontal=True):
            for code in order:
                change = 100 * float(prediction.after[code] - prediction.before[code])
                st.metric(
                    frame.plain(model.labels[code]),
                    f"{prediction.after[code]:.1%}",
                    f"{change:+.1f} points" if prediction.changed else None,
                    delta_color="off",
                    border=True,
                )
    if prediction.changed:
        st.caption(f"Changed: {frame.plain(', '.join(prediction.changed))}. Differences are from the row as it is.")


def _why(values: ShapValues, row_id: int) -> None:
    label = None
    if len(values.classes) > 1:
        first = int(values.outputs[values.row_id.tolist().index(row_id)].argmax())
        label = st.selectbox("Why this class", values.classes, index=first, key=f"automl-why-{row_id}", width=280)
    explain_charts.waterfall(waterfall(values, row_id, label))


def _values(
    explained: Explanation | None, model: PageModel, prediction: WhatIf, row_id: int, edits: Mapping[str, Any]
) -> ShapValues:
    """Return the row's stored SHAP values; of an edited row, and of one that has none, new ones."""
    if not edits and explained is not None and explained.shap is not None and row_id in explained.shap.row_id:
        return explained.shap
    return _new_values(model.digest, row_id, repr(edits), model, prediction.row)


@st.cache_data(max_entries=200, show_spinner=False)
def _new_values(digest: str, row_id: int, changes: str, _model: PageModel, _row: pd.DataFrame) -> ShapValues:
    return explain_row(
        _model.scorer.outputs,
        _row,
        _model.rows,
        _model.labels,
        row_id=row_id,
        columns=[column.name for column in _model.scorer.columns],
    )
