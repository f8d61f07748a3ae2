"""A model card: what was measured, what a person answered, and what is still open."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.models._coverage import CoverageRow
from core.models._questions import Question

__all__ = ["CardTable", "ModelCard", "Section"]


@dataclass(frozen=True)
class CardTable:
    """A table of the card; numbers stay numbers until it is rendered."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        rows = [
            [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row] for row in self.rows
        ]
        return {"title": self.title, "columns": list(self.columns), "rows": rows}


@dataclass(frozen=True)
class Section:
    """A section of the card.

    Parameters
    ----------
    key, title : str
        Its name, for programs and for people.
    text : tuple of str
        Sentences that were generated.
    tables : tuple of CardTable
        What was measured.
    questions : tuple of (Question, str or None)
        With their answers.
    measured : bool
        Whether it holds evidence, beyond questions.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[CardTable, ...] = ()
    questions: tuple[tuple[Question, str | None], ...] = ()
    measured: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return {
            "key": self.key,
            "title": self.title,
            "measured": self.measured,
            "text": list(self.text),
            "tables": [table.to_dict() for table in self.tables],
            "questions": [question.to_dict() | {"answer": answer} for question, answer in self.questions],
        }


@dataclass(frozen=True)
class ModelCard:
    """The card of a model.

    Parameters
    ----------
    title : str
        The model, and its version.
    summary : str
        What it does and whether it is worth having, in two sentences.
    sections : tuple of Section
        In the order of the card.
    coverage : tuple of CoverageRow
        What it has on the items of two frameworks.
    metadata : mapping
        Hugging Face's, with ``model-index``.
    facts : mapping
        Figures for programs: test_metrics, baseline_metrics, differences, groups.
    """

    title: str
    summary: str
    sections: tuple[Section, ...]
    coverage: tuple[CoverageRow, ...]
    metadata: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Section:
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    @property
    def gaps(self) -> tuple[Question, ...]:
        """The questions that nobody answered yet."""
        return tuple(each for section in self.sections for each, answer in section.questions if answer is None)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON-serialisable values."""
        return {
            "title": self.title,
            "summary": self.summary,
            "sections": [section.to_dict() for section in self.sections],
            "coverage": [row.to_dict() for row in self.coverage],
            "gaps": [question.key for question in self.gaps],
            "metadata": dict(self.metadata),
            "facts": dict(self.facts),
        }

    def to_json(self) -> str:
        """Return the card as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)

    def to_markdown(self) -> str:
        """Return the card as Markdown, with Hugging Face's metadata in front."""
        from core.models._card_markdown import markdown

        return markdown(self)

    def to_html(self) -> str:
        """Return the card as one HTML file that needs no other; light or dark as the reader's system is."""
        from core.models._card_html import html

        return html(self)
