"""What the card of a federated model says: its sites, what they gain, what left them, and what is promised."""

from __future__ import annotations

import json
from typing import Any

from core.evaluation import METRICS
from core.federated import AGGREGATIONS, ALGORITHMS
from core.models._card import CardTable, Section
from core.models._card_text import Cell, format_interval
from core.models._evidence import RunEvidence
from core.storage import get_store

__all__ = ["describe_federated_training", "federation_record", "federation_section"]

FEDERATION = "federated.json"


def federation_record(evidence: RunEvidence) -> dict[str, Any] | None:
    """Return what a federated study stored; None for a model of rows in one place."""
    if FEDERATION not in evidence.artifacts:
        return None
    record: dict[str, Any] = json.loads(get_store().read_bytes(evidence.artifacts[FEDERATION].digest))
    return record


def describe_federated_training(record: dict[str, Any]) -> str:
    """Return how a federated model was trained, in two sentences."""
    settings = record["settings"]
    rounds = len(record["rounds"])
    return (
        f"{ALGORITHMS[settings['algorithm']].title}, trained in {rounds:,} round{'s' * (rounds != 1)} by "
        f"{len(record['sites'])} sites whose rows stayed apart, in {record['elapsed_s']:,.1f} s. Updates were combined "
        f"by {AGGREGATIONS[settings['aggregation']].title.lower()}."
    )


def federation_section(evidence: RunEvidence) -> Section | None:
    """Return sites with their gains, messages and privacy of a federated model; None for any other model."""
    record = federation_record(evidence)
    if record is None:
        return None
    metric = METRICS[record["metric"]]
    columns = ("Site", "Training rows", "Test rows", "Shared model", "Own model", "Gain", "95% interval of the gain")
    missed: dict[str, int] = {}
    for item in record["rounds"]:
        for site in item["missing"]:
            missed[site] = missed.get(site, 0) + 1
    text = [record["verdict"], *record["privacy"]["sentences"]]
    if missed:
        listed = ", ".join(f"{site} ({count:,})" for site, count in missed.items())
        text.append(f"Rounds without a site: {listed}.")
    sizes = record["bytes"]
    text.append(
        f"{sizes['messages']:,} messages; {sizes['received'] / 1e3:,.0f} kB left the sites, and "
        f"{sizes['sent'] / 1e3:,.0f} kB went to them."
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            item["site"],
            item["train"],
            item["test"],
            _value(item, "federated", metric.name),
            _value(item, "local", metric.name),
            None if item["gain"] is None else item["gain"]["value"],
            None if item["gain"] is None else _interval(item["gain"]),
        )
        for item in record["sites"]
    )
    return Section("federation", "Federation", tuple(text), (CardTable(f"{metric.title} by site", columns, rows),))


def _value(item: dict[str, Any], model: str, metric: str) -> float | None:
    estimates = item["metrics"].get(model)
    return None if estimates is None else estimates[metric]["value"]


def _interval(gain: dict[str, Any]) -> str:
    if gain["low"] is None:
        return gain.get("reason") or "none"
    return format_interval(gain["value"], gain["low"], gain["high"])
