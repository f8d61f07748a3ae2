"""What would change the answer: the nearest rows with another one, over columns that may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.explain import Counterfactuals, Goal, WhatIf, counterfactuals
from pages._ui import frame, numbers
from pages.automl.asking import Asked

__all__ = ["show"]


def show(model: Asked, told: WhatIf, found: Mapping[str, Any], *, key: str, edits: str) -> None:
    """Draw the wish, the columns that may change, and the answers once they are asked for.

    They stay until another row, another cell (`edits` tells them) or another wish is looked at.
    """
    st.subheader("What would change the answer?")
    protected = set(found["settings"]["sensitive_columns"])
    columns = [column.name for column in model.scorer.columns]
    allowed = st.multiselect(
        "Columns that may change",
        columns,
        default=[name for name in columns if name not in protected],
        key=f"automl-allowed-{key}",
        help="Leave out what nobody can change. Sensitive columns are left out to begin with.",
    )
    goal, wished = _goal(model, np.asarray(told.after, dtype=float), key)
    question = (key, model.digest, edits, tuple(allowed), goal)
    if st.button("Find the nearest", icon=":material/alt_route:", key=f"automl-nearest-{key}", disabled=not allowed):
        answers = counterfactuals(model.scorer.outputs, told.row, model.rows, goal, allowed)
        st.session_state["automl-whatif-nearest"] = (question, answers)
    asked_for, answers = st.session_state.get("automl-whatif-nearest", (None, None))
    if answers is not None and asked_for == question:
        _answers(model, answers, goal, wished)


def _answers(model: Asked, told: Counterfactuals, goal: Goal, wished: str) -> None:
    if not told.found:
        st.info(frame.plain(told.message), icon=":material/info:")
        return
    st.caption(f"{frame.plain(told.message)} {told.tried:,} rows were tried in {numbers.duration(told.elapsed_s)}.")
    lines = [
        {
            "Answer": number,
            "Column": name,
            "Is": _text(before),
            "Would be": _text(after),
            wished: _output(model, each.output, goal.place),
        }
        for number, each in enumerate(told.found, 1)
        for name, (before, after) in each.changes.items()
    ]
    st.dataframe(pd.DataFrame(lines), hide_index=True, alt="Changes that would lead to the wished answer")
    st.caption("What the model would say, not what would happen: a change in the world has other effects, too.")


def _goal(model: Asked, outputs: np.ndarray, key: str) -> tuple[Goal, str]:
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
    code = st.selectbox("Wished answer", others, format_func=labels.__getitem__, key=f"automl-wish-{key}", width=280)
    return Goal(code, most_probable=True), f"Probability of {labels[code]}"


def _output(model: Asked, output: np.ndarray, place: int) -> str:
    return numbers.rounded(float(output[0])) if model.labels is None else f"{output[place]:.1%}"


def _text(value: Any) -> str:
    return "(missing)" if value is None or pd.isna(value) else str(value)
