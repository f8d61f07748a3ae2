"""Alerts about models: raised once per event, decided on by people, and sent by e-mail and to webhooks.

A task raises an alert (`raise_alert`); the messages about it wait in the same transaction, one for each channel of the
workspace that takes it. A server sends what is due (`deliver_due`), in several attempts where it has to. A message is
sent again, with the same id, where a process dies after it has sent it and before it has noted so.
"""

from core.alerts.actions import (
    acknowledge,
    alerts_of,
    deliveries,
    mute,
    open_alerts,
    raise_alert,
    resolve,
)
from core.alerts.channel_actions import (
    add_channel,
    change_channel,
    channels,
    last_delivery,
    remove_channel,
    shown_target,
    try_channel,
)
from core.alerts.channel_kinds import CHANNEL_KINDS, ChannelKind
from core.alerts.delivery import deliver_due
from core.alerts.message import Message
from core.alerts.outcome import Outcome
from core.alerts.target import ChannelTarget
from core.catalog.alert_tables import ALERT_LEVELS, ALERT_STATES, DELIVERY_STATES

__all__ = [
    "ALERT_LEVELS",
    "ALERT_STATES",
    "CHANNEL_KINDS",
    "DELIVERY_STATES",
    "ChannelKind",
    "ChannelTarget",
    "Message",
    "Outcome",
    "acknowledge",
    "add_channel",
    "alerts_of",
    "change_channel",
    "channels",
    "deliver_due",
    "deliveries",
    "last_delivery",
    "mute",
    "open_alerts",
    "raise_alert",
    "remove_channel",
    "resolve",
    "shown_target",
    "try_channel",
]
