"""What admins of a workspace do with its alert channels."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Literal

from core.access import Access, Role, require_feature
from core.alerts.channel_kinds import CHANNEL_KINDS
from core.alerts.delivery import attempt
from core.alerts.message import Message
from core.alerts.outcome import Outcome
from core.alerts.target import ChannelTarget
from core.catalog import Alert, AlertChannel, AlertDelivery, alert_channels, alert_deliveries, models
from core.catalog.alert_tables import ALERT_LEVELS
from core.catalog.row import new_id
from core.errors import InputError, shortened
from core.registry import unknown_name

__all__ = [
    "add_channel",
    "change_channel",
    "channels",
    "last_delivery",
    "remove_channel",
    "shown_target",
    "try_channel",
]


def channels(*, access: Access) -> list[AlertChannel]:
    """Return the channels of a workspace, by name. A page shows `shown_target` of each, not its target."""
    return alert_channels.find(access=access)


def shown_target(channel: AlertChannel) -> str:
    """Return where a channel leads, without what may be secret in it.

    Examples
    --------
    >>> shown_target(AlertChannel(kind="webhook", target="https://hooks.example.org/services/T0/B0/x"))
    'https://hooks.example.org/…'
    """
    return CHANNEL_KINDS.require(channel.kind).shown_target(channel)


def last_delivery(channel_id: str, *, access: Access) -> AlertDelivery | None:
    """Return the newest delivery through a channel that was tried; None where there is none.

    Raises
    ------
    NotFoundError
        When the workspace does not have this channel.
    """
    alert_channels.get(channel_id, access=access)
    return alert_deliveries.newest(channel_id, access=access)


def add_channel(
    kind: str,
    name: str,
    target: str,
    *,
    credential: str = "",
    models: Sequence[str] | Literal["all"] = "all",
    min_level: str = "warning",
    access: Access,
) -> AlertChannel:
    """Add a channel that alerts of the workspace are sent through, from now on.

    Parameters
    ----------
    kind : str
        Kind of the channel, a key of `CHANNEL_KINDS`.
    name : str
        Name by which people know it.
    target : str
        Mail addresses, or the address of a server.
    credential : str, default=""
        Name of the credential that messages are signed with, where the kind signs them.
    models : sequence of str or "all", default="all"
        Ids of the models whose alerts are sent.
    min_level : str, default="warning"
        Lowest level that is sent, a key of `ALERT_LEVELS`.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person is not an admin, the profile has no channels, or the address may not be reached in it.
    InputError
        When a value cannot be used, or another channel has the name.
    SettingsError
        When the kind is unknown, or a setting or a credential that it needs is not set.

    See Also
    --------
    try_channel : Send a test alert through it.
    """
    require_feature("alert_channels")
    access.require(Role.ADMIN)
    checked = CHANNEL_KINDS.require(kind).check(ChannelTarget(target, credential, access.workspace))
    channel = AlertChannel(
        workspace=access.workspace,
        kind=kind,
        name=_checked_name(name),
        target=checked.target,
        credential=checked.credential,
        model_ids=_checked_models(models, access),
        min_level=_checked_level(min_level),
        who=access.actor[:200],
    )
    return alert_channels.add(channel, access=access)


def change_channel(
    channel_id: str,
    *,
    name: str | None = None,
    target: str | None = None,
    credential: str | None = None,
    models: Sequence[str] | Literal["all"] | None = None,
    min_level: str | None = None,
    enabled: bool | None = None,
    access: Access,
) -> AlertChannel:
    """Change a channel, and return it. What is not given stays; what waits for one that is turned off is withdrawn.

    Parameters
    ----------
    channel_id : str
        Id of the channel.
    name : str, optional
        Name by which people know it.
    target : str, optional
        Mail addresses, or the address of a server.
    credential : str, optional
        Name of the credential that messages are signed with.
    models : sequence of str or "all", optional
        Ids of the models whose alerts are sent.
    min_level : str, optional
        Lowest level that is sent.
    enabled : bool, optional
        Whether alerts are sent through it.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person is not an admin, the profile has no channels, or the address may not be reached in it.
    InputError
        When a value cannot be used, or another channel has the name.
    NotFoundError
        When the workspace does not have this channel.
    SettingsError
        When a setting or a credential that it needs is not set.
    """
    require_feature("alert_channels")
    access.require(Role.ADMIN)
    stored = alert_channels.get(channel_id, access=access)
    fields: dict[str, str | bool | list[str]] = {}
    if name is not None:
        fields["name"] = _checked_name(name)
    if models is not None:
        fields["model_ids"] = _checked_models(models, access, known=stored.model_ids)
    if min_level is not None:
        fields["min_level"] = _checked_level(min_level)
    if enabled is not None:
        fields["enabled"] = enabled
    if target is not None or credential is not None:
        given = ChannelTarget(
            stored.target if target is None else target,
            stored.credential if credential is None else credential,
            access.workspace,
        )
        checked = CHANNEL_KINDS.require(stored.kind).check(given)
        fields |= {"target": checked.target, "credential": checked.credential, "problem": ""}
    return alert_channels.change(channel_id, **fields, access=access) if fields else stored


def remove_channel(channel_id: str, *, access: Access) -> None:
    """Remove a channel. What was sent through it stays known; what waits is withdrawn.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    NotFoundError
        When the workspace does not have this channel.
    """
    alert_channels.remove(channel_id, access=access)


def try_channel(channel_id: str, *, access: Access) -> Outcome:
    """Send a test alert through a channel, once, and return at once what became of it.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace, or the profile has no channels.
    NotFoundError
        When the workspace does not have this channel.
    """
    require_feature("alert_channels")
    access.require(Role.ADMIN)
    channel, now = alert_channels.get(channel_id, access=access), time.time()
    alert = Alert(
        workspace=access.workspace,
        model_id="",
        event="test",
        level="info",
        title="This is a test",
        message="Someone tried this alert channel. No model is concerned.",
        raised_at=now,
    )
    outcome = attempt(Message(new_id(), alert, "", channel.name, is_test=True), channel, now)
    alert_channels.note_trial(channel_id, outcome.problem, access=access)
    return outcome


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise InputError(f"'{shortened(name, 40)}' is not a usable name.", "Choose 1 to 200 printable characters.")
    return name


def _checked_level(level: str) -> str:
    if level not in ALERT_LEVELS:
        raise InputError(f"'{shortened(level)}' is not a level of alerts.", unknown_name(level, ALERT_LEVELS))
    return level


def _checked_models(
    chosen: Sequence[str] | Literal["all"], access: Access, *, known: Collection[str] = ()
) -> list[str]:
    """Return the ids of models that exist, or that the channel has already; an empty list stands for all of them."""
    if chosen == "all":
        return []
    if isinstance(chosen, str) or not chosen:
        raise InputError("No model is chosen.", 'Choose at least one, or "all".')
    return [
        model_id if model_id in known else models.get(model_id, access=access).id for model_id in dict.fromkeys(chosen)
    ]
