"""One row, filled in a form and scored with ONNX Runtime in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import models
from core.catalog import ModelVersion
from core.models import ScoredRows
from pages._ui import badges, findings, frame, numbers
from pages.models import fields

__all__ = ["show"]

_COLUMNS = 3
_ROW_ID = "id of the row"


def show(version: ModelVersion, policy: str, *, randomized: bool) -> None:
    """Draw the form, and the prediction once it was sent."""
    exported = models.exported_model(version, access=frame.access())
    if exported is None:
        st.info(
            "One row is scored with ONNX Runtime, and this version is not exported yet. A file can be scored without "
            "an export.",
            icon=":material/speed:",
        )
        if st.button("Export it on the Edge page", icon=":material/arrow_forward:", key="models-to-export"):
            st.switch_page("pages/edge/page.py", query_params={"model": version.run_id})
        return
    form_fields = models.form_fields(version, policy=policy, access=frame.access())
    if version.kind == "table":
        st.caption("The form starts with medians and most frequent values of the training rows.")
    with st.form(f"models-row-{version.id}", border=True):
        width = _COLUMNS if len(form_fields) > 2 else 1
        row: dict[str, Any] = {}
        for index, field in enumerate(form_fields):
            if index % width == 0:  # line by line, so that the order is the same on a narrow screen
                columns = st.columns(width)
            with columns[index % width]:
                row[field.name] = fields.draw(field, f"models-row-{version.id}-{field.name}")
        row_id = None
        if randomized:
            row_id = _free_name(row)
            about = "The policy draws some decisions at random, each by the row's id."
            row[row_id] = (
                st.text_input("Id of the row", key=f"models-row-id-{version.id}", width=320, help=about) or "1"
            )
        sent = st.form_submit_button("Score", type="primary", icon=":material/play_arrow:", key="models-score-row")
    if sent:
        st.session_state[f"models-row-sent-{version.id}"] = True
    if f"models-row-sent-{version.id}" in st.session_state:  # the prediction stays, and follows the policy
        with frame.errors_shown():
            _prediction(_scored(version, row, policy, row_id, exported), policy)


def _free_name(row: dict[str, Any]) -> str:
    name = _ROW_ID
    while name in row:
        name += "_"
    return name


def _scored(version: ModelVersion, row: dict[str, Any], policy: str, row_id: str | None, exported: Path) -> ScoredRows:
    table = pd.DataFrame({name: pd.Series([value]) for name, value in row.items()})
    return models.score_rows(version.id, table, policy=policy, row_id=row_id, onnx=exported, access=frame.access())


def _prediction(scored: ScoredRows, policy: str) -> None:
    table = scored.table
    first = table.index[0]
    # Cell by cell: a row of the table would turn a label that is a number into a float beside its probabilities.
    prediction = table.at[first, "prediction"]
    shares = {name[2:-1]: float(table.at[first, name]) for name in table.columns if str(name).startswith("p(")}
    if pd.isna(prediction):
        st.subheader("No prediction: there was nothing to read")
    elif not shares:
        st.subheader(f"Prediction: {numbers.rounded(float(prediction))}")
    else:
        share = shares[str(prediction)]
        st.subheader(f"Prediction: {frame.plain(prediction)}, with a probability of {share:.1%}")
    if "decision" in table:
        _decision(table.at[first, "decision"], policy)
    if shares:
        shown = pd.DataFrame({"Class": list(shares), "Probability": [100 * share for share in shares.values()]})
        st.dataframe(
            shown.sort_values("Probability", ascending=False),
            hide_index=True,
            column_config={"Probability": st.column_config.ProgressColumn(format="%.1f%%", min_value=0, max_value=100)},
            alt="Probability of each class",
        )
    if scored.findings:
        findings.show([finding.to_dict() for finding in scored.findings])
    else:
        st.caption("The row is like the training rows: no value is new, missing or out of range.")


def _decision(decision: Any, policy: str) -> None:
    name = frame.plain(policy)
    if pd.isna(decision):
        badges.show(badges.Badge(f"No decision by {name}", "orange", ":material/help:"))
    elif decision == 1:
        badges.show(badges.Badge(f"Selected by {name}", "green", ":material/check_circle:"))
    else:
        badges.show(badges.Badge(f"Not selected by {name}", "gray", ":material/cancel:"))
