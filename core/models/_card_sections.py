"""The sections of a card that every run has evidence for: model details, training, limits, lineage."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from core import known_columns
from core.automl import LearningCurve, describe_calibration, describe_curve, describe_final_model, learner_title
from core.catalog import ModelVersion
from core.datasets import suspected_attribute
from core.evaluation import METRICS
from core.models._card import CardTable, Section
from core.models._card_federation import describe_federated_training, federation_record
from core.models._card_text import Cell, format_value
from core.models._code import code_version
from core.models._evidence import RunEvidence
from core.models._run_result import Winner

__all__ = [
    "card_title",
    "details_section",
    "limits_section",
    "lineage_section",
    "summary_sentence",
    "training_section",
]

_FACTS = ("", " ")  # columns of a table of names and values
_FEW_TEST_ROWS = 200
_RARE_SHARE = 0.1


def card_title(evidence: RunEvidence) -> str:
    """Return a title for the model of a run that is not registered."""
    return evidence.run.title or f"A model of {evidence.target}"


def summary_sentence(evidence: RunEvidence) -> str:
    """Return one sentence on what the model does."""
    labels = evidence.result.labels
    target = "a number" if labels is None else f"one of {len(labels)} classes"
    if labels is not None and evidence.several:
        target = f"any number of {len(labels)} labels"
    count = len(evidence.features)
    source = f"{count:,} column{'s' * (count != 1)}"
    if evidence.reads_text:
        source = "the text in " + " and ".join(f"'{name}'" for name in evidence.features)
    table = "" if evidence.dataset is None else f" of the table '{evidence.dataset.name}'"
    return f"Predicts '{evidence.target}', {target}, from {source}{table}."


def details_section(evidence: RunEvidence, version: ModelVersion | None) -> Section:
    """Return what the model is."""
    result, run = evidence.result, evidence.run
    count = len(evidence.features)
    reads = f"{count:,} column{'s' * (count != 1)} of a table"
    if evidence.reads_text:
        reads = "a text" if count == 1 else "a pair of texts"
    rows: list[tuple[Cell, ...]] = [
        ("Predicts", evidence.target),
        ("Task", result.task),
        ("Reads", reads),
        ("Model", _architecture(evidence)),
        (
            "Made on",
            None if run.finished_at is None else datetime.fromtimestamp(run.finished_at, UTC).strftime("%Y-%m-%d"),
        ),
    ]
    if result.labels is not None:
        rows.insert(2, ("Labels" if evidence.several else "Classes", ", ".join(map(str, result.labels[:20]))))
    if version is not None and version.notes:
        rows.append(("Notes", version.notes))
    return Section("details", "Model details", (), (CardTable("", _FACTS, tuple(rows)),))


def _architecture(evidence: RunEvidence) -> str:
    base, winner = evidence.result.base_model, evidence.result.winner
    if base is not None:
        return f"{base.title}, {base.parameters:,} weights, fine-tuned ({base.licence})"
    return "unknown" if winner is None else _learner_title(winner.learner)


def _learner_title(name: str) -> str:
    return learner_title(name)


def _final_model(winner: Winner | None) -> str:
    if winner is None:
        return ""
    record = asdict(winner)
    return " ".join(filter(None, [describe_final_model(record), describe_calibration(record)]))


def training_section(evidence: RunEvidence) -> Section:
    """Return how the model was made."""
    result = evidence.result
    metric = METRICS[result.metric].title
    tables = [CardTable("Settings", ("Setting", "Value"), _setting_rows(result.settings))]
    if result.training is not None:
        training = result.training
        text = [
            f"The base model was trained for {training.steps:,} steps on {result.device} in "
            f"{result.elapsed_s:,.0f} s. The weights of step {format_value(training.best_step)} had the best "
            f"validation {metric} and were kept."
        ]
        config: dict[str, JsonValue] = {"trainable weights": training.trainable, "precision": training.precision}
    elif (federation := federation_record(evidence)) is not None:
        text = [describe_federated_training(federation), result.split_method]
        config = dict(result.winner.config or {}) if result.winner is not None else {}
    else:
        text = [
            f"A search of {len(result.trials):,} configuration{'s' * (len(result.trials) != 1)} in "
            f"{result.elapsed_s:,.0f} s for the best "
            f"{metric}. {result.stop_reason}",
            f"Scored by {result.split_method}. {_final_model(result.winner)}".strip(),
        ]
        if weight := result.settings.get("weight_column"):
            text.append(f"Rows counted by their weight in '{weight}', in training and in all metrics.")
        config = dict(result.winner.config or {}) if result.winner is not None else {}
    if result.learning_curve is not None:
        text.append(describe_curve(LearningCurve.from_dict(result.learning_curve)))
    members = config.pop("members", None)
    if isinstance(members, list) and members:
        rows = tuple(_member_row(member) for member in members if isinstance(member, dict))
        tables.insert(0, CardTable("Members of the blend", ("Learner", "Trial", "Weight"), rows))
    if config:
        rows = tuple((name, _cell(value)) for name, value in config.items())
        tables.insert(0, CardTable("Configuration of the model", ("Parameter", "Value"), rows))
    return Section("training", "Training", tuple(text), tuple(tables))


def _setting_rows(settings: dict[str, JsonValue]) -> tuple[tuple[Cell, ...], ...]:
    base = str(settings.get("base_model", ""))
    if Path(base).is_absolute():  # a card does not tell where a folder is on this machine
        settings = settings | {"base_model": Path(base).name}
    return tuple((name, _cell(value)) for name, value in settings.items() if value not in (None, [], {}))


def _member_row(member: dict[str, JsonValue]) -> tuple[Cell, ...]:
    return (_learner_title(str(member["learner"])), _cell(member["trial"]), _cell(member["weight"]))


def _cell(value: JsonValue) -> Cell:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def limits_section(evidence: RunEvidence) -> Section:
    """Return what the metrics do not say, as far as it follows from them."""
    result = evidence.result
    text = []
    test_rows = result.test_rows
    if test_rows:
        text.append("The test rows come from the same table: they do not show other times, places or people.")
        text.append("Intervals cover the random choice of the test rows, not that of another training.")
    if 0 < test_rows < _FEW_TEST_ROWS:
        text.append(f"Metrics rest on {test_rows:,} test rows: they cannot show small differences.")
    if evidence.labels is not None and test_rows:
        counts = [sum(row) for row in result.confusion or []]
        for label, count in zip(evidence.labels, counts, strict=False):
            if count < _RARE_SHARE * test_rows:
                text.append(
                    f"The class '{label}' has {count:,} of {test_rows:,} test rows: metrics about it are uncertain."
                )
    suspected = [f"'{name}' ({suspected_attribute(name)})" for name in evidence.features if suspected_attribute(name)]
    if not evidence.reads_text and suspected:
        text.append(f"The model reads columns whose names suggest groups of people: {', '.join(suspected)}.")
    if evidence.reads_text:
        length = result.integer_setting("max_length")
        text.append(
            f"The model reads the first {length:,} tokens of each text. It does not detect languages that it was not "
            "trained on."
        )
    else:
        text.append("The model also predicts outside the ranges and values of the training rows; how well is unknown.")
    text += _carriers(evidence)
    text += [finding.message for finding in result.findings if finding.level != "passed"]
    return Section("limits", "Limits and risks", tuple(text))


def _carriers(evidence: RunEvidence) -> list[str]:
    """Return what is known of each column that carries much of the gain, and whether it is known in time."""
    answers = known_columns.answers(evidence.run, access=evidence.access)
    text = []
    for carrier in known_columns.carriers(evidence.run, access=evidence.access):
        answer = answers.get(carrier.columns[0])
        known = "not answered yet" if answer is None else known_columns.ANSWERS[answer].lower()
        sentence = known_columns.describe_carrier(carrier, evidence.result.metric)
        text.append(f"{sentence} Known when a prediction is made: {known}.")
    return text


def lineage_section(evidence: RunEvidence, version: ModelVersion | None) -> Section:
    """Return where the model comes from, and the software it was made with."""
    code = code_version() if version is None else version.lineage["registered_with"]
    rows: list[tuple[Cell, ...]] = [
        ("Run", evidence.run.id),
        ("Fingerprint of the table", evidence.fingerprint),
        ("Plumbline", code["version"]),
        ("Source of Plumbline (SHA-256)", code["source"]),
    ]
    if version is not None:
        rows.insert(0, ("Version", version.id))
    packages = CardTable("Software", ("Package", "Version"), tuple(evidence.result.packages.items()))
    return Section("lineage", "Lineage and software", (), (CardTable("", _FACTS, tuple(rows)), packages))
