"""The catalog's tables of alerts, of the channels that they are sent through, and of what was sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from core.catalog.row import Row, new_id
from core.jsonable import JsonObject

__all__ = ["ALERT_LEVELS", "ALERT_STATES", "DELIVERY_STATES", "Alert", "AlertChannel", "AlertDelivery"]

ALERT_LEVELS: Final[Mapping[str, str]] = {"info": "Information", "warning": "Warning", "critical": "Critical"}
"""Title by level of an alert, in rising order."""

ALERT_STATES: Final[Mapping[str, str]] = {
    "open": "Open",
    "acknowledged": "Acknowledged",
    "muted": "Muted",
    "resolved": "Resolved",
}
"""Title by state of an alert."""

DELIVERY_STATES: Final[Mapping[str, str]] = {
    "waiting": "Waiting",
    "delivered": "Delivered",
    "failed": "Failed",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}
"""Title by state of a delivery. Only one that waits is tried again."""


class Alert(Row, table=True):
    """Something about a model that people have to know. The same event is one alert, however often it is raised."""

    __table_args__ = (
        UniqueConstraint("workspace", "model_id", "event"),
        Index("ix_alert_state", "workspace", "state", "raised_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", index=True, max_length=16)
    run_id: str = Field(default="", max_length=16)  # the run that raised it, which may be deleted by now
    event: str = Field(max_length=200)  # key of what happened, such as "drift/2026-11-30"
    level: str = Field(default="warning", max_length=16)
    title: str = Field(max_length=300)
    message: str = ""
    hint: str = ""
    facts: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    raised_at: float = Field(default_factory=time.time)
    state: str = Field(default="open", max_length=16)
    muted_until: float | None = None  # None for as long as it is muted
    decided_by: str = Field(default="", max_length=200)
    decided_at: float | None = None
    decided_why: str = ""

    def state_at(self, now: float) -> str:
        """Return the state at a time: what is muted until then is open again.

        Examples
        --------
        >>> alert = Alert(title="Drift", state="muted", muted_until=100.0)
        >>> alert.state_at(99.0), alert.state_at(100.0)
        ('muted', 'open')
        """
        over = self.state == "muted" and self.muted_until is not None and self.muted_until <= now
        return "open" if over else self.state


class AlertChannel(Row, table=True):
    """Where alerts of a workspace are sent to. It names its credential and never holds its value."""

    __table_args__ = (UniqueConstraint("workspace", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    kind: str = Field(max_length=16)  # a key of `core.alerts.CHANNEL_KINDS`
    name: str = Field(max_length=200)
    target: str  # addresses of people, or of a server
    credential: str = Field(default="", max_length=64)  # name of the credential that messages are signed with
    enabled: bool = True
    model_ids: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # empty for all models
    min_level: str = Field(default="warning", max_length=16)
    problem: str = ""  # why the last message was not delivered; empty when it was
    who: str = Field(default="", max_length=200)
    created_at: float = Field(default_factory=time.time)

    def takes(self, alert: Alert) -> bool:
        """Return whether an alert is sent through this channel.

        Examples
        --------
        >>> channel = AlertChannel(min_level="warning", model_ids=["m"], enabled=True)
        >>> channel.takes(Alert(level="critical", model_id="m")), channel.takes(Alert(level="info", model_id="m"))
        (True, False)
        """
        order = list(ALERT_LEVELS)
        wanted = not self.model_ids or alert.model_id in self.model_ids
        return self.enabled and wanted and order.index(alert.level) >= order.index(self.min_level)


class AlertDelivery(Row, table=True):
    """One alert on its way through one channel: whether it was sent, and when it is tried next.

    A process takes it by moving ``next_at`` on, so that one of several sends it. It stays when its channel is removed.
    """

    __table_args__ = (UniqueConstraint("alert_id", "channel_id"), Index("ix_alertdelivery_due", "state", "next_at"))

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    alert_id: str = Field(foreign_key="alert.id", ondelete="CASCADE", max_length=16)
    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", index=True, max_length=16)
    channel_id: str = Field(index=True, max_length=16)
    channel: str = Field(max_length=200)  # its name then
    kind: str = Field(max_length=16)
    state: str = Field(default="waiting", max_length=16)
    attempts: int = 0
    next_at: float
    delivered_at: float | None = None
    problem: str = ""
    created_at: float = Field(default_factory=time.time)
