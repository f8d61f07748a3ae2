"""The tab Roles: the target, people's attributes, and columns that a model must not use."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset, versions
from pages._ui import address, frame, tables

__all__ = ["show"]


def show(dataset: Dataset) -> None:
    """Draw the form with the roles of the columns."""
    names = tables.column_names(dataset)
    stored = dataset.roles
    with st.form("data-roles", border=False):
        target = st.selectbox(
            "Target",
            names,
            index=names.index(stored["target"]) if stored.get("target") in names else None,
            placeholder="Choose the column to predict",
            key=f"data-role-target-{dataset.id}",
        )
        sensitive = st.multiselect(
            "Sensitive",
            names,
            default=[name for name in stored.get("sensitive", []) if name in names],
            help="People's attributes, such as sex or age. Results are compared between their groups.",
            key=f"data-role-sensitive-{dataset.id}",
        )
        ignore = st.multiselect(
            "Ignore",
            names,
            default=[name for name in stored.get("ignore", []) if name in names],
            help="Columns that a model must not use, for example because they are known only after the target.",
            key=f"data-role-ignore-{dataset.id}",
        )
        if st.form_submit_button("Save roles", type="primary", key="data-roles-save"):
            if target in ignore:
                frame.show_error(f"'{target}' cannot be both the target and ignored.", "Remove it from one of the two.")
            else:
                values = {"target": target, "sensitive": sensitive, "ignore": ignore}
                versions.set_roles(dataset, values, "Change roles", who=address.who())
                st.toast("Roles saved", icon=":material/check:")
                st.rerun()
