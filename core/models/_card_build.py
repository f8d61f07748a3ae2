"""The card of a version, or of a run before it is registered, put together from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from pydantic import JsonValue, TypeAdapter

from core import known_columns
from core.access import Access
from core.catalog import ModelVersion
from core.catalog import models as rows
from core.models import _card_data, _card_related_runs, _card_sections
from core.models._card import CardTable, ModelCard, Section
from core.models._card_federation import federation_section
from core.models._card_groups import groups_section
from core.models._card_metadata import card_metadata
from core.models._card_monitoring import monitoring_section
from core.models._coverage import coverage
from core.models._evidence import RunEvidence
from core.models._history import describe_event
from core.models._questions import QUESTIONS
from core.models._registry import resolve
from core.models._run_result import RunResult

__all__ = ["card", "card_of_run"]


def card(model: str, *, access: Access) -> ModelCard:
    """Return the card of a version.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such model.

    See Also
    --------
    card_of_run : The card of a run that is not registered.
    """
    version = resolve(model, access=access)
    return _build(RunEvidence.of(version.run_id, access=access), version)


def card_of_run(run_id: str, *, access: Access) -> ModelCard:
    """Return the card of a run that made a model; it does not need to be registered, and has no answers then.

    Parameters
    ----------
    run_id : str
        The id of a search or a fine-tuning that succeeded.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RegistryError
        When the run did not make a model.

    See Also
    --------
    card : The card of a registered version.
    """
    return _build(RunEvidence.of(run_id, access=access), None)


def _build(evidence: RunEvidence, version: ModelVersion | None) -> ModelCard:
    answers = {} if version is None else version.answer_texts
    title = (
        _card_sections.card_title(evidence) if version is None else rows.version_title(version, access=evidence.access)
    )
    by_group, group_facts = groups_section(evidence)
    drafts = [
        _card_sections.details_section(evidence, version),
        Section("uses", "Uses", measured=False),
        _card_data.data_section(evidence, version),
        _card_sections.training_section(evidence),
        federation_section(evidence),
        _card_data.evaluation_section(evidence),
        by_group,
        _card_related_runs.explanation_section(evidence),
        _card_related_runs.export_section(evidence),
        _card_related_runs.latency_section(evidence),
        _card_sections.limits_section(evidence),
        Section("operation", "Operation and oversight", measured=False),
        monitoring_section(version, access=evidence.access),
        _card_sections.lineage_section(evidence, version),
        None if version is None else _history_section(version, access=evidence.access),
    ]
    sections = tuple(_with_questions(section, answers) for section in drafts if section is not None)
    return ModelCard(
        title=title,
        summary=" ".join(
            filter(
                None,
                [
                    _card_sections.summary_sentence(evidence),
                    evidence.result.verdict,
                    known_columns.caveat(evidence.run, access=evidence.access),
                ],
            )
        ),
        sections=sections,
        coverage=coverage({section.key: section.title for section in sections if section.measured}, set(answers)),
        metadata=card_metadata(evidence, title, answers.get("licence")),
        facts=_facts(evidence.result) | {"groups": group_facts},
    )


def _facts(result: RunResult) -> dict[str, JsonValue]:
    names = {"test_metrics", "baseline_metrics", "differences", "rows", "verdict"}
    return dict(TypeAdapter(RunResult).dump_python(result, mode="json", include=names))


def _with_questions(section: Section, answers: dict[str, str]) -> Section:
    """Return a section with its questions and their answers."""
    own = [question for question in QUESTIONS.values() if question.section == section.key]
    return replace(section, questions=tuple((question, answers.get(question.key)) for question in own))


def _history_section(version: ModelVersion, *, access: Access) -> Section:
    """List what happened to this version, oldest first."""
    table_rows = tuple(
        (
            datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M"),
            describe_event(event),
            event.who or None,
            event.why or None,
        )
        for event in reversed(rows.history(version.model_id, access=access))
        if version.number in (event.number, event.previous)
    )
    table = CardTable("What happened to this version (UTC)", ("Time", "Event", "Who", "Why"), table_rows)
    return Section("history", "History", (), (table,))
