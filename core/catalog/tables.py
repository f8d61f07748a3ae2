"""The catalog's tables. Times are seconds since the epoch (UTC); every row belongs to a workspace.

A row that is a part of another one names it by a foreign key, and is removed with it.
"""

from __future__ import annotations

import enum
import time

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from core.catalog.row import Deletable, Row, new_id
from core.jsonable import JsonObject

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "CatalogId",
    "Dataset",
    "DatasetChange",
    "Deletion",
    "FileReference",
    "Model",
    "ModelAlias",
    "ModelEvent",
    "ModelVersion",
    "Promotion",
    "QueueLock",
    "QueueTurn",
    "Run",
    "RunArtifact",
    "RunEvent",
    "RunState",
    "unique_if_shown",
]


def unique_if_shown(table: str, *columns: str) -> Index:
    """Return an index that holds these columns unique among the rows that are not deleted."""
    shown = text("deletion_id IS NULL")
    name = f"uq_{table}_{'_'.join(columns)}_shown"
    return Index(name, *columns, unique=True, sqlite_where=shown, postgresql_where=shown)


class RunState(enum.StrEnum):
    """States of a run. ``ARCHITECTURE.md`` shows the transitions."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    INTERRUPTED = "INTERRUPTED"

    @property
    def terminal(self) -> bool:
        """Whether a run in this state has ended."""
        return self in TERMINAL


ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING})
TERMINAL = frozenset(RunState) - ACTIVE - {RunState.QUEUED}


class _StateType(TypeDecorator[RunState]):
    """Stores a state as plain text: a native enum type would tie the schema to one database."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: RunState | str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(RunState(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> RunState | None:
        return None if value is None else RunState(value)


