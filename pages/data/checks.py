"""The tab Checks: the guardrails for the dataset's target, and a button for each finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalog import Dataset, datasets, versions
from core.datasets import GUARDRAILS, Finding, Fix, Recipe, fix_for
from core.jsonable import JsonObject
from core.tasks import prepare
from pages._ui import address, findings, frame
from pages.data import calls

__all__ = ["show"]

_SAFE = "Those that lose no information: columns are ignored, not dropped, and stray blanks are removed.\n"
_LISTED = 12


def show(dataset: Dataset) -> None:
    """Draw the guardrails for the dataset's target."""
    target = dataset.roles.get("target")
    if target is None:
        calls.choose_target(dataset, "Some checks need the target.")
    with st.popover("What is checked", icon=":material/help:", type="tertiary"):
        for guardrail in GUARDRAILS.values():
            st.markdown(f"**{guardrail.title}.** {guardrail.help}")
    current = versions.head(dataset, access=frame.access()).id == dataset.id
    safe = st.empty()
    results = findings.guardrails(
        dataset,
        target,
        dataset.roles.get("sensitive", []),
        action=(lambda number, finding: _fix_button(dataset, number, finding)) if current else None,
    )
    if results and current:
        safe_fixes = [(_fix(values, safe_only=True), values) for values in results]
        todo = [(fix, values) for fix, values in safe_fixes if fix is not None and not _done(dataset, fix)]
        fixes = [fix for fix, _ in todo]
        if len(fixes) > 1:
            safe.button(
                f"Apply all {len(fixes)} safe fixes",
                icon=":material/done_all:",
                help=_SAFE + "".join(f"\n- {frame.plain(_label(fix, values))}" for fix, values in todo[:_LISTED]),
                key="data-fix-all",
                on_click=_apply,
                args=(dataset, fixes, f"Apply {len(fixes)} safe fixes"),
            )


def _fix(values: Mapping[str, Any], *, safe_only: bool = False) -> Fix | None:
    return fix_for(Finding.from_dict(dict(values)), safe_only=safe_only)


def _done(dataset: Dataset, fix: Fix) -> bool:
    """Return whether the roles have what a fix would do."""
    target = dataset.roles.get("target")
    ignored = dataset.roles.get("ignore", [])
    if fix.ignore is not None:
        return fix.ignore in ignored or fix.ignore == target
    return fix.sensitive is not None and fix.sensitive in dataset.roles.get("sensitive", [])


def _fix_button(dataset: Dataset, number: int, values: Mapping[str, Any]) -> None:
    fix = _fix(values)
    if fix is None:
        return
    if _done(dataset, fix):
        if fix.ignore != dataset.roles.get("target"):
            st.caption("Done")
        return
    st.button(
        fix.label,
        key=f"data-fix-{values['check']}-{number}",
        on_click=_apply,
        args=(dataset, [fix], _label(fix, values)),
    )


def _label(fix: Fix, values: Mapping[str, Any]) -> str:
    if fix.steps:
        return fix.steps[0].describe()
    return f"{fix.label}: '{values['column']}'"


def _apply(dataset: Dataset, fixes: Sequence[Fix], label: str) -> None:
    """Change the roles at once, or make the next version with the steps of all fixes."""
    with frame.errors_shown():
        dataset = datasets.get(dataset.id, access=frame.access())  # roles may have been changed since in another tab
        roles = _roles(dataset, fixes)
        steps = [step for fix in fixes for step in fix.steps]
        if not steps:
            versions.set_roles(dataset, roles, label, access=frame.access())
            return
        recipe = Recipe([*prepare.recipe_of(dataset).steps, *steps])
        run_id = prepare.submit(dataset, recipe, label, roles=roles, access=frame.access())
        address.set_query(dataset=dataset.id, tab="Checks", preparing=run_id)


def _roles(dataset: Dataset, fixes: Sequence[Fix]) -> JsonObject:
    roles: JsonObject = {"target": None, "sensitive": [], "ignore": [], **dataset.roles}
    for role in ("ignore", "sensitive"):
        new = [name for fix in fixes if (name := getattr(fix, role)) is not None and name != roles["target"]]
        roles[role] = list(dict.fromkeys([*roles[role], *new]))
    return roles
