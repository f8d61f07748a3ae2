"""The tab Lineage: the table, run, settings and software that a version was made of."""

from __future__ import annotations

import streamlit as st

from core import jobs
from pages._ui import frame, lookups, numbers, run_actions
from pages.models import metrics
from pages.models.metrics import OpenModel

__all__ = ["show"]


def show(opened: OpenModel) -> None:
    """Draw the lineage of the version in focus."""
    version = opened.version
    lineage = version.lineage
    table, code, run = lineage["dataset"], lineage["registered_with"], lineage["run"]
    st.markdown(f"**Version {version.number} can be traced to its table, run, settings and software**")
    with st.container(horizontal=True):
        if st.button("Open the run", icon=":material/model_training:", key="models-to-maker"):
            st.switch_page(f"pages/{jobs.task_spec(run['task']).page}/page.py", query_params={"run": version.run_id})
        if lookups.existing_dataset(table["id"]) and st.button(
            "Open the table", icon=":material/table_chart:", key="models-to-data"
        ):
            st.switch_page("pages/data/page.py", query_params={"dataset": table["id"]})
        run_actions.log(version.run_id)
    facts = {
        "Table": table["name"] or "deleted before the registration",
        "Version of the table": table.get("number") or "–",
        "Rows": "–" if table["rows"] is None else f"{table['rows']:,}",
        "Source": table["source"] or "–",
        "Predicts": lineage["target"],
        "Task": lineage["task"],
        "Optimized for": metrics.metric_title(lineage["metric"]),
        "Run": f"{run['title']} ({version.run_id})",
        "Version id": version.id,
        "Registered": f"{numbers.when(version.created_at):%d %b %Y, %H:%M:%S}",
        "Plumbline": code["version"],
    }
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal", alt="Lineage")
        for title, digest in (("Fingerprint of the table", table["fingerprint"]), ("Source code", code["source"])):
            st.caption(f"{title} (SHA-256)")
            st.code(digest or "unknown", language=None, wrap_lines=True)
    with right:
        st.markdown("**Settings**")
        st.json(lineage["settings"], expanded=False)
        st.markdown("**Packages**")
        st.table(lineage["packages"], border="horizontal", width="content", alt="Packages")
