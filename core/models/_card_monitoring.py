"""What the card of a version says of its monitoring: the plan, and the record of its batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.access import Access
from core.catalog import ModelVersion, monitor_plans
from core.models._card import CardTable, Section
from core.models._card_text import Cell
from core.monitoring import LOOK_STATES, LookLevel, LookState, worst_state

__all__ = ["monitoring_section"]

_MOST = 24


def monitoring_section(version: ModelVersion | None, *, access: Access) -> Section:
    """Return how a version is watched, and what its batches said, the newest first.

    Parameters
    ----------
    version : ModelVersion or None
        The version; None for a run that is not registered.
    access : Access
        The workspace, and who acts in it.
    """
    title = "Monitoring"
    if version is None:
        return Section("monitoring", title, ("What is not registered is not watched.",), measured=False)
    plan = monitor_plans.get(version.model_id, access=access)
    batches = _batches(version, access=access)
    if plan is None and not batches:
        return Section("monitoring", title, ("It is not watched.",), measured=False)
    text = _plan({} if plan is None else plan.settings)
    alarms = sum(batch.state == "alarm" for batch in batches)
    record = f"{len(batches):,} batches of this version were compared, of which {alarms:,} raised an alarm."
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            datetime.fromtimestamp(batch.values["at"], UTC).strftime("%Y-%m-%d"),
            batch.values["name"],
            batch.values["rows"],
            LOOK_STATES[batch.state],
            ", ".join(batch.values["drifted"][:5]) or None,
            None if batch.values["performance"] is None else batch.values["performance"]["value"],
            None if batch.labels is None else batch.labels["measured"]["measured"]["value"],
        )
        for batch in batches[:_MOST]
    )
    columns = ("Moment", "Batch", "Rows", "State", "Columns that drifted", "Metric, estimated", "Metric, measured")
    tables = (CardTable("Newest batches", columns, rows),) if rows else ()
    return Section("monitoring", title, (*text, record), tables)


def _plan(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return the plan in sentences."""
    alpha, relevance = settings.get("alpha", 0.05), settings.get("relevance", 0.05)
    with_what = "the rows that training kept out" if settings.get("reference") is None else "an earlier batch"
    sentences = [
        f"Batches of new rows are compared with {with_what}, column by column and by the score. An alarm is false in "
        f"at most {100 * alpha:.3g}% of series without change; changes below {relevance:g} do not count."
    ]
    if settings.get("bound") is not None:
        sentences.append(f"The metric must not pass {settings['bound']:g}, estimated or measured.")
    if settings.get("largest_gap") is not None:
        sentences.append(f"Selection rates of groups must not differ by more than {settings['largest_gap']:g}.")
    for name, why in settings.get("muted", {}).items():
        sentences.append(f"Drift of '{name}' is known: {why.rstrip('. ')}.")
    return tuple(sentences)


@dataclass(frozen=True)
class _Batch:
    """A batch as runs stored it, and what the newest labels say of it."""

    values: dict[str, Any]
    labels: dict[str, Any] | None

    @property
    def state(self) -> LookLevel:
        """The worst of its states; where labels have come, what they say replaces what was estimated."""
        states = self.values["states"] | ({} if self.labels is None else {"performance": self.labels["state"]})
        return worst_state(LookState.from_dict(state) for state in states.values()).state


def _batches(version: ModelVersion, *, access: Access) -> list[_Batch]:
    """Return the batches of a version, without simulated ones, the newest first."""
    compared = monitor_plans.compared(version.model_id, access=access)
    labels: dict[str, dict[str, Any]] = {}
    for run in sorted(compared, key=lambda run: run.finished_at or 0.0):
        labels |= {item["key"]: item for item in (run.result or {}).get("labeled", [])}
    known = [
        _Batch(batch, labels.get(batch["key"]))
        for run in compared
        for batch in (run.result or {}).get("monitored", [])
        if batch["version"] == version.number and not batch.get("simulated")
    ]
    return sorted(known, key=lambda batch: -batch.values["at"])
