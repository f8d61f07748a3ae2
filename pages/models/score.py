"""New rows: one in a form, or a file in the background; and the files that were scored before."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import policies
from core.catalog import ModelVersion, runs
from core.settings import get_settings
from core.tasks import score as task
from pages._ui import address, badges, frame, listing, numbers, uploader
from pages.models import row
from pages.models.figures import Opened

__all__ = ["show"]

_VIEWS = {"file": "A file", "row": "One row"}
_LABELS = "none"
_SHOWN = 50


def show(opened: Opened) -> None:
    """Draw both ways to score."""
    version = opened.version
    shown = address.restore("score", list(_VIEWS), "file", "models-score-view")
    view = st.radio(
        "Score",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        horizontal=True,
        key="models-score-view",
        label_visibility="collapsed",
    )
    address.keep("score", view, shown, "models-score-view")
    policy, drawn = _policy(version)
    if view == "row":
        row.show(version, policy, drawn=drawn)
    else:
        _file(version, policy, drawn=drawn)
        _earlier(opened)


def _policy(version: ModelVersion) -> tuple[str, bool]:
    """Let the user choose what decides; return the policy, and whether it draws some decisions by the row's id."""
    known = policies.kept(runs.get(version.run_id, frame.workspace()))
    if not known:
        return _LABELS, False
    chosen = st.selectbox(
        "Decide by",
        [*known, _LABELS],
        format_func=lambda name: "The model's own labels" if name == _LABELS else f"Policy {name}",
        key=f"models-score-policy-{version.id}",
        width=420,
        help="Threshold policies that were kept with this model on the Fairness page.",
    )
    return chosen, chosen in known and known[chosen].randomized


def _file(version: ModelVersion, policy: str, *, drawn: bool) -> None:
    needed = [field["name"] for field in version.columns if field["role"] == "feature"]
    file = uploader.show(
        "A table (CSV, Parquet, Excel, JSON) with the columns that the model reads",
        key="models-score-file",
        limit_mb=get_settings().max_upload_mb,
        help=f"In any order; others are not read: {', '.join(needed[:60])}{' …' if len(needed) > 60 else ''}",
    )
    row_id = None
    if drawn:
        row_id = st.text_input(
            "Column of unique ids",
            key=f"models-score-id-{version.id}",
            width=320,
            help="The policy draws some decisions, each by the id of its row.",
        ).strip()
    pressed = st.button(
        "Score the file",
        type="primary",
        icon=":material/play_arrow:",
        key="models-score-start",
        disabled=file is None or row_id == "",
    )
    if pressed and file is not None:
        uploader.clear("models-score-file")
        with frame.errors_shown():
            address.go(run=task.submit_upload(version, file, file.name, policy=policy, row_id=row_id))


def _earlier(opened: Opened) -> None:
    numbered = {version.id: version.number for version in opened.versions}
    found = [run for run in runs.find(frame.workspace(), task="score") if run.settings["version"] in numbered][:_SHOWN]
    if not found:
        return
    st.markdown("**Scored before with any version.** Select a row to open it.")
    listing.show(
        pd.DataFrame(
            {
                "File": [run.settings["filename"] for run in found],
                "State": [badges.RUN_STATES[run.state][0] for run in found],
                "Version": [numbered[run.settings["version"]] for run in found],
                "Rows": [(run.result or {}).get("rows") for run in found],
                "Alerts": [(run.result or {}).get("alerts") for run in found],
                "Started": [numbers.when(run.created_at) for run in found],
            }
        ),
        [run.id for run in found],
        key="models-scored-list",
        parameter="run",
        column_config={
            "File": st.column_config.TextColumn(width="large"),
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
        },
        alt="Files that were scored, newest first",
    )
