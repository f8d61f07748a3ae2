"""Where alerts are sent to: the channels of the workspace, a test alert for each, and what became of the last one."""

from __future__ import annotations

import time

import streamlit as st

from core import alerts, models
from core.access import FEATURES, Role, has_feature, profile
from core.alerts import ALERT_LEVELS, CHANNEL_KINDS, DELIVERY_STATES, Outcome
from core.catalog import AlertChannel
from core.errors import PlumblineError
from pages._ui import badges, frame, numbers, popovers
from pages.workspace import channel_form

__all__ = ["show"]

_TRIED = "workspace-channel-tried"
"""Key of what became of the last test alert, in the state of the session: the channel's id, and the outcome."""
_ICONS = {"email": ":material/mail:", "webhook": ":material/webhook:"}


def show() -> None:
    """Draw the channels, and the form for another one."""
    if not has_feature("alert_channels"):
        feature = FEATURES["alert_channels"]
        st.info(
            f"{feature.reason} Alerts are shown on the page of their model and on Home. An installation of your own "
            "sends them by e-mail and to webhooks.",
            title=f"There are no alert channels in this {profile().name}",
            icon=":material/notifications_off:",
        )
        return
    popovers.close_asked()
    known = alerts.channels(access=frame.access())
    names = {model.id: model.name for model in models.find(access=frame.access())}
    if not known:
        st.caption("Alerts are shown on the page of their model and on Home. With a channel they are sent, too.")
    for channel in known:
        _channel(channel, names)
    if not frame.access().may(Role.ADMIN):
        st.caption("Admins of the workspace add and change channels.")
        return
    with st.popover("Add a channel", icon=":material/add:", key="workspace-channel-add", on_change="rerun") as popover:
        if popover.open:
            channel_form.add(names)


def _channel(channel: AlertChannel, names: dict[str, str]) -> None:
    key = f"workspace-channel-{channel.id}"
    with st.container(border=True, key=key):
        with st.container(horizontal=True, vertical_alignment="center"):
            on = badges.Badge("On", "green", ":material/notifications_active:")
            badges.show(on if channel.enabled else badges.Badge("Off", "gray", ":material/notifications_off:"))
            st.markdown(f"**{frame.plain(channel.name)}**", width="content")
            st.caption(f"{_icon(channel)} {_kind(channel)}: {frame.plain(_target(channel))}", width="content")
            st.space("stretch")
            if frame.access().may(Role.ADMIN):
                _actions(channel, names, key)
        st.caption(_sends(channel, names))
        _last(channel)
        tried = st.session_state.get(_TRIED)
        shown = ""
        if tried is not None and tried[0] == channel.id:
            _outcome(*tried[1:])
            shown = tried[1].problem
        if channel.problem and channel.problem != shown:
            st.warning(frame.plain(channel.problem), icon=":material/warning:")


def _kind(channel: AlertChannel) -> str:
    kind = CHANNEL_KINDS.get(channel.kind)
    return frame.plain(channel.kind) if kind is None else kind.title


def _icon(channel: AlertChannel) -> str:
    return _ICONS.get(channel.kind, ":material/send:")


def _target(channel: AlertChannel) -> str:
    try:
        return alerts.shown_target(channel)
    except PlumblineError as error:  # such as a kind of an extension that is no longer there
        return error.message


def _sends(channel: AlertChannel, names: dict[str, str]) -> str:
    level = ALERT_LEVELS[channel.min_level].lower()
    of = ", ".join(frame.plain(names.get(item, "a deleted model")) for item in channel.model_ids) or "all models"
    signed = f" Signed with {frame.plain(channel.credential)}." if channel.credential else ""
    return f"Alerts of {of}, from level {level} on.{signed}"


def _last(channel: AlertChannel) -> None:
    last = alerts.last_delivery(channel.id, access=frame.access())
    if last is None:
        st.caption("No alert was sent yet.")
        return
    when = numbers.ago(last.delivered_at or last.created_at)
    st.caption(f"Last alert, {when}: {DELIVERY_STATES[last.state].lower()}, attempts: {last.attempts:,}.")


def _actions(channel: AlertChannel, names: dict[str, str], key: str) -> None:
    st.button("Send a test alert", icon=":material/send:", key=f"{key}-try", on_click=_try, args=(channel.id,))
    if channel.kind in CHANNEL_KINDS:  # a removed extension may have had the kind
        with st.popover("Edit", icon=":material/edit:", key=f"{key}-edit", on_change="rerun") as popover:
            if popover.open:
                channel_form.change(channel, names)
    st.button(
        "Turn off" if channel.enabled else "Turn on",
        icon=":material/pause:" if channel.enabled else ":material/play_arrow:",
        key=f"{key}-toggle",
        on_click=_toggle,
        args=(channel.id, not channel.enabled),
    )
    with st.popover("Remove…", icon=":material/delete:", key=f"{key}-remove"):
        st.markdown("Nothing more is sent through it. What waits for it is withdrawn; what was sent stays known.")
        st.button("Remove", type="primary", key=f"{key}-remove-confirm", on_click=_remove, args=(channel.id,))


def _outcome(outcome: Outcome, at: float) -> None:
    """Draw what became of a test alert."""
    if outcome.state == "delivered":
        st.success(f"The test alert was delivered, {numbers.ago(at)}.", icon=":material/check_circle:")
    else:
        again = " An alert would be tried again later." if outcome.state == "waiting" else ""
        st.error(
            f"{frame.plain(outcome.problem)}{again}", title="The test alert was not delivered", icon=":material/error:"
        )
    if outcome.state == "delivered" and outcome.problem:
        st.caption(frame.plain(outcome.problem))


def _try(channel_id: str) -> None:
    with frame.errors_shown():
        outcome = alerts.try_channel(channel_id, access=frame.access())
        st.session_state[_TRIED] = (channel_id, outcome, time.time())


def _toggle(channel_id: str, enabled: bool) -> None:
    with frame.errors_shown():
        alerts.change_channel(channel_id, enabled=enabled, access=frame.access())


def _remove(channel_id: str) -> None:
    with frame.errors_shown():
        alerts.remove_channel(channel_id, access=frame.access())
        st.toast("The channel was removed.", icon=":material/delete:")
