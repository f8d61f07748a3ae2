"""Where a version comes from, and what happened to the model since."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import models
from core.automl import METRICS
from core.catalog import ModelEvent
from pages._ui import frame, lookups, numbers, run_actions
from pages.models.figures import Opened

__all__ = ["history", "lineage"]

_ACTIONS = {
    "register": "Version {number} was registered",
    "promote": "Version {number} became champion",
    "roll_back": "Rolled back to version {number}",
    "archive": "Version {number} was archived",
    "restore": "Version {previous} was restored",
    "notes": "The notes of version {number} were changed",
}


def history(opened: Opened) -> None:
    """Draw all changes, newest first."""
    found = models.history(opened.model.id, workspace=frame.workspace())
    if not all(event.who for event in found):
        st.caption("Who made a change is only known where people sign in: here some or all changes have no name.")
    st.dataframe(
        pd.DataFrame(
            {
                "When": [numbers.when(event.at) for event in found],
                "What": [_told(event) for event in found],
                "Until then": [_before(event) for event in found],
                "Who": [event.who or None for event in found],
                "Why": [event.why or None for event in found],
            }
        ),
        hide_index=True,
        height="content" if len(found) <= 25 else 600,
        placeholder="–",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "What": st.column_config.TextColumn(width="medium"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Changes to this model, newest first",
    )


def _told(event: ModelEvent) -> str:
    if event.number is None and event.action in ("alias", "promote"):
        return f"'{event.alias}' points to no version"
    if event.action == "alias":
        return f"'{event.alias}' points to version {event.number}"
    return _ACTIONS.get(event.action, event.action).format(number=event.number, previous=event.previous)


def _before(event: ModelEvent) -> str | None:
    return None if event.previous is None or event.action == "restore" else f"Version {event.previous}"


def lineage(opened: Opened) -> None:
    """Draw what a version was made of."""
    version = opened.version
    found = version.lineage
    table, code = found["dataset"], found["registered_with"]
    st.markdown(f"**Version {version.number} can be traced to its table, run, settings and software**")
    with st.container(horizontal=True):
        if st.button("Its run", icon=":material/model_training:", key="models-to-maker"):
            st.switch_page(f"pages/{found['run']['task']}/page.py", query_params={"run": version.run_id})
        if lookups.existing_dataset(table["id"]) and st.button(
            "Its table", icon=":material/table_chart:", key="models-to-data"
        ):
            st.switch_page("pages/data/page.py", query_params={"dataset": table["id"]})
        run_actions.log(version.run_id)
    facts = {
        "Table": table["name"] or "deleted before it was registered",
        "Rows": "–" if table["rows"] is None else f"{table['rows']:,}",
        "Source": table["source"] or "–",
        "Predicts": found["target"],
        "Task": found["task"],
        "Searched for": METRICS[found["metric"]].title,
        "Run": f"{found['run']['title']} ({version.run_id})",
        "Version's id": version.id,
        "Registered": f"{numbers.when(version.created_at):%d %b %Y, %H:%M:%S}",
        "Plumbline": code["version"],
    }
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal", alt="Lineage")
        for title, content in (("Fingerprint of the table", table["fingerprint"]), ("Source code", code["source"])):
            st.caption(f"{title} (SHA-256)")
            st.code(content or "unknown", language=None, wrap_lines=True)
    with right:
        st.markdown("**Settings**")
        st.json(found["settings"], expanded=False)
        st.markdown("**Packages**")
        st.table(found["packages"], border="horizontal", width="content", alt="Packages")
