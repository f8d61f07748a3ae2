"""The form of an alert channel: the fields that its kind has, by the registry of kinds."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from core import alerts
from core.alerts import ALERT_LEVELS, CHANNEL_KINDS, ChannelKind
from core.catalog import AlertChannel
from pages._ui import frame, popovers

__all__ = ["add", "change"]

_CREDENTIAL = (
    "Name of the credential that messages are signed with, such as WEBHOOK_SALES: it begins with WEBHOOK_. Whoever "
    "runs the server sets its value, a random text of 16 characters or more, as PLUMBLINE_SECRET_WEBHOOK_SALES or "
    "in the file of secrets. The value is never written here."
)


def add(names: dict[str, str]) -> None:
    """Draw the form of a new channel; `names` are those of the models, by their ids."""
    types = list(CHANNEL_KINDS)
    name = st.segmented_control(
        "Send by",
        types,
        default=types[0],
        required=True,
        format_func=lambda kind: CHANNEL_KINDS[kind].title,
        key="workspace-channel-kind",
    )
    kind = CHANNEL_KINDS[str(name)]
    st.caption(kind.help)
    values = _fields(kind, f"workspace-channel-new-{kind.name}", names, None)
    if st.button("Add", type="primary", icon=":material/add:", key="workspace-channel-new-add"):
        with frame.errors_shown():
            channel = alerts.add_channel(kind.name, **values, access=frame.access())
            st.toast(f"{frame.plain(channel.name)} was added. Send a test alert now.", icon=":material/notifications:")
            popovers.close("workspace-channel-add")


def change(channel: AlertChannel, names: dict[str, str]) -> None:
    """Draw the form of a channel that there is."""
    kind = CHANNEL_KINDS.require(channel.kind)
    key = f"workspace-channel-{channel.id}"
    values = _fields(kind, key, names, channel)
    if st.button("Save", type="primary", key=f"{key}-save"):
        given = {name: value for name, value in values.items() if name != "target" or value.strip()}
        with frame.errors_shown():
            alerts.change_channel(channel.id, **given, access=frame.access())
            st.toast("Saved.", icon=":material/check:")
            popovers.close(f"{key}-edit")


def _fields(kind: ChannelKind, key: str, names: dict[str, str], channel: AlertChannel | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": st.text_input(
            "Name", "" if channel is None else channel.name, key=f"{key}-name", max_chars=200, placeholder="On call"
        ),
        "target": st.text_input(
            kind.target_title,
            _shown(channel),
            key=f"{key}-target",
            help=kind.target_help,
            placeholder=None if channel is None else f"{alerts.shown_target(channel)} (stays)",
        ),
    }
    if kind.signs:
        values["credential"] = st.text_input(
            "Credential",
            "" if channel is None else channel.credential,
            key=f"{key}-credential",
            help=_CREDENTIAL,
            placeholder="WEBHOOK_SALES",
        )
    levels = list(ALERT_LEVELS)
    values["min_level"] = st.selectbox(
        "From level",
        levels,
        index=levels.index("warning" if channel is None else channel.min_level),
        format_func=ALERT_LEVELS.__getitem__,
        key=f"{key}-level",
    )
    limited = [] if channel is None else channel.model_ids
    chosen = st.multiselect(
        "Models",
        [*names, *(item for item in limited if item not in names)],  # a deleted one can come back
        limited,
        format_func=lambda item: names.get(item, "A deleted model"),
        key=f"{key}-models",
        placeholder="All models",
    )
    every: Literal["all"] = "all"
    values["models"] = chosen or every
    return values


def _shown(channel: AlertChannel | None) -> str:
    """Return the target for a form: nothing of one that may hold a secret, which stays where nothing is written."""
    return channel.target if channel is not None and alerts.shown_target(channel) == channel.target else ""
