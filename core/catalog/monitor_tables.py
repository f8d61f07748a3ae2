"""The catalog's table of how models are watched. Times are seconds since the epoch (UTC)."""

from __future__ import annotations

import time

from sqlalchemy import JSON, Column
from sqlmodel import Field

from core.catalog.row import Row
from core.jsonable import JsonObject

__all__ = ["MonitorPlan"]


class MonitorPlan(Row, table=True):
    """How a model is watched: its rules and bounds, and the columns whose drift is known."""

    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    settings: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    who: str = Field(default="", max_length=200)  # who changed it last
    changed_at: float = Field(default_factory=time.time)
