"""What later runs add to a card: explanation, export, latency. Each may be absent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.catalog import Run, artifacts
from core.models._card import CardTable, Section
from core.models._card_text import format_value
from core.models._evidence import Evidence
from core.storage import get_store

__all__ = ["explanation", "export", "latency"]

_EXPLANATION = "explain.json"
_MOST = 20


def explanation(evidence: Evidence) -> Section:
    """Return the importance of the columns, when the run or a later one explained its model."""
    later = [item for run in evidence.later("explain") for item in artifacts.find(run.id, run.workspace)]
    own = [item for item in later if item.name == _EXPLANATION]
    found = json.loads(get_store().read_bytes(own[0].digest)) if own else evidence.json(_EXPLANATION)
    parts = found.get("permutation") if isinstance(found, dict) else None
    if not parts:
        text = "The model was not explained."
        return Section("explanation", "Explanation", (text,), measured=False)
    ranked = sorted(parts, key=lambda part: -(part.get("importance") or 0.0))
    rows = tuple(
        (part["feature"], part.get("importance"), part.get("low"), part.get("high"), part.get("n"))
        for part in ranked[:_MOST]
    )
    text = "How much the test metric loses when a column is shuffled: what the model relies on, not what causes what."
    table = CardTable("Permutation importance", ("Column", "Importance", "95 % from", "to", "Rows"), rows)
    return Section("explanation", "Explanation", (text,), (table,))


def export(evidence: Evidence) -> Section | None:
    """Return how equal the exported model is to the model, when there is one."""
    for run in [evidence.run, *evidence.later("export")]:
        for found in _documents(run):
            model = found.get("model") if isinstance(found.get("model"), dict) else found  # of edge.json, of onnx.json
            parity = (model or {}).get("parity")
            if parity and isinstance(parity, dict):
                names = ("rows", "largest_difference", "label_flips")
                rows = tuple(
                    (part.replace("_", " "), *(figures.get(name) for name in names)) for part, figures in parity.items()
                )
                table = CardTable(
                    "Compared with the model", ("Part", "Rows", "Largest difference", "Other labels"), rows
                )
                return Section("export", "Export to ONNX", (), (table,))
    return None


def latency(evidence: Evidence) -> Section:
    """Return how long an answer takes, when that was measured on an export of this run."""
    tables = []
    for run in evidence.later("latency"):
        for found in _documents(run):
            for report in _reports(found):
                tables.append(_measured(report))
    if not tables:
        return Section("latency", "Latency", ("It was not measured.",), measured=False)
    return Section("latency", "Latency", (), tuple(tables[:5]))


def _measured(report: dict[str, Any]) -> CardTable:
    settings, machine = report.get("settings") or {}, report.get("machine") or {}
    rows: list[tuple[Any, ...]] = []
    for percent, part in report["percentiles"].items():
        enough = part.get("enough", True)
        figures = (part.get(name) if enough else None for name in ("value", "low", "high"))
        rows.append((f"p{percent}, ms", *figures, part.get("n")))
    rows.append(("Rows a second", report.get("throughput"), None, None, report.get("requests")))
    where = f"{report.get('name', 'model')}, {settings.get('scenario', 'scenario unknown')}, batch of "
    where += f"{format_value(settings.get('batch_size'))}, on {machine.get('cpu', 'a machine unknown')}"
    return CardTable(where, ("Figure", "Value", "From", "to", "Requests"), tuple(rows))


def _documents(run: Run) -> Iterator[dict[str, Any]]:
    """Yield what a run says in JSON: its result, and its small files."""
    if run.result:
        yield run.result
    for item in artifacts.find(run.id, run.workspace):
        if item.name.endswith(".json") and item.name != "result.json" and item.size_bytes < 5_000_000:
            found = json.loads(get_store().read_bytes(item.digest))
            if isinstance(found, dict):
                yield found


def _reports(found: Any) -> Iterator[dict[str, Any]]:
    """Yield all reports of a measurement in a document, however it holds them."""
    if isinstance(found, dict) and isinstance(found.get("percentiles"), dict) and "throughput" in found:
        yield found
    elif isinstance(found, dict | list):
        for part in found.values() if isinstance(found, dict) else found:
            yield from _reports(part)
