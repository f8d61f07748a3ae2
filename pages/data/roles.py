"""The tab Roles: the target, people's attributes, and columns that a model must not use."""

from __future__ import annotations

import streamlit as st

from core.catalog import Dataset, versions
from core.jsonable import JsonObject
from pages._ui import address, frame, tables

__all__ = ["ROLES", "of_column", "show"]

ROLES = {
    "target": "Target",
    "sensitive": "Sensitive",
    "ignore": "Ignored",
}


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


def of_column(dataset: Dataset, name: str) -> None:
    """Draw the roles of one column; a change is stored at once."""
    key = f"data-column-role-{dataset.id}-{name}"
    st.session_state[key] = _of(dataset.roles, name)
    st.pills(
        "Role",
        list(ROLES),
        selection_mode="multi",
        format_func=ROLES.__getitem__,
        help="Target: the column to predict. Sensitive: an attribute of people; their groups are compared. "
        "Ignored: a model must not use the column.",
        key=key,
        on_change=_store,
        args=(dataset, name, key),
    )


def _of(roles: JsonObject, name: str) -> list[str]:
    is_target = ["target"] if roles.get("target") == name else []
    return is_target + [role for role in ("sensitive", "ignore") if name in roles.get(role, [])]


def _store(dataset: Dataset, name: str, key: str) -> None:
    """Store the roles that were chosen; what was chosen last wins between target and ignored."""
    before, chosen = set(_of(dataset.roles, name)), set(st.session_state[key])
    added = chosen - before
    if {"target", "ignore"} <= chosen:
        chosen -= {"target", "ignore"} - added
    roles: JsonObject = {"target": dataset.roles.get("target")}
    if "target" in chosen:
        roles["target"] = name
    elif roles["target"] == name:
        roles["target"] = None
    for role in ("sensitive", "ignore"):
        others = [item for item in dataset.roles.get(role, []) if item != name]
        roles[role] = [*others, name] if role in chosen else others
    with frame.errors_shown():
        versions.set_roles(dataset, roles, f"Change the role of '{name}'", who=address.who())
        replaced = dataset.roles.get("target")
        if "target" in added and replaced:
            st.toast(frame.plain(f"'{name}' is the target now, '{replaced}' was before."), icon=":material/flag:")
        else:
            st.toast("Role saved", icon=":material/check:")
