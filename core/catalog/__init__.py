"""The catalog: what exists (datasets, runs with their events and files, models, pipelines, schedules), in SQL.

Modules are imported by name (``from core.catalog import runs``). Each has the queries over one table.
"""

from core.catalog import hidden as hidden  # what is deleted is hidden from the first query on
from core.catalog.access_tables import AuditRecord, Invitation, Membership, Workspace
from core.catalog.alert_tables import Alert, AlertChannel, AlertDelivery
from core.catalog.monitor_tables import MonitorPlan
from core.catalog.pipeline_tables import ApprovedCode, PipelineComponent, PipelineStep, SavedPipeline, Schedule
from core.catalog.tables import (
    ACTIVE,
    TERMINAL,
    Dataset,
    DatasetChange,
    Deletion,
    Model,
    ModelEvent,
    ModelVersion,
    Promotion,
    Run,
    RunArtifact,
    RunEvent,
    RunState,
)

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "ApprovedCode",
    "AuditRecord",
    "Dataset",
    "DatasetChange",
    "Deletion",
    "Invitation",
    "Membership",
    "Model",
    "ModelEvent",
    "ModelVersion",
    "MonitorPlan",
    "PipelineComponent",
    "PipelineStep",
    "Promotion",
    "Run",
    "RunArtifact",
    "RunEvent",
    "RunState",
    "SavedPipeline",
    "Schedule",
    "Workspace",
]
