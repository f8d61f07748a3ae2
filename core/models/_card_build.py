"""The card of a version, or of a run before it is registered, put together from what is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.catalog import ModelVersion
from core.catalog import models as rows
from core.models import _card_later, _card_sections
from core.models._card import CardTable, ModelCard, Section
from core.models._card_groups import groups
from core.models._card_metadata import metadata
from core.models._coverage import coverage
from core.models._evidence import Evidence
from core.models._questions import QUESTIONS
from core.models._registry import resolve

__all__ = ["card", "card_of_run"]


def card(model: str, *, workspace: str) -> ModelCard:
    """Return the card of a version.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    version = resolve(model, workspace=workspace)
    return _card(Evidence.of(version.run_id, workspace), version)


def card_of_run(run_id: str, *, workspace: str) -> ModelCard:
    """Return the card of a run that made a model and need not be registered; no question is answered there.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RegistryError
        When it made no model.
    """
    return _card(Evidence.of(run_id, workspace), None)


def _card(evidence: Evidence, version: ModelVersion | None) -> ModelCard:
    answers = {} if version is None else version.answers
    title = _card_sections.subject(evidence)
    if version is not None:
        title = f"{rows.get(version.model_id, version.workspace).name}, version {version.number}"
    by_group, figures = groups(evidence)
    made = [
        _card_sections.details(evidence, version),
        Section("uses", "Uses", measured=False),
        _card_sections.data(evidence),
        _card_sections.training(evidence),
        _card_sections.evaluation(evidence),
        by_group,
        _card_later.explanation(evidence),
        _card_later.export(evidence),
        _card_later.latency(evidence),
        _card_sections.limits(evidence),
        Section("operation", "Operation and oversight", measured=False),
        _card_sections.lineage(evidence, version),
        *([] if version is None else [_history(version)]),
    ]
    sections = tuple(_asked(section, answers) for section in made if section is not None)
    measured = {section.key: section.title for section in sections if section.measured}
    result = evidence.result
    facts = {name: result[name] for name in ("test_metrics", "baseline_metrics", "differences", "rows", "verdict")}
    return ModelCard(
        title=title,
        summary=f"{_card_sections.summary(evidence)} {result['verdict']}",
        sections=sections,
        coverage=coverage(measured, set(answers)),
        metadata=metadata(evidence, title, answers),
        facts=facts | {"groups": figures},
    )


def _asked(section: Section, answers: dict[str, Any]) -> Section:
    own = tuple(
        (question, answers[question.key]["text"] if question.key in answers else None)
        for question in QUESTIONS
        if question.section == section.key
    )
    return Section(section.key, section.title, section.text, section.tables, own, section.measured)


def _history(version: ModelVersion) -> Section:
    """List what happened to this version, oldest first."""
    told = []
    for event in reversed(rows.history(version.model_id, version.workspace)):
        if version.number in (event.number, event.previous):
            at = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M")
            what = event.action.replace("_", " ") + (f" ({event.alias})" if event.action == "alias" else "")
            lost = event.number != version.number and event.alias is not None and event.action != "restore"
            told.append((at, f"{what}: taken off" if lost else what, event.who or None, event.why or None))
    table = CardTable("What happened to this version (UTC)", ("When", "What", "Who", "Why"), tuple(told))
    return Section("history", "History", (), (table,))
