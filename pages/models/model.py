"""One model: which version is the champion and why, and the version in focus with its tabs."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import models
from core.catalog import Model, ModelVersion, runs
from core.catalog import models as rows
from pages._ui import address, badges, deletion, frame, header, tabs
from pages.decide import panel as decide
from pages.models import (
    card,
    compare,
    download,
    headline,
    history,
    lineage,
    metrics,
    monitor,
    promotion,
    score,
    versions,
)
from pages.models.metrics import OpenModel

__all__ = ["show"]


def _decide(opened: OpenModel) -> None:
    decide.show(runs.get(opened.version.run_id, access=frame.access()))


_TABS = {
    "Versions": versions.show,
    "Card": card.show,
    "Compare": compare.show,
    "Decide": _decide,
    "Score": score.show,
    "Monitor": monitor.show,
    "History": history.show,
    "Lineage": lineage.show,
}


def show(model: Model) -> None:
    """Draw a model."""
    known = models.versions(model.id, access=frame.access())
    aliases = rows.aliases(model.id, access=frame.access())
    champion = aliases.get(rows.CHAMPION)
    badge = badges.Badge("No champion", "gray", ":material/trophy:")
    if champion is not None:
        badge = badges.Badge(f"Champion: version {champion}", "green", ":material/trophy:")
    actions = header.show_object(model.name, back="All models", badge=badge)
    deletion.notices("version")
    headline.show(known, aliases)
    promotion.show(model)
    version = _choose_version(model, known, aliases)
    with actions:
        download.show(model, version)
        with st.popover("Manage", icon=":material/settings:", key="models-manage", on_change="rerun"):
            st.caption("The model with all of its versions")
            deletion.button("model", model.id, menu="models-manage")
            st.caption(f"Version {version.number} alone")
            deletion.button(
                "version", version.id, name="delete-version", after={"model": model.id}, menu="models-manage"
            )
    opened = OpenModel(model, known, aliases, version)
    tabs.show({name: partial(show_tab, opened) for name, show_tab in _TABS.items()}, key="models-tabs")


def _choose_version(model: Model, known: list[ModelVersion], aliases: dict[str, int]) -> ModelVersion:
    by_number = {version.number: version for version in known}
    usable = [number for number, version in by_number.items() if version.archived_at is None] or list(by_number)
    default = aliases.get(rows.CHAMPION, usable[0])
    key = metrics.choice_key(f"models-version-{model.id}", known, aliases)
    linked = st.query_params.get("version")
    if linked and linked not in {str(number) for number in by_number}:
        named = f"version {linked}" if linked.isdecimal() and len(linked) <= 6 else "such version"
        st.warning(f"There is no {named} of this model; version {default} is shown.")
    shown = address.restore("version", list(by_number), default, key)
    chosen = st.selectbox(
        "Version",
        list(by_number),
        format_func=lambda number: metrics.version_name(by_number[number], aliases),
        key=key,
        width=320,
    )
    address.keep("version", chosen, shown, key)
    return by_number[chosen]
