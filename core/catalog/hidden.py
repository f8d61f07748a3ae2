"""What is deleted is hidden: no query of the catalog sees it, whatever it selects, counts or changes.

This is the one place that says so. Each statement of a session gets the conditions below, unless it asks for all rows
with the execution option `ALL_ROWS`, as housekeeping does: a content is needed as long as its row can be had back.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, event
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlmodel import col, select

from core.catalog.alert_tables import Alert, AlertDelivery
from core.catalog.confined import ConfinedSession
from core.catalog.monitor_tables import MonitorPlan
from core.catalog.pipeline_tables import PipelineStep, SavedPipeline, Schedule
from core.catalog.row import Deletable, Row
from core.catalog.tables import (
    Dataset,
    DatasetChange,
    Model,
    ModelAlias,
    ModelEvent,
    ModelVersion,
    Promotion,
    Run,
    RunArtifact,
    RunEvent,
    RunLog,
)

__all__ = ["ALL_ROWS", "DELETABLE", "PARTS"]

ALL_ROWS = {"include_deleted": True}
"""Execution option of a statement that sees all rows."""

DELETABLE: tuple[type[Deletable], ...] = (Dataset, Run, Model, ModelVersion, SavedPipeline, Schedule)
"""Tables whose rows have a mark of their own."""

PARTS: tuple[tuple[type[Row], str, type[Deletable]], ...] = (
    (RunEvent, "run_id", Run),
    (RunArtifact, "run_id", Run),
    (RunLog, "run_id", Run),
    (PipelineStep, "pipeline_run_id", Run),
    (ModelAlias, "model_id", Model),
    (ModelEvent, "model_id", Model),
    (Promotion, "model_id", Model),
    (MonitorPlan, "model_id", Model),
    (Alert, "model_id", Model),
    (AlertDelivery, "model_id", Model),
    (DatasetChange, "origin_id", Dataset),
)
"""Tables whose rows are hidden with the row that the column names; its removal removes them, too."""


def _with_owner(column: str, part: type[Row], owner: type[Deletable]) -> ColumnElement[bool]:
    table = owner.__table__  # type: ignore[attr-defined]
    hidden = select(table.c.id).where(table.c.deletion_id.is_not(None))
    return col(getattr(part, column)).not_in(hidden)


def _condition(table: type[Row], condition: ColumnElement[bool]) -> ExecutableOption:
    return with_loader_criteria(table, condition, include_aliases=True)


_OWN = [_condition(table, col(table.deletion_id).is_(None)) for table in DELETABLE]
_OF_PARTS = {part: _condition(part, _with_owner(column, part, owner)) for part, column, owner in PARTS}


@event.listens_for(ConfinedSession, "do_orm_execute")
def _hide(state: ORMExecuteState) -> None:
    if not state.execution_options.get("include_deleted", False):
        parts = [_OF_PARTS[mapper.class_] for mapper in state.all_mappers if mapper.class_ in _OF_PARTS]
        state.statement = state.statement.options(*_OWN, *parts)
