"""The contents of a summary, whatever it is about and whatever file it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import Field, JsonValue, TypeAdapter

from core.charts import StaticChart
from core.checked import CheckedSettings

__all__ = ["ResultSummary", "SummaryNotes", "SummarySection", "SummaryTable"]


class SummaryNotes(CheckedSettings):
    """What only a person can add to a summary; what is left empty is taken from the model's card, if it says it.

    Parameters
    ----------
    author : str, default=""
        Name of the person or team that hands the summary on.
    intended_use : str, default=""
        Description of what the predictions are for.
    out_of_scope : str, default=""
        Description of what they must not be used for.
    """

    author: str = Field("", max_length=200)
    intended_use: str = Field("", max_length=2_000)
    out_of_scope: str = Field("", max_length=2_000)


@dataclass(frozen=True)
class SummaryTable:
    """A table of texts.

    Parameters
    ----------
    columns : tuple of str
        Titles of the columns.
    rows : tuple of tuple of str
        The cells.
    numeric : tuple of int, default=()
        Positions of the columns with numbers, which are aligned to the right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()


@dataclass(frozen=True)
class SummarySection:
    """A section of a summary.

    Parameters
    ----------
    key : str
        Name for programs.
    title : str
        Title.
    text : tuple of str, default=()
        Sentences.
    tables : tuple of SummaryTable, default=()
        Tables.
    charts : tuple of StaticChart, default=()
        Charts.
    missing : str, default=""
        Reason why the section has nothing, or lacks a part.
    """

    key: str
    title: str
    text: tuple[str, ...] = ()
    tables: tuple[SummaryTable, ...] = ()
    charts: tuple[StaticChart, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class ResultSummary:
    """A summary.

    Parameters
    ----------
    kind : str
        Kind of result that it is of, such as "Summary of a search".
    title : str
        Name of the result.
    question : str
        Question that the result answers, in a sentence.
    answer : str
        Answer in a sentence.
    sections : tuple of SummarySection
        The sections in their order.
    facts : tuple of (str, str)
        Names and values of where it comes from: date, author, model, versions.
    """

    kind: str
    title: str
    question: str
    answer: str
    sections: tuple[SummarySection, ...]
    facts: tuple[tuple[str, str], ...]

    def __getitem__(self, key: str) -> SummarySection:
        for section in self.sections:
            if section.key == key:
                return section
        raise KeyError(key)

    @property
    def charts(self) -> tuple[StaticChart, ...]:
        """All charts in their order."""
        return tuple(chart for section in self.sections for chart in section.charts)

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the summary as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> ResultSummary:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[ResultSummary]:
    return TypeAdapter(ResultSummary)
