"""What later runs add to a card: explanation, export, latency. Each may be absent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue, TypeAdapter

from core.access import Access
from core.catalog import Run, artifacts
from core.models._card import CardTable, Section
from core.models._card_figures import importance_figures
from core.models._card_text import Cell, format_value
from core.models._evidence import RunEvidence
from core.storage import get_store

__all__ = ["explanation_section", "export_section", "latency_section"]

_EXPLANATION = "explain.json"
_MAX_COLUMNS = 20
_MAX_MEASUREMENTS = 5
_MAX_BYTES = 5_000_000


@dataclass(frozen=True)
class _Importance:
    feature: str
    importance: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True)
class _Explanation:
    permutation: list[_Importance] = field(default_factory=list)


@dataclass(frozen=True)
class _Parity:
    """How far an export's outputs are from the model's, on some rows."""

    rows: int | None = None
    largest_difference: float | None = None
    label_flips: int | None = None


@dataclass(frozen=True)
class _Percentile:
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    enough: bool = True


@dataclass(frozen=True)
class _Settings:
    scenario: str = "unknown scenario"
    batch_size: int | None = None


@dataclass(frozen=True)
class _Machine:
    cpu: str = "an unknown machine"


@dataclass(frozen=True)
class _LatencyReport:
    percentiles: dict[str, _Percentile]
    throughput: float | None
    requests: int | None = None
    name: str = "model"
    settings: _Settings = field(default_factory=_Settings)
    machine: _Machine = field(default_factory=_Machine)


_EXPLANATIONS = TypeAdapter(_Explanation)
_PARITIES = TypeAdapter(dict[str, _Parity])
_REPORTS = TypeAdapter(_LatencyReport)
_DOCUMENTS = TypeAdapter(JsonValue)


def explanation_section(evidence: RunEvidence) -> Section:
    """Return the importance of the columns, when the run or a later one explained its model."""
    runs = [*evidence.later_runs("explain"), evidence.run]
    stored = (
        item for run in runs for item in artifacts.find(run.id, access=evidence.access) if item.name == _EXPLANATION
    )
    newest = next(stored, None)
    columns = []
    if newest is not None:
        columns = _EXPLANATIONS.validate_json(get_store().read_bytes(newest.digest)).permutation
    if not columns:
        return Section("explanation", "Explanation", ("The model was not explained.",), measured=False)
    ranked = sorted(columns, key=lambda column: -(column.importance or 0.0))[:_MAX_COLUMNS]
    rows = tuple((column.feature, column.importance, column.low, column.high, column.n) for column in ranked)
    text = "How much the test metric loses when a column is shuffled: what the model relies on, not what causes what."
    table = CardTable("Permutation importance", ("Column", "Importance", "95% from", "to", "Rows"), rows)
    figures = importance_figures(rows, evidence.result.metric)
    return Section("explanation", "Explanation", (text,), (table,), figures=figures)


def export_section(evidence: RunEvidence) -> Section | None:
    """Return how equal the exported model is to the model, or None when there is no export."""
    for run in [evidence.run, *evidence.later_runs("export")]:
        for document in _documents(run, access=evidence.access):
            model = document.get("model")  # of edge.json; onnx.json holds the same at its top
            parity = (model if isinstance(model, dict) else document).get("parity")
            if parity and isinstance(parity, dict):
                rows = tuple(
                    (part.replace("_", " "), outputs.rows, outputs.largest_difference, outputs.label_flips)
                    for part, outputs in _PARITIES.validate_python(parity).items()
                )
                columns = ("Part", "Rows", "Largest difference", "Different labels")
                return Section("export", "Export to ONNX", (), (CardTable("Compared with the model", columns, rows),))
    return None


def latency_section(evidence: RunEvidence) -> Section:
    """Return how long a prediction takes, when that was measured on an export of this run."""
    tables = [
        _latency_table(report)
        for run in evidence.later_runs("latency")
        for document in _documents(run, access=evidence.access)
        for report in _latency_reports(document)
    ]
    if not tables:
        return Section("latency", "Latency", ("It was not measured.",), measured=False)
    return Section("latency", "Latency", (), tuple(tables[:_MAX_MEASUREMENTS]))


def _latency_table(report: _LatencyReport) -> CardTable:
    rows: list[tuple[Cell, ...]] = []
    for percent, estimate in report.percentiles.items():
        values = (estimate.value, estimate.low, estimate.high) if estimate.enough else (None, None, None)
        rows.append((f"p{percent}, ms", *values, estimate.n))
    rows.append(("Rows per second", report.throughput, None, None, report.requests))
    title = (
        f"{report.name}, {report.settings.scenario}, batch size {format_value(report.settings.batch_size)}, "
        f"on {report.machine.cpu}"
    )
    return CardTable(title, ("Quantity", "Value", "From", "to", "Requests"), tuple(rows))


def _documents(run: Run, *, access: Access) -> Iterator[dict[str, JsonValue]]:
    """Yield the JSON documents of a run: its result, and its small files."""
    if run.result:
        yield run.result
    for item in artifacts.find(run.id, access=access):
        if item.name.endswith(".json") and item.name != "result.json" and item.size_bytes < _MAX_BYTES:
            document = _DOCUMENTS.validate_json(get_store().read_bytes(item.digest))
            if isinstance(document, dict):
                yield document


def _latency_reports(document: JsonValue) -> Iterator[_LatencyReport]:
    """Yield all reports of a measurement in a document, at any depth."""
    if isinstance(document, dict) and isinstance(document.get("percentiles"), dict) and "throughput" in document:
        yield _REPORTS.validate_python(document)
    elif isinstance(document, dict | list):
        for part in document.values() if isinstance(document, dict) else document:
            yield from _latency_reports(part)
