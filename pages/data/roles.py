"""The tab Roles: the target, people's attributes, and columns that a model must not use."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.catalog import Dataset, datasets, versions
from core.datasets import suspected_attribute
from core.errors import InputError
from core.jsonable import JsonObject
from pages._ui import address, frame, suggestions, tables

__all__ = ["ROLES", "of_column", "show"]

ROLES = {
    "target": "Target",
    "sensitive": "Sensitive",
    "ignore": "Ignored",
}
_HELP = {
    "sensitive": "People's attributes, such as sex or age. Results are compared between their groups.",
    "ignore": "Columns that a model must not use, for example because they are known only after the target.",
}
_SHOWN = 10


def show(dataset: Dataset) -> None:
    """Draw the form with the roles of the columns."""
    names = tables.column_names(dataset)
    stored = dataset.roles
    target = stored.get("target") if stored.get("target") in names else None
    target_key = f"data-role-target-{dataset.id}"
    suggested = address.restore_optional("target", names, target, target_key)
    with st.form("data-roles", border=False):
        chosen = st.selectbox("Target", names, index=None, placeholder="Choose the column to predict", key=target_key)
        if suggested != target:
            suggestions.explain(dataset, "roles", {"target": chosen})
        for role in _HELP:
            key = f"data-role-{role}-{dataset.id}"
            address.follow([name for name in stored.get(role, []) if name in names], key)
            st.multiselect(ROLES[role], names, placeholder="Choose columns", help=_HELP[role], key=key)
            if role == "sensitive":
                _suspected(names, stored)
        st.form_submit_button("Save roles", type="primary", key="data-roles-save", on_click=_save, args=(dataset,))


def _suspected(names: Sequence[str], stored: JsonObject) -> None:
    """Name the columns that look like attributes of people and have no role."""
    taken = {stored.get("target"), *stored.get("sensitive", []), *stored.get("ignore", [])}
    suspected = [name for name in names if name not in taken and suspected_attribute(name)]
    if suspected:
        listed = ", ".join(f"'{name}'" for name in suspected[:_SHOWN])
        more = f" and {len(suspected) - _SHOWN:,} more" if len(suspected) > _SHOWN else ""
        st.caption(frame.plain(f"May be attributes of people, by their names: {listed}{more}."))


def _save(dataset: Dataset) -> None:
    """Store the roles of the form, unless they were changed since it was drawn."""
    roles = {role: st.session_state[f"data-role-{role}-{dataset.id}"] for role in ROLES}
    with frame.errors_shown():
        if datasets.get(dataset.id, access=frame.access()).roles != dataset.roles:
            raise InputError("The roles were changed meanwhile, perhaps in another tab.", "Look at them, then repeat.")
        if roles["target"] in roles["ignore"]:
            raise InputError(
                f"'{roles['target']}' cannot be both the target and ignored.", "Remove it from one of the two."
            )
        versions.set_roles(dataset, roles, "Change roles", access=frame.access())
        address.set_query(dataset=dataset.id, tab="Roles")
        st.toast("Roles saved", icon=":material/check:")


def of_column(dataset: Dataset, name: str) -> None:
    """Draw the roles of one column; a change is stored at once."""
    key = f"data-column-role-{dataset.id}-{name}"
    st.session_state[key] = _of(dataset.roles, name)
    st.multiselect(
        "Role",
        list(ROLES),
        placeholder="None: the column is used",
        width=360,
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
    """Store the roles that were chosen; what was chosen last wins between target and ignored.

    Only what was changed here is changed: other columns, and other roles, may have been changed since in another tab.
    """
    before, chosen = set(_of(dataset.roles, name)), set(st.session_state[key])
    added = chosen - before
    if {"target", "ignore"} <= chosen:
        chosen -= {"target", "ignore"} - added
    with frame.errors_shown():
        stored = datasets.get(dataset.id, access=frame.access()).roles
        replaced = stored.get("target")
        roles: JsonObject = {"target": replaced}
        if "target" in chosen:
            roles["target"] = name
        elif replaced == name:
            roles["target"] = None
        for role in ("sensitive", "ignore"):
            others = [item for item in stored.get(role, []) if item != name]
            roles[role] = [*others, name] if role in chosen else others
        versions.set_roles(dataset, roles, f"Change the role of '{name}'", access=frame.access())
        if "target" in added and replaced:
            st.toast(frame.plain(f"'{name}' is the target now, '{replaced}' was before."), icon=":material/flag:")
        else:
            st.toast("Role saved", icon=":material/check:")
