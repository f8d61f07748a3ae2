"""The batches of a model, in the order of their moments, as the runs that compared them stored them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import JsonValue

from core.access import Access
from core.catalog import Run, artifacts, monitor_plans
from core.errors import NotFoundError
from core.jsonable import JsonObject, jsonable
from core.monitored.subgroups import Subgroups
from core.monitoring import BatchSketch, DriftReport, LookState, MeasuredPerformance, PerformanceEstimate, worst_state
from core.storage import get_store

__all__ = [
    "DRIFT",
    "LABELED",
    "LABELS",
    "MEMBERS",
    "MONITORED",
    "REFERENCE",
    "ROWS",
    "SKETCH",
    "Batch",
    "BatchLabels",
    "batch_of",
    "batches_of",
    "file_of",
    "read_file",
    "report_of",
    "sketch_of",
]

DRIFT, SKETCH, REFERENCE, ROWS = "drift.json", "sketch.npz", "reference.npz", "rows.parquet"
"""Files of a batch: its comparison, its sketch, that of what it was compared with, and ids with scores of its rows."""
MEMBERS = "members.parquet"
"""File of a batch: decision, groups and cohorts of the same rows as `ROWS`."""
LABELS = "labels.parquet"
"""File of a run that brought labels: all labels of the batch that are known by then."""
MONITORED, LABELED = "monitored", "labeled"
"""Keys of a run's result: its batches, and what labels say about batches."""


@dataclass(frozen=True)
class BatchLabels:
    """What labels say about a batch.

    Parameters
    ----------
    key : str
        Key of the batch.
    run_id : str
        Run that brought them.
    known : int
        Rows of the batch whose label is known.
    delivery : str
        Sentence on the labels that came last.
    measured : MeasuredPerformance
        Performance by all labels that are known.
    state : LookState
        State of the batch by it.
    subgroups : Subgroups, default=Subgroups()
        Groups and saved cohorts, by the rows whose label is known.
    """

    key: str
    run_id: str
    known: int
    delivery: str
    measured: MeasuredPerformance
    state: LookState
    subgroups: Subgroups = field(default_factory=Subgroups)

    def to_dict(self) -> JsonObject:
        """Return it as JSON-serializable values."""
        return {
            **jsonable({"key": self.key, "run_id": self.run_id, "known": self.known, "delivery": self.delivery}),
            "measured": self.measured.to_dict(),
            "state": self.state.to_dict(),
            "subgroups": self.subgroups.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BatchLabels:
        """Read what `to_dict` wrote."""
        measured, state = MeasuredPerformance.from_dict(values["measured"]), LookState.from_dict(values["state"])
        subgroups = Subgroups.from_dict(values["subgroups"]) if "subgroups" in values else Subgroups()
        return cls(**{**values, "measured": measured, "state": state, "subgroups": subgroups})


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
    fingerprint : str
        Fingerprint of its rows: the same ones again are no other batch.
    look : int
        Number of the look in the series.
    states : dict of str to LookState
        States by what was judged: "drift", "performance", and gaps.
    drifted : tuple of str
        Columns that drifted, the most important first; those that are muted are not among them.
    muted : dict of str to str
        Columns that drifted and were muted, and why.
    problem : str, default=""
        Why the rows could not be scored, where that is so.
    performance : PerformanceEstimate or None, default=None
        Performance as it is estimated without labels.
    subgroups : Subgroups, default=Subgroups()
        Groups and saved cohorts.
    reference : str, default=""
        Name of the batch that it was compared with; empty for the rows that training kept out.
    simulated : str, default=""
        Change that was made on purpose, in words; empty for rows as they came. Such a batch raises no alert.
    notes : tuple of str, default=()
        Sentences on what of the batch could not be used, such as ids that are not unique.
    labels : BatchLabels or None, default=None
        Labels that have come since, and the performance that they show.
    """

    key: str
    name: str
    at: float
    rows: int
    version: int
    fingerprint: str
    look: int
    states: dict[str, LookState]
    drifted: tuple[str, ...] = ()
    muted: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    performance: PerformanceEstimate | None = None
    subgroups: Subgroups = field(default_factory=Subgroups)
    reference: str = ""
    simulated: str = ""
    notes: tuple[str, ...] = ()
    labels: BatchLabels | None = None

    @property
    def run_id(self) -> str:
        """The run that compared it."""
        return self.key.partition("-")[0]

    @property
    def state(self) -> LookState:
        """The worst of its states; where labels have come, what they say replaces what was estimated."""
        states = dict(self.states)
        if self.labels is not None:
            states["performance"] = self.labels.state
        return worst_state(states.values())

    def to_dict(self) -> JsonObject:
        """Return the batch as JSON-serializable values, without its labels."""
        values = jsonable({name: value for name, value in vars(self).items() if name not in _NESTED})
        states = {name: state.to_dict() for name, state in self.states.items()}
        performance = None if self.performance is None else self.performance.to_dict()
        return {**values, "states": states, "performance": performance, "subgroups": self.subgroups.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Batch:
        """Read what `to_dict` wrote."""
        known, performance = dict(values), values["performance"]
        gaps = known.pop("gaps", {})  # of batches from before rates and cohorts were kept
        subgroups = Subgroups.from_dict(known["subgroups"]) if "subgroups" in known else Subgroups.of_gaps(gaps)
        return cls(
            **{
                **known,
                "states": {name: LookState.from_dict(state) for name, state in values["states"].items()},
                "drifted": tuple(values["drifted"]),
                "notes": tuple(values.get("notes", ())),
                "subgroups": subgroups,
                "performance": None if performance is None else PerformanceEstimate.from_dict(performance),
            }
        )


_NESTED = {"states", "performance", "labels", "subgroups"}


def batches_of(model_id: str, *, access: Access) -> list[Batch]:
    """Return the batches of a model with what their newest labels say, the earliest first.

    Parameters
    ----------
    model_id : str
        The model.
    access : Access
        The workspace, and who acts in it.
    """
    compared = monitor_plans.compared(model_id, access=access)
    labels: dict[str, BatchLabels] = {}
    for run in sorted(compared, key=lambda run: run.finished_at or 0.0):
        labels |= {item["key"]: BatchLabels.from_dict(item) for item in _listed(run, LABELED)}
    batches = [Batch.from_dict(item) for run in compared for item in _listed(run, MONITORED)]
    batches = [replace(batch, labels=labels.get(batch.key)) for batch in batches]
    return sorted(batches, key=lambda batch: (batch.at, batch.look))


def _listed(run: Run, name: str) -> list[Any]:
    values: JsonValue = (run.result or {}).get(name, [])
    return values if isinstance(values, list) else []


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
    return DriftReport.from_dict(json.loads(read_file(batch.run_id, batch.key, DRIFT, access=access)))


def sketch_of(batch: Batch, *, access: Access, reference: bool = False) -> BatchSketch:
    """Return the sketch of a batch, or of what it was compared with."""
    name = REFERENCE if reference else SKETCH
    return BatchSketch.from_bytes(read_file(batch.run_id, batch.key, name, access=access))


def file_of(key: str, name: str) -> str:
    """Return under which name a run keeps a file of a batch."""
    return f"{monitor_plans.BATCH_FILES}{key}/{name}"


def read_file(run_id: str, key: str, name: str, *, access: Access) -> bytes:
    """Return the content of a file of a batch.

    Raises
    ------
    NotFoundError
        When the run does not have it.
    """
    return get_store().read_bytes(artifacts.get(run_id, file_of(key, name), access=access).digest)
