"""The tab Score: one row in a form, or a file in the background; and the files that were scored before."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access import upload_limit_mb
from core.catalog import ModelVersion, runs
from core.tasks import score as task
from pages._ui import address, badges, frame, listing, numbers, policy_choice, uploader
from pages.models import score_row
from pages.models.metrics import OpenModel

__all__ = ["show"]

_VIEWS = {"file": "A file", "row": "One row"}
_MAX_FILES = 50


def show(opened: OpenModel) -> None:
    """Draw the choice between a file and one row, and what is chosen."""
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
    policy, randomized = policy_choice.choose(
        runs.get(version.run_id, access=frame.access()), f"models-score-policy-{version.id}"
    )
    if view == "row":
        score_row.show(version, policy, randomized=randomized)
    else:
        _score_file(version, policy, randomized=randomized)
        _scored_files(opened)


def _score_file(version: ModelVersion, policy: str, *, randomized: bool) -> None:
    needed = [field["name"] for field in version.columns if field["role"] == "feature"]
    file = uploader.show(
        "A table (CSV, Parquet, Excel, JSON) with the columns that the model reads",
        key="models-score-file",
        limit_mb=upload_limit_mb(),
        help=f"Needed, in any order: {', '.join(needed[:60])}{' …' if len(needed) > 60 else ''}",
    )
    reasons = st.number_input(
        "Rows with reasons",
        min_value=0,
        max_value=task.MAX_REASONS,
        value=0,
        step=10,
        key="models-score-reasons",
        width=320,
        help="The three columns that move the prediction of a row most, for so many rows with the highest ranks. "
        "Takes up to two minutes.",
    )
    row_id = None
    if randomized:
        row_id = st.text_input(
            "Column of unique ids",
            key=f"models-score-id-{version.id}",
            width=320,
            help="The policy draws some decisions at random, each by the id of its row.",
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
            address.go(
                run=task.submit_upload(
                    version, file, file.name, policy=policy, row_id=row_id, reasons=reasons, access=frame.access()
                )
            )


def _scored_files(opened: OpenModel) -> None:
    numbered = {version.id: version.number for version in opened.versions}
    scored = [run for run in runs.find(task="score", access=frame.access()) if run.settings["version"] in numbered][
        :_MAX_FILES
    ]
    if not scored:
        return
    st.markdown("**Files scored with any version.** Select a row to open it.")
    listing.show(
        pd.DataFrame(
            {
                "File": [run.settings["filename"] for run in scored],
                "State": [badges.of_run(run).label for run in scored],
                "Version": [numbered[run.settings["version"]] for run in scored],
                "Rows": [(run.result or {}).get("rows") for run in scored],
                "Alerts": [(run.result or {}).get("alerts") for run in scored],
                "Started": [numbers.when(run.created_at) for run in scored],
            }
        ),
        [run.id for run in scored],
        key="models-scored-list",
        parameter="run",
        column_config={
            "File": st.column_config.TextColumn(width="large"),
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss"),
        },
        alt="Files that were scored, newest first",
    )
