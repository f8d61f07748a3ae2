"""The smallest changes of a row that lead to another prediction, over columns that may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.explain import Counterfactuals, Goal, WhatIf
from core.explain import counterfactuals as find_counterfactuals
from pages._ui import frame, numbers
from pages.automl.page_model import PageModel

__all__ = ["show"]


def show(model: PageModel, prediction: WhatIf, record: Mapping[str, Any], *, key: str, edits: str) -> None:
    """Draw the desired prediction, the columns that may change, and the changes once they were searched for.

    They stay until another row, other cells (`edits`) or another desired prediction is chosen.
    """
    st.subheader("What would change the prediction?")
    protected = set(record["settings"]["sensitive_columns"])
    columns = [column.name for column in model.scorer.columns]
    allowed = st.multiselect(
        "Columns that may change",
        columns,
        default=[name for name in columns if name not in protected],
        key=f"automl-allowed-{key}",
        help="Leave out columns that nobody can change. Sensitive columns are left out by default.",
    )
    goal, output_title = _goal(model, np.asarray(prediction.after, dtype=float), key)
    question = (key, model.digest, edits, tuple(allowed), goal)
    if st.button(
        "Find the smallest change", icon=":material/alt_route:", key=f"automl-nearest-{key}", disabled=not allowed
    ):
        changes = find_counterfactuals(model.scorer.outputs, prediction.row, model.rows, goal, allowed)
        st.session_state["automl-whatif-nearest"] = (question, changes)
    answered, changes = st.session_state.get("automl-whatif-nearest", (None, None))
    if changes is not None and answered == question:
        _changes(model, changes, goal, output_title)


def _changes(model: PageModel, changes: Counterfactuals, goal: Goal, output_title: str) -> None:
    if not changes.examples:
        st.info(frame.plain(changes.message), icon=":material/info:")
        return
    st.caption(
        f"{frame.plain(changes.message)} {changes.tried:,} rows were tried in {numbers.duration(changes.elapsed_s)}."
    )
    lines = [
        {
            "Alternative": number,
            "Column": name,
            "Is": _text(before),
            "Would be": _text(after),
            output_title: _output(model, row.output, goal.index),
        }
        for number, row in enumerate(changes.examples, 1)
        for name, (before, after) in row.changes.items()
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, alt="Changes that lead to the desired prediction")
    st.caption(
        "This is what the model would predict, not what would happen: a change in the world has other effects, too."
    )


def _goal(model: PageModel, outputs: np.ndarray, key: str) -> tuple[Goal, str]:
    if model.labels is None:
        now = float(outputs[0])
        with st.container(horizontal=True):
            low = st.number_input(
                "At least", value=now * 1.1 if now > 0 else now + 1, key=f"automl-low-{key}", width=180
            )
            high = st.number_input("At most", value=None, placeholder="no limit", key=f"automl-high-{key}", width=180)
        return Goal(0, low=low, high=np.inf if high is None else high), f"Predicted {model.target}"
    own = int(outputs.argmax())
    labels = [str(label) for label in model.labels]
    others = [code for code in range(len(labels)) if code != own]
    code = st.selectbox(
        "Desired prediction", others, format_func=labels.__getitem__, key=f"automl-wish-{key}", width=280
    )
    return Goal(code, most_probable=True), f"Probability of {labels[code]}"


def _output(model: PageModel, output: np.ndarray, index: int) -> str:
    return numbers.rounded(float(output[0])) if model.labels is None else f"{output[index]:.1%}"


def _text(value: Any) -> str:
    return "(missing)" if value is None or pd.isna(value) else str(value)
