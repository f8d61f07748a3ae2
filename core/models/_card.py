"""A model card: what was measured, what a person answered, and what is still open."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from core.charts import Figure, StaticChart, inline_svg, svg_of
from core.models._card_templates import render_card
from core.models._card_text import Cell
from core.models._coverage import ACT_DATES, CoverageRow
from core.models._questions import NOT_ANSWERED, Question

__all__ = ["CardTable", "ModelCard", "Section"]

_COVERAGE_TITLE = "Coverage of two frameworks"
_COVERAGE_NOTE = (
    f"It shows what the card has for each item, not whether that is enough: people have to judge that. {ACT_DATES}"
)


@dataclass(frozen=True)
class CardTable:
    """A table of the card; numbers stay numbers until it is rendered.

    Parameters
    ----------
    title : str
        The title; empty for a list of facts.
    columns : tuple of str
        Titles of the columns; blank ones for a list of facts (a name and a value).
    rows : tuple of tuple
        The cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the table as JSON-serializable values."""
        rows: list[JsonValue] = [
            [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row] for row in self.rows
        ]
        return {"title": self.title, "columns": list(self.columns), "rows": rows}


@dataclass(frozen=True)
class Section:
    """A section of the card.

    Parameters
    ----------
    key : str
        The name for programs.
    title : str
        The name for people.
    text : tuple of str, default=()
        Sentences that were generated.
    tables : tuple of CardTable, default=()
        Tables of what was measured.
    questions : tuple of (Question, str or None), default=()
        Questions with their answers.
    measured : bool, default=True
        Whether the section holds evidence, beyond questions.
    figures : tuple of Figure, default=()
        Charts of what was measured; pages and HTML have them.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[CardTable, ...] = ()
    questions: tuple[tuple[Question, str | None], ...] = ()
    measured: bool = True
    figures: tuple[Figure, ...] = ()

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the section as JSON-serializable values."""
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
        Two sentences on what the model does and whether it is worth having.
    sections : tuple of Section
        The sections, in the order of the card.
    coverage : tuple of CoverageRow
        Coverage of each item of two frameworks.
    metadata : mapping
        Hugging Face's metadata, with ``model-index``.
    facts : mapping, optional
        Numbers for programs: test_metrics, baseline_metrics, differences, rows, verdict, groups.
    """

    title: str
    summary: str
    sections: tuple[Section, ...]
    coverage: tuple[CoverageRow, ...]
    metadata: Mapping[str, JsonValue]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Section:
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    @property
    def gaps(self) -> tuple[Question, ...]:
        """The questions that have no answer yet."""
        return tuple(question for section in self.sections for question, answer in section.questions if answer is None)

    @property
    def coverage_note(self) -> str:
        """What the coverage says and does not say, and from when one of the frameworks applies."""
        return _COVERAGE_NOTE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the card as JSON-serializable values."""
        return {
            "title": self.title,
            "summary": self.summary,
            "sections": [section.to_dict() for section in self.sections],
            "coverage": [row.to_dict() for row in self.coverage],
            "coverage_note": self.coverage_note,
            "gaps": [question.key for question in self.gaps],
            "metadata": dict(self.metadata),
            "facts": dict(self.facts),
        }

    def to_json(self) -> str:
        """Return the card as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)

    def to_markdown(self) -> str:
        """Return the card as Markdown, with Hugging Face's metadata in front."""
        from markupsafe import Markup

        from core.models._card_metadata import front_matter

        return render_card("card.md.jinja", self._values() | {"front_matter": Markup(front_matter(self.metadata))})

    def to_html(self, *, charts: bool = True) -> str:
        """Return the card as one HTML file that loads no other; light or dark as the reader's system is.

        Parameters
        ----------
        charts : bool, default=True
            Whether it has charts, which are drawn in a process of its own within a few seconds.

        Raises
        ------
        ExportError
            When the charts cannot be drawn.
        """
        from markupsafe import Markup

        drawn: dict[str, list[tuple[str, str]]] = {}
        if charts:
            keys = [section.key for section in self.sections for _ in section.figures]
            static = [StaticChart.of(figure) for section in self.sections for figure in section.figures]
            for key, chart, svg in zip(keys, static, svg_of(static), strict=True):
                drawn.setdefault(key, []).append((chart.description, Markup(inline_svg(svg))))
        return render_card("card.html.jinja", self._values() | {"drawn": drawn})

    def _values(self) -> dict[str, object]:
        rows = tuple(
            (row.framework, row.item, row.about, row.status, "; ".join(row.lacks) or None) for row in self.coverage
        )
        return {
            "card": self,
            "coverage": CardTable("", ("Framework", "Item", "About", "Status", "Missing"), rows),
            "coverage_title": _COVERAGE_TITLE,
            "coverage_note": self.coverage_note,
            "not_answered": NOT_ANSWERED,
        }
