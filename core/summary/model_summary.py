"""The summary of a search or a training, from what its run stored and its card says."""

from __future__ import annotations

from datetime import UTC, datetime

from core.access import Access
from core.catalog import Run
from core.catalog import models as rows
from core.models import ModelCard, RunEvidence, card, card_of_run, code_version
from core.summary.answer import answer_section
from core.summary.certainty import certainty_section
from core.summary.document import ResultSummary, SummaryNotes, SummarySection, SummaryTable
from core.summary.drivers import drivers_section
from core.summary.failures import failures_section
from core.summary.frequencies import Predictions
from core.summary.group_treatment import groups_section

__all__ = ["summarize_model"]

_MAX_LISTED = 20
_CARD_ONLY = ("intended_use", "users", "out_of_scope")


def summarize_model(run_id: str, notes: SummaryNotes | None = None, *, access: Access) -> ResultSummary:
    """Return the summary of a search or a training.

    Parameters
    ----------
    run_id : str
        Id of a search or a fine-tuning that succeeded.
    notes : SummaryNotes, optional
        Notes that a person adds.
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
    core.models.card : All that is known of a model, with the questions that only people can answer.
    """
    notes = notes or SummaryNotes()
    evidence = RunEvidence.of(run_id, access=access)
    versions = rows.of_run(run_id, access=access)
    version = versions[-1] if versions else None
    own_card = card_of_run(run_id, access=access) if version is None else card(version.id, access=access)
    answers = {} if version is None else version.answer_texts
    answers |= {key: value for key, value in notes.model_dump().items() if value and key in _CARD_ONLY}
    test = None
    if evidence.result.test_rows:
        test = Predictions.of_table(
            evidence.test, evidence.target, labels=evidence.labels is not None, several=evidence.several
        )
    sentence, answer = answer_section(evidence, own_card, test)
    name = "not registered" if version is None else rows.version_title(version, access=access)
    return ResultSummary(
        kind="Summary of a training" if evidence.reads_text else "Summary of a search",
        title=evidence.run.title or f"A model of {evidence.target}",
        question=_question(evidence),
        answer=sentence,
        sections=(
            _question_section(evidence, answers),
            answer,
            certainty_section(evidence, own_card),
            drivers_section(evidence, own_card),
            failures_section(evidence, test),
            groups_section(evidence, own_card),
            _use_section(own_card, answers),
            _data_section(own_card),
        ),
        facts=_facts(evidence.run, name, notes),
    )


def _question(evidence: RunEvidence) -> str:
    dataset = evidence.dataset
    table = "a table that was deleted since" if dataset is None else f"the table '{dataset.name}'"
    unit = "text" if evidence.reads_text else "row"
    if evidence.labels is None:
        return f"Can the number '{evidence.target}' be predicted for a {unit} of {table}?"
    shown = [f"'{label}'" for label in evidence.labels[:5]]
    more = len(evidence.labels) - len(shown)
    classes = " or ".join([", ".join(shown[:-1]), shown[-1]]) if not more and len(shown) > 1 else ", ".join(shown)
    classes += f" and {more:,} more" if more else ""
    return f"Can '{evidence.target}' ({classes}) be predicted for a {unit} of {table}?"


def _question_section(evidence: RunEvidence, answers: dict[str, str]) -> SummarySection:
    count = len(evidence.features)
    source = f"{count:,} column{'s' * (count != 1)}"
    if evidence.reads_text:
        source = "the text in " + " and ".join(f"'{name}'" for name in evidence.features)
    target = "a number" if evidence.labels is None else f"one of {len(evidence.labels):,} classes"
    if evidence.labels is not None and evidence.several:
        target = f"any number of {len(evidence.labels):,} labels"
    text = [f"The model predicts '{evidence.target}', {target}, from {source}."]
    unknown = []
    for key, beginning, nothing in (
        ("intended_use", "What it is for", "what it is for"),
        ("users", "Who uses it, and who is affected", "who uses it and who is affected"),
    ):
        if key in answers:
            text.append(f"{beginning}: {answers[key]}")
        else:
            unknown.append(nothing)
    missing = f"Nobody has said yet {' and '.join(unknown)}." if unknown else ""
    return SummarySection("question", "What is predicted, and for whom", tuple(text), missing=missing)


def _use_section(own_card: ModelCard, answers: dict[str, str]) -> SummarySection:
    limits = own_card["limits"].text
    text = (answers["out_of_scope"],) if "out_of_scope" in answers else ()
    missing = "" if text else "Nobody has said yet what the model must not be used for; the model's card asks it."
    shown = limits[:_MAX_LISTED]
    return SummarySection("use", "What it must not be used for, and its limits", (*text, *shown), missing=missing)


def _data_section(own_card: ModelCard) -> SummarySection:
    section = own_card["data"]
    facts = [table for table in section.tables if not table.title]
    steps = [table for table in section.tables if table.title == "Preparation steps, in order"]
    tables = [SummaryTable(("", " "), tuple((str(row[0]), _cell(row[1])) for row in table.rows)) for table in facts]
    text = list(section.text) if not any("Columns" in str(row[0]) for table in facts for row in table.rows) else []
    for table in steps:
        for row in table.rows[:_MAX_LISTED]:
            text.append(f"Step {row[0]}: {row[2]}{f' ({row[3]})' if row[3] else ''}.")
        if len(table.rows) > _MAX_LISTED:
            text.append(f"{len(table.rows) - _MAX_LISTED:,} more steps are on the model's card.")
    if not steps:
        text.append("The table is as it was read: no preparation steps.")
    return SummarySection("data", "Data", tuple(text), tuple(tables))


def _cell(value: object) -> str:
    if value is None:
        return "n/a"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _facts(run: Run, name: str, notes: SummaryNotes) -> tuple[tuple[str, str], ...]:
    made = "unknown" if run.finished_at is None else datetime.fromtimestamp(run.finished_at, UTC).strftime("%Y-%m-%d")
    software = code_version()
    return (
        ("Author", notes.author or "not stated"),
        ("Model made on", made),
        ("Model", name),
        ("Run", run.id),
        ("Plumbline", f"{software['version']} (source {software['source'][:12]})"),
    )
