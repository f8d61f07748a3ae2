"""The batches of a model, in the order of their moments, as the runs that compared them stored them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from core.access import Access
from core.catalog import Run, RunState, artifacts, runs
from core.errors import NotFoundError
from core.models import StoredEstimate
from core.monitoring import BatchSketch, DriftReport, LookState
from core.storage import get_store

__all__ = [
    "DRIFT",
    "MONITORED",
    "REFERENCE",
    "SKETCH",
    "WATCHED_TASKS",
    "Batch",
    "batch_of",
    "batches_of",
    "file_of",
    "report_of",
    "sketch_of",
]

WATCHED_TASKS = ("monitor", "score")
"""Kinds of run that compare batches."""
DRIFT, SKETCH, REFERENCE = "drift.json", "sketch.npz", "reference.npz"
"""Files of a batch: its comparison, its sketch, and that of what it was compared with."""
MONITORED = "monitored"
"""Key of a run's result under which its batches are."""


@dataclass(frozen=True)
class Batch:
    """A batch of rows that a model scored, and what it says.

    Parameters
    ----------
    key : str
        Key of the batch: the run and its number among the batches of that run.
    name : str
        Name of where the rows came from.
    at : float
        Moment of the batch, in seconds since 1970 (UTC).
    rows : int
        Number of rows.
    version : int
        Number of the version that scored them.
    reference : str
        What it was compared with: `TRAINING`, or the key of a batch.
    fingerprint : str
        Fingerprint of its rows: the same ones again are no other batch.
    look : int
        Number of the look in the series.
    state : {"fine", "not enough data", "look", "alarm"}
        What it says.
    reasons : tuple of str
        Why, the most important first.
    drifted : tuple of str
        Columns that drifted, the most important first; those that are muted are not among them.
    muted : tuple of str
        Columns that drifted and are muted.
    caveat : str, default=""
        What this state cannot say.
    problem : str, default=""
        Why the rows could not be scored, where that is so.
    estimated : StoredEstimate or None, default=None
        Metric as it is estimated without labels.
    refused : str, default=""
        Why it could not be estimated.
    measured : StoredEstimate or None, default=None
        The same metric, of the rows whose label is known.
    """

    key: str
    name: str
    at: float
    rows: int
    version: int
    reference: str
    fingerprint: str
    look: int
    state: Literal["fine", "not enough data", "look", "alarm"]
    reasons: tuple[str, ...]
    drifted: tuple[str, ...] = ()
    muted: tuple[str, ...] = ()
    caveat: str = ""
    problem: str = ""
    estimated: StoredEstimate | None = None
    refused: str = ""
    measured: StoredEstimate | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the batch as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> Batch:
        """Return the batch that `to_dict` described."""
        return _adapter().validate_python(dict(values))

    @property
    def run_id(self) -> str:
        """The run that compared it."""
        return self.key.partition("-")[0]

    @property
    def look_state(self) -> LookState:
        """The state, as `core.monitoring` has it."""
        return LookState(self.state, self.look, 0.0, self.reasons, self.caveat)


@cache
def _adapter() -> TypeAdapter[Batch]:
    return TypeAdapter(Batch)


def batches_of(model_id: str, *, access: Access) -> list[Batch]:
    """Return the batches of a model, the earliest first.

    Parameters
    ----------
    model_id : str
        The model.
    access : Access
        The workspace, and who acts in it.
    """
    found = [
        Batch.from_dict(values)
        for task in WATCHED_TASKS
        for run in runs.find(task=task, states=[RunState.SUCCEEDED], access=access)
        for values in _stored(run, model_id)
    ]
    return sorted(found, key=lambda batch: (batch.at, batch.key))


def _stored(run: Run, model_id: str) -> list[Mapping[str, JsonValue]]:
    result = run.result or {}
    return list(result.get(MONITORED, [])) if result.get("model") == model_id else []


def batch_of(model_id: str, key: str, *, access: Access) -> Batch:
    """Return a batch of a model.

    Raises
    ------
    NotFoundError
        When the model has no such batch.
    """
    for batch in batches_of(model_id, access=access):
        if batch.key == key:
            return batch
    raise NotFoundError(f"The model has no batch '{key}'.", "It may have been deleted; its page lists all.")


def report_of(batch: Batch, *, access: Access) -> DriftReport:
    """Return the comparison of a batch with its reference."""
    return DriftReport.from_dict(json.loads(_file(batch, DRIFT, access=access)))


def sketch_of(batch: Batch, *, access: Access, reference: bool = False) -> BatchSketch:
    """Return the sketch of a batch, or of what it was compared with."""
    return BatchSketch.from_bytes(_file(batch, REFERENCE if reference else SKETCH, access=access))


def file_of(key: str, name: str) -> str:
    """Return under which name the run of a batch keeps one of its files."""
    return f"batches/{key}/{name}"


def _file(batch: Batch, name: str, *, access: Access) -> bytes:
    item = artifacts.get(batch.run_id, file_of(batch.key, name), access=access)
    return get_store().read_bytes(item.digest)
