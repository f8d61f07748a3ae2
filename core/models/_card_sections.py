"""The sections of a card that every run has evidence for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core import policies
from core.automl import LEARNERS, METRICS
from core.catalog import ModelVersion
from core.datasets import Profile, suspected_attribute
from core.models._card import CardTable, Section
from core.models._card_text import format_value
from core.models._code import code_version
from core.models._evidence import Evidence
from core.storage import get_store

__all__ = ["data", "details", "evaluation", "limits", "lineage", "subject", "summary", "training"]

_MOST_COLUMNS = 50
_FEW_TEST_ROWS = 200
_RARE = 0.1
_BASELINES = {
    "linear": "a linear model",
    "majority": "guessing by class shares, or the mean",
    "prior": "guessing by class shares, or the mean",
    "tfidf": "TF-IDF with a linear model",
}


def subject(evidence: Evidence) -> str:
    """Return what the model is of, as a title."""
    return evidence.run.title or f"A model of {evidence.target}"


def summary(evidence: Evidence) -> str:
    """Say in one sentence what the model does."""
    result = evidence.result
    source = "" if evidence.dataset is None else f" of the table '{evidence.dataset.name}'"
    read = (
        f"from the text in '{evidence.features[0]}'"
        if evidence.kind == "text"
        else (f"from {len(evidence.features):,} columns")
    )
    what = "a number" if result["labels"] is None else f"one of {len(result['labels'])} classes"
    return f"Predicts '{evidence.target}', {what}, {read}{source}."


def details(evidence: Evidence, version: ModelVersion | None) -> Section:
    """Return what the model is."""
    result, run = evidence.result, evidence.run
    rows: list[tuple[Any, ...]] = [
        ("Predicts", evidence.target),
        ("Task", result["task"]),
        ("Reads", "a text" if evidence.kind == "text" else f"{len(evidence.features):,} columns of a table"),
        ("Model", _architecture(evidence)),
        ("Made", _day(run.finished_at)),
    ]
    if result["labels"] is not None:
        rows.insert(2, ("Classes", ", ".join(map(str, result["labels"][:20]))))
    if version is not None and version.notes:
        rows.append(("Notes", version.notes))
    return Section("details", "Model details", (), (CardTable("", ("", " "), tuple(rows)),))


def _day(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _architecture(evidence: Evidence) -> str:
    result = evidence.result
    if evidence.kind == "text":
        base = result["base_model"]
        return f"{base['title']}, {base['parameters']:,} weights, fine-tuned ({base['licence']})"
    learner = result["winner"]["learner"]
    return str({**LEARNERS, "linear": "Linear model", "blend": "Blend of several models"}.get(learner, learner))


def data(evidence: Evidence) -> Section:
    """Return what the table was."""
    dataset, result = evidence.dataset, evidence.result
    if dataset is None:
        text = ("The table was deleted since; its fingerprint is all that is known of it.",)
        table = CardTable("", ("", " "), (("Fingerprint", evidence.fingerprint),))
        return Section("data", "Data", text, (table,))
    profile = Profile.from_dict(json.loads(get_store().read_bytes(dataset.profile_digest)))
    skipped = dataset.report.get("skipped", 0)
    facts = [
        ("Table", dataset.name),
        ("Source", dataset.source or None),
        ("Rows", dataset.rows),
        ("Columns", dataset.columns),
        ("Rows that could not be read", skipped),
        ("Fingerprint", dataset.fingerprint),
    ]
    known = {column.name: column for column in profile.columns}
    columns = []
    for name in evidence.features[:_MOST_COLUMNS]:
        column = known[name]
        span = None if column.minimum is None else f"{format_value(column.minimum)} to {format_value(column.maximum)}"
        columns.append(
            (name, column.kind, f"{column.missing_share:.1%}", column.distinct, span, suspected_attribute(name))
        )
    tables = [
        CardTable("", ("", " "), tuple(facts)),
        CardTable(
            "Columns that the model reads",
            ("Column", "Kind", "Missing", "Values", "Range", "May name groups by"),
            tuple(columns),
        ),
    ]
    target = known.get(evidence.target)
    if target is not None and result["labels"] is not None and target.top:
        total = target.rows - target.missing
        shares = tuple((value, count, count / total) for value, count in target.top)
        tables.insert(1, CardTable(f"Values of '{evidence.target}'", ("Value", "Rows", "Share"), shares))
    more = len(evidence.features) - _MOST_COLUMNS
    unlisted = [f"{more:,} further columns are not listed."] if more > 0 else []
    return Section("data", "Data", tuple(unlisted), tuple(tables))


def training(evidence: Evidence) -> Section:
    """Return how the model was made."""
    result = evidence.result
    settings = result["settings"]
    if evidence.kind == "text":
        done = result["training"]
        text = [
            f"The base model was trained for {done['steps']:,} steps on {result['device']} in "
            f"{result['elapsed_s']:,.0f} s; the weights of step {format_value(done['best_step'])} were kept, by "
            f"validation {METRICS[result['metric']].title}."
        ]
        winner: dict[str, Any] = {"trainable weights": done["trainable"], "precision": done["precision"]}
    else:
        text = [
            f"A search of {len(result['trials']):,} configurations in {result['elapsed_s']:,.0f} s for the best "
            f"{METRICS[result['metric']].title}. {result['stop_reason']}",
            f"Scored by {result['split_method']}; the winner was fitted on all training rows.",
        ]
        winner = dict(result["winner"].get("config") or {})
    base = str(settings.get("base_model", ""))
    if Path(base).is_absolute():  # where it lies on this machine is nobody's business
        settings = settings | {"base_model": Path(base).name}
    chosen = [(name, _plain(value)) for name, value in settings.items() if value not in (None, [], {})]
    tables = [CardTable("Settings", ("Setting", "Value"), tuple(chosen))]
    if members := winner.pop("members", None):
        told_of = ((LEARNERS.get(each["learner"], each["learner"]), each["trial"], each["weight"]) for each in members)
        tables.insert(0, CardTable("Members of the blend", ("Learner", "Trial", "Weight"), tuple(told_of)))
    if winner:
        tables.insert(0, CardTable("Of the model", ("Parameter", "Value"), tuple(winner.items())))
    return Section("training", "Training", tuple(text), tuple(tables))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, bool | int | float) else str(value)


def evaluation(evidence: Evidence) -> Section:
    """Return what was measured on rows that the model never saw."""
    result = evidence.result
    rows = result["rows"]
    if not rows["test"]:
        text = "No rows were held out for a test: nothing here says how good the model is on other rows."
        return Section("evaluation", "Evaluation", (text,), measured=False)
    validation = f", {rows['validation']:,} chose the weights" if "validation" in rows else ""
    reads = policies.reads(evidence.run)
    text_rows = [
        f"Of {rows['all']:,} rows {rows['test']:,} were held out for the test before anything was learned, "
        f"{rows['train']:,} trained{validation}.",
        result["verdict"],
    ]
    if rows.get("test_groups"):
        text_rows.append(
            f"The test rows are of {rows['test_groups']:,} groups; the intervals of the figures resample whole groups."
        )
    if reads > 1:
        text_rows.append(
            f"The test rows were read for {reads} rules, the model's own among them; each makes them less of a test."
        )
    figures = [_row(METRICS[name].title, found) for name, found in result["test_metrics"].items()]
    head = ("Metric", "Value", "95 % from", "to", "Rows")
    tables = [CardTable("On the test rows", head, tuple(figures))]
    baselines = [
        (_BASELINES.get(name, name), *_row(METRICS[metric].title, found))
        for name, metrics in result["baseline_metrics"].items()
        for metric, found in metrics.items()
    ]
    tables.append(CardTable("Baselines on the same rows", ("Baseline", *head), tuple(baselines)))
    gains = [_row(_BASELINES.get(name, name), found) for name, found in result["differences"].items()]
    title = f"Gain over each baseline ({METRICS[result['metric']].title}, paired, larger is better)"
    tables.append(CardTable(title, ("Baseline", *head[1:]), tuple(gains)))
    if result.get("confusion") and evidence.labels:
        counts = tuple((label, *row) for label, row in zip(evidence.labels, result["confusion"], strict=True))
        tables.append(CardTable("Test rows by true (rows) and predicted class", ("", *evidence.labels), counts))
    return Section("evaluation", "Evaluation", tuple(text_rows), tuple(tables))


def _row(name: str, found: dict[str, Any]) -> tuple[Any, ...]:
    return (name, found["value"], found["low"], found["high"], found["n"])


def limits(evidence: Evidence) -> Section:
    """Return what the figures do not say, as far as it follows from them."""
    result = evidence.result
    found = []
    test = result["rows"]["test"]
    if test:
        found.append("The test rows come from the same table: they say nothing about other times, places or people.")
        found.append("Intervals tell the chance in the choice of the test rows, not that of another training.")
    if 0 < test < _FEW_TEST_ROWS:
        found.append(f"Figures rest on {test:,} test rows: small differences cannot be seen in them.")
    if evidence.labels is not None and test:
        counts = [sum(row) for row in result.get("confusion") or []]
        for label, count in zip(evidence.labels, counts, strict=False):
            if count < _RARE * test:
                found.append(f"The class '{label}' has {count:,} of {test:,} test rows: figures about it are unsure.")
    named = [f"'{name}' ({suspected_attribute(name)})" for name in evidence.features if suspected_attribute(name)]
    if evidence.kind == "table" and named:
        found.append(f"The model reads columns whose names suggest groups of people: {', '.join(named)}.")
    if evidence.kind == "table":
        found.append("Outside the ranges and values of the training rows it answers, and nothing is known of how well.")
    else:
        length = result["settings"]["max_length"]
        found.append(
            f"Of each text the first {length:,} tokens are read, and languages it was not trained on are not told."
        )
    found += [item["message"] for item in result["findings"] if item["level"] != "passed"]
    return Section("limits", "Limits and risks", tuple(found))


def lineage(evidence: Evidence, version: ModelVersion | None) -> Section:
    """Return where it comes from, and with what it was made."""
    code = code_version() if version is None else version.lineage["registered_with"]
    rows = [
        ("Run", evidence.run.id),
        ("Fingerprint of the table", evidence.fingerprint),
        ("Plumbline", code["version"]),
        ("Source of Plumbline (SHA-256)", code["source"]),
    ]
    if version is not None:
        rows.insert(0, ("Version", version.id))
    packages = CardTable("Software", ("Package", "Version"), tuple(evidence.result["packages"].items()))
    return Section("lineage", "Lineage and software", (), (CardTable("", ("", " "), tuple(rows)), packages))
