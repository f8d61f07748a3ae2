"""What the card of a version says of its monitoring: the plan, and the record of its batches."""

from __future__ import annotations

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
    batches = sorted(_batches(version, access=access), key=lambda batch: -batch["at"])
    if plan is None and not batches:
        return Section("monitoring", title, ("It is not watched.",), measured=False)
    text = _plan({} if plan is None else plan.settings)
    states = [_state(batch) for batch in batches]
    alarms = sum(state == "alarm" for state in states)
    record = f"{len(batches):,} batches of this version were compared, of which {alarms:,} raised an alarm."
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            datetime.fromtimestamp(batch["at"], UTC).strftime("%Y-%m-%d"),
            batch["name"],
            batch["rows"],
            LOOK_STATES[state],
            ", ".join(batch["drifted"][:5]) or None,
            None if batch["performance"] is None else batch["performance"]["value"],
        )
        for batch, state in zip(batches[:_MOST], states, strict=False)
    )
    columns = ("Moment", "Batch", "Rows", "State", "Columns that drifted", "Metric, estimated")
    tables = (CardTable("Newest batches", columns, rows),) if rows else ()
    return Section("monitoring", title, (*text, record), tables)


def _plan(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return the plan in sentences."""
    alpha, relevance = settings.get("alpha", 0.05), settings.get("relevance", 0.05)
    sentences = [
        "Batches of new rows are compared with the rows that training kept out, column by column and by the score. "
        f"An alarm is false in at most {alpha:.0%} of series without change; changes below {relevance:g} do not count."
    ]
    if settings.get("bound") is not None:
        sentences.append(f"The metric must not pass {settings['bound']:g}, estimated or measured.")
    if settings.get("largest_gap") is not None:
        sentences.append(f"Selection rates of groups must not differ by more than {settings['largest_gap']:g}.")
    sentences += [f"Drift of '{name}' is known: {why}." for name, why in settings.get("muted", {}).items()]
    return tuple(sentences)


def _batches(version: ModelVersion, *, access: Access) -> list[dict[str, Any]]:
    """Return the batches of a version as runs stored them, without simulated ones."""
    return [
        batch
        for run in monitor_plans.compared(version.model_id, access=access)
        for batch in (run.result or {}).get("monitored", [])
        if batch["version"] == version.number and not batch.get("simulated")
    ]


def _state(batch: dict[str, Any]) -> LookLevel:
    return worst_state(LookState.from_dict(state) for state in batch["states"].values()).state