class Dataset(Deletable, table=True):
    """A version of a table, stored as Parquet: the first was read from a file, the others were prepared from it.

    The first version is the origin of the others. It names the current one, and has the draft of the next.
    """

    __table_args__ = (unique_if_shown("dataset", "workspace", "fingerprint"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    name: str = Field(max_length=200)
    fingerprint: str = Field(max_length=64)
    data_digest: str = Field(max_length=64)
    profile_digest: str = Field(max_length=64)
    rows: int
    columns: int
    size_bytes: int = Field(sa_type=BigInteger)
    upload_digest: str | None = Field(default=None, max_length=64)  # of the original file, packed with gzip
    upload_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    source: str = Field(default="", max_length=300)
    report: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    roles: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    origin_id: str = Field(default="", index=True, max_length=16)  # empty in the first version
    number: int = 1
    lineage: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    head_id: str = Field(default="", max_length=16)  # of an origin: its current version, empty for itself
    draft: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    # What was typed for bias audits, by the id of the run whose model is audited; empty for the table's own decisions.
    audits: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    created_at: float = Field(default_factory=time.time)

    @property
    def family_id(self) -> str:
        """Id of the first version."""
        return self.origin_id or self.id


class DatasetChange(Row, table=True):
    """One change to a dataset that can be undone. Rows are only added, and marked as undone."""

    __table_args__ = (Index("ix_dataset_change_origin", "origin_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str = Field(max_length=64)
    origin_id: str = Field(foreign_key="dataset.id", ondelete="CASCADE", max_length=16)
    at: float = Field(default_factory=time.time)
    label: str = Field(max_length=300)
    who: str = Field(default="", max_length=200)
    before: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    after: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    undone: bool = False


class Run(Deletable, table=True):
    """One piece of background work. ``state`` is the only source of truth about its progress."""

    __table_args__ = (
        Index("ix_run_queue", "state", "lane", "queued_at"),
        Index(
            "ix_run_handle",
            "handle",
            sqlite_where=text("handle <> ''"),
            postgresql_where=text("handle <> ''"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    task: str = Field(max_length=64)
    lane: str = Field(default="long", max_length=8)
    parent_id: str = Field(default="", index=True, max_length=16)  # the run that it works for, empty for none
    title: str = Field(default="", max_length=300)
    who: str = Field(default="", max_length=200)  # the person who started it
    dataset_id: str | None = Field(default=None, index=True, max_length=16)
    settings: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: RunState = Field(default=RunState.QUEUED, sa_column=Column(_StateType, nullable=False))
    attempt: int = 1

    created_at: float = Field(default_factory=time.time)
    queued_at: float = Field(default_factory=time.time)
    started_at: float | None = None
    finished_at: float | None = None
    # Seconds of work of all attempts, as their monitors counted them; neither waiting nor suspension counts.
    elapsed_s: float = Field(default=0.0, sa_column=Column("used_s", Float, nullable=False))

    claim_token: str | None = Field(default=None, max_length=32)  # random, of whoever starts or works on it
    lease_until: float | None = None  # on the database's clock
    host_id: str = Field(default="", sa_column=Column(String(16), nullable=False, server_default=""))  # of the pids
    monitor_pid: int | None = None
    monitor_created: float | None = None
    worker_pid: int | None = None
    worker_created: float | None = None

    # What it needs of the machine that it works on (core.jobs.needs); memory in MB.
    cpus: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    gpus: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    needs_mb: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    # The engine that has a job for it, and the job's name there (core.catalog.placements); empty on one machine.
    engine: str = Field(default="", sa_column=Column(String(300), nullable=False, server_default=""))
    handle: str = Field(default="", sa_column=Column(String(64), nullable=False, server_default=""))
    placed_at: float | None = None  # on the database's clock; such a run still waits
    placements: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    # Those of this attempt that ended before its work began.
    failed_placements: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    node: str = Field(default="", sa_column=Column(String(100), nullable=False, server_default=""))  # it works on

    cancel_requested_at: float | None = None
    stop_requested_at: float | None = None
    timeout_s: float | None = None
    # Seconds of work that do not count against the time limit: those before the run was given the same time again.
    limit_from_s: float = Field(default=0.0, sa_column=Column(Float, nullable=False, server_default="0"))
    memory_limit_mb: int | None = None
    peak_rss_mb: float | None = None

    result: JsonObject | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    error_message: str | None = None
    error_hint: str | None = None


class RunEvent(Row, table=True):
    """One step of a run's progress. Rows are only added."""

    __table_args__ = (Index("ix_run_event_run", "run_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str = Field(max_length=64)
    run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", max_length=16)
    attempt: int = 1
    at: float = Field(default_factory=time.time)
    phase: str = Field(max_length=64)
    fraction: float | None = None
    message: str = ""
    values: JsonObject = Field(default_factory=dict, sa_column=Column("values", JSON, nullable=False))


class RunArtifact(Row, table=True):
    """A named file that a run stored."""

    workspace: str = Field(max_length=64)
    run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", primary_key=True, max_length=16)
    name: str = Field(primary_key=True, max_length=200)
    digest: str = Field(max_length=64, index=True)
    size_bytes: int = Field(sa_type=BigInteger)


class RunLog(Row, table=True):
    """The end of the log of a run that works on a machine whose files others cannot read."""

    run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    text: str = ""
    at: float = 0.0  # on the database's clock


class FileReference(Row, table=True):
    """A stored content that a row names within a JSON column. The content stays as long as a row refers to it."""

    owner_id: str = Field(primary_key=True, max_length=16)  # ids are random: no two rows of any tables share one
    digest: str = Field(primary_key=True, max_length=64, index=True)
    workspace: str = Field(max_length=64)


class Model(Deletable, table=True):
    """A name with versions of a model."""

    __table_args__ = (unique_if_shown("model", "workspace", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    name: str = Field(max_length=200)
    versions: int = 0  # number of the newest version
    created_at: float = Field(default_factory=time.time)


class ModelVersion(Deletable, table=True):
    """One trained model: the run that made it, and the facts that are needed without that run's files."""

    __table_args__ = (UniqueConstraint("model_id", "number"), unique_if_shown("modelversion", "model_id", "run_id"))

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", max_length=16)
    number: int = 0
    run_id: str = Field(index=True, max_length=16)
    kind: str = Field(max_length=8)
    lineage: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    columns: list[JsonObject] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    answers: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    notes: str = ""
    archived_at: float | None = None
    created_at: float = Field(default_factory=time.time)

    @property
    def answer_texts(self) -> dict[str, str]:
        """The texts of the answers, by question."""
        return {key: str(answer["text"]) for key, answer in self.answers.items()}


class ModelAlias(Row, table=True):
    """An alias of a model, which points to one version at a time."""

    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", primary_key=True, max_length=16)
    alias: str = Field(primary_key=True, max_length=40)
    workspace: str = Field(max_length=64)
    number: int


class ModelEvent(Row, table=True):
    """One change to a model, with who made it and why. Rows are only added."""

    __table_args__ = (Index("ix_model_event_model", "model_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace: str = Field(max_length=64)
    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", max_length=16)
    at: float = Field(default_factory=time.time)
    action: str = Field(max_length=16)
    alias: str | None = Field(default=None, max_length=40)
    number: int | None = None
    previous: int | None = None
    who: str = Field(default="", max_length=200)
    why: str = ""
    confirmed_by: str = Field(default="", sa_column=Column(String(200), nullable=False, server_default=""))


class Promotion(Row, table=True):
    """A request to make a version the champion, which a second person confirms or declines."""

    __table_args__ = (
        Index(
            "uq_promotion_open",
            "model_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(max_length=64)
    model_id: str = Field(foreign_key="model.id", ondelete="CASCADE", index=True, max_length=16)
    number: int
    previous: int | None = None  # the champion when it was asked for
    why: str = ""
    who: str = Field(default="", max_length=200)
    at: float = Field(default_factory=time.time)
    state: str = Field(default="open", max_length=16)  # open, confirmed, declined, withdrawn or overtaken
    decided_by: str = Field(default="", max_length=200)
    decided_at: float | None = None
    decided_why: str = ""


class CatalogId(SQLModel, table=True):
    """A single row: the id that a catalog and its storage share, so that neither is used with another one's."""

    id: str = Field(primary_key=True, max_length=32)
    created_at: float = Field(default_factory=time.time)


class Deletion(Row, table=True):
    """What a person deleted at once. Its rows are hidden, and removed when it can no longer be undone."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    kind: str = Field(max_length=16)  # of what was deleted, such as "run"
    title: str = Field(max_length=300)  # its name
    row_id: str = Field(max_length=16)  # its id
    # Schedules that were turned off, and the time that each was due.
    details: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    who: str = Field(default="", max_length=200)
    at: float = Field(default_factory=time.time, index=True)


class QueueLock(SQLModel, table=True):
    """A single row that is locked to start a run, so that the concurrency limit is exact on any database."""

    id: int = Field(default=1, primary_key=True)


class QueueTurn(Row, table=True):
    """When a workspace had its last turn in a lane of the queue, as a number that grows with each start."""

    workspace: str = Field(primary_key=True, max_length=64)
    lane: str = Field(primary_key=True, max_length=8)
    number: int
