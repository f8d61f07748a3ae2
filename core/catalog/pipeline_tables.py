"""The catalog's tables of pipelines and schedules. Times are seconds since the epoch (UTC)."""

from __future__ import annotations

import time

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field

from core.catalog.row import Deletable, Row, new_id
from core.catalog.tables import unique_if_shown
from core.jsonable import JsonObject

__all__ = ["ApprovedCode", "PipelineComponent", "PipelineStep", "SavedPipeline", "Schedule"]


class PipelineStep(Row, table=True):
    """One step of one run of a pipeline: what it was made of, which run executed it, and the files it made."""

    __table_args__ = (
        Index("ix_pipelinestep_key", "workspace", "key"),
        Index("ix_pipelinestep_path", "workspace", "pipeline", "path"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    pipeline_run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", index=True, max_length=16)
    pipeline: str = Field(default="", max_length=300)  # name of the pipeline
    path: str = Field(max_length=300)  # such as "prep/clean"
    position: int = 0
    run_id: str = Field(default="", max_length=16)  # empty when the outputs of an earlier step were kept
    key: str = Field(default="", max_length=64)
    parts: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # what the key is made of
    state: str = Field(default="", max_length=16)
    reason: str = ""
    # {output: {relative path: digest}}
    outputs: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    started_at: float | None = None
    finished_at: float | None = None
    created_at: float = Field(default_factory=time.time)


class PipelineComponent(Row, table=True):
    """A version of a component that pipelines of the workspace use by name. Its content never changes."""

    __table_args__ = (UniqueConstraint("workspace", "name", "version"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    name: str = Field(max_length=200)
    version: str = Field(default="", max_length=64)
    labels: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    source: str = ""  # the text of its file
    digest: str = Field(max_length=64)  # of source and code
    code: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # {relative path: digest}
    who: str = Field(default="", max_length=200)
    created_at: float = Field(default_factory=time.time)
    archived_at: float | None = None


class ApprovedCode(Row, table=True):
    """Code that a user allowed to run in a workspace, by its digest."""

    workspace: str = Field(primary_key=True, max_length=64)
    digest: str = Field(primary_key=True, max_length=64)
    who: str = Field(default="", max_length=200)
    at: float = Field(default_factory=time.time)


class SavedPipeline(Deletable, table=True):
    """A pipeline file that a user keeps and edits, with the files beside it."""

    __table_args__ = (unique_if_shown("savedpipeline", "workspace", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    name: str = Field(max_length=200)
    text: str = ""
    files: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # {relative path: digest}
    who: str = Field(default="", max_length=200)
    created_at: float = Field(default_factory=time.time)
    changed_at: float = Field(default_factory=time.time)


class Schedule(Deletable, table=True):
    """When runs of a task start by themselves: by a cron expression, or at an interval."""

    __table_args__ = (Index("ix_schedule_due", "enabled", "next_at"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    title: str = Field(max_length=300)
    task: str = Field(max_length=64)
    settings: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    dataset_id: str | None = Field(default=None, max_length=16)
    cron: str = Field(default="", max_length=200)  # empty for an interval
    interval_s: float | None = None
    time_zone: str = Field(default="UTC", max_length=64)
    enabled: bool = True
    next_at: float | None = None
    last_at: float | None = None
    last_run_id: str = Field(default="", max_length=16)
    missed: int = 0  # times that passed while no process was there to start a run
    skipped: int = 0  # times at which the run before was still at work
    problem: str = ""  # why the last run could not be started
    who: str = Field(default="", max_length=200)
    created_at: float = Field(default_factory=time.time)
