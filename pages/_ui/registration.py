"""The link from a finished run to the model registry, where new rows are scored."""

from __future__ import annotations

import streamlit as st

from core.catalog import Run, models
from pages._ui import frame, keys

__all__ = ["show"]


def show(run: Run) -> None:
    """Draw the button that registers the model of a run, or the versions that are registered."""
    known = models.of_run(run.id, access=frame.access())
    if not known:
        st.markdown("A registered model has a name, versions and a card, and scores single rows and files.")
        if st.button("Register this model", type="primary", icon=":material/inventory:", key=keys.key("register")):
            st.switch_page("pages/models/page.py", query_params={"register": run.id, "tab": "Score"})
        return
    for version in known:
        model = models.get(version.model_id, access=frame.access())
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{frame.plain(model.name)}**, version {version.number}", width="content")
            if st.button("Score rows", icon=":material/arrow_forward:", key=keys.key(f"score-{version.id}")):
                st.switch_page(
                    "pages/models/page.py",
                    query_params={"model": model.id, "version": str(version.number), "tab": "Score"},
                )
