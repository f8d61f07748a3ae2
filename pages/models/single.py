"""One model: which version counts and why, and a version in full."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core import models
from core.catalog import Model, ModelVersion
from core.catalog import models as rows
from pages._ui import address, badges, frame, header, tabs
from pages.models import card, compare, figures, finding, hand_on, past, score, versions
from pages.models.figures import Opened

__all__ = ["show"]

_TABS = {
    "Versions": versions.show,
    "Card": card.show,
    "Compare": compare.show,
    "Score": score.show,
    "History": past.history,
    "Lineage": past.lineage,
}


def show(model: Model) -> None:
    """Draw a model."""
    found = models.versions(model.id, workspace=frame.workspace())
    aliases = rows.aliases(model.id, frame.workspace())
    champion = aliases.get(rows.CHAMPION)
    badge = badges.Badge("No champion", "gray", ":material/trophy:")
    if champion is not None:
        badge = badges.Badge(f"Champion: version {champion}", "green", ":material/trophy:")
    actions = header.show_object(model.name, back="All models", badge=badge)
    finding.show(found, aliases)
    version = _chosen(model, found, aliases)
    with actions:
        hand_on.show(model, version)
    opened = Opened(model, found, aliases, version)
    tabs.show({name: partial(show_tab, opened) for name, show_tab in _TABS.items()}, key="models-tabs")


def _chosen(model: Model, found: list[ModelVersion], aliases: dict[str, int]) -> ModelVersion:
    by_number = {version.number: version for version in found}
    usable = [number for number, version in by_number.items() if version.archived_at is None] or list(by_number)
    default = aliases.get(rows.CHAMPION, usable[0])
    key = figures.key(f"models-version-{model.id}", found, aliases)
    wanted = st.query_params.get("version")
    if wanted and wanted not in {str(number) for number in by_number}:
        st.warning(f"There is no version {frame.plain(wanted[:20])} of this model; version {default} is shown.")
    shown = address.restore("version", list(by_number), default, key)
    chosen = st.selectbox(
        "Version",
        list(by_number),
        format_func=lambda number: figures.name(by_number[number], aliases),
        key=key,
        width=320,
    )
    address.keep("version", chosen, shown, key)
    return by_number[chosen]
