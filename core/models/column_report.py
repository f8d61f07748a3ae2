"""How columns of new rows differ from those of the training rows: counts by column, and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from core.datasets import Finding, ReadReport
from core.models._fields import MAX_CHOICES, Field
from core.registry import Registry

__all__ = ["COLUMN_COUNTS", "KIND_WORDS", "MAX_EXAMPLES", "ColumnCount", "ColumnReport", "lost_cells"]

MAX_EXAMPLES = 5
MIN_DIFFERENCE = 0.05
"""Difference of two shares of empty cells below which a column is like in training, however many rows there are."""
_Z_01 = 2.326  # of a one-sided test of two proportions at 1%
_CHANCE = 0.01  # the same of the exact one, which few rows need
KIND_WORDS = {"number": "numbers", "boolean": "true and false", "date": "dates", "category": "text", "text": "text"}
"""Kinds of fields in the words of messages."""


@dataclass(frozen=True)
class ColumnCount:
    """A way in which cells of new rows can differ from training.

    Parameters
    ----------
    name : str
        The count's name in `ColumnReport`.
    title : str
        The name that pages show.
    help : str
        Description of the cells that are counted.
    """

    name: str
    title: str
    help: str


COLUMN_COUNTS: Registry[ColumnCount] = Registry(
    "count",
    [
        ColumnCount("missing", "Missing", "Empty cells."),
        ColumnCount(
            "unreadable", "Not readable", "Cells of another type than in training; the model sees them as missing."
        ),
        ColumnCount("unseen", "Unseen values", "Cells with a category that training did not have."),
        ColumnCount("outside", "Out of range", "Numbers or dates outside the range of the training rows."),
    ],
)


@dataclass(frozen=True)
class ColumnReport:
    """How a column of new rows differs from that of the training rows.

    Parameters
    ----------
    name : str
        Name of the column.
    rows : int, default=0
        Number of cells.
    missing : int, default=0
        Number of empty cells.
    unreadable : int, default=0
        Number of cells that are not of the column's type, or too large; the model sees them as missing.
    unseen : int, default=0
        Number of cells with a category that training did not have.
    outside : int, default=0
        Number of numbers or dates outside the range of the training rows.
    given : str, default=""
        The type of the new column, where it is not the one of training.
    unreadable_examples, unseen_examples : tuple of str, default=()
        The first few of these cells.
    trained_rows, trained_missing : int, default=0
        Number of training rows, and of those whose cell was empty.
    """

    name: str
    rows: int = 0
    missing: int = 0
    unreadable: int = 0
    unseen: int = 0
    outside: int = 0
    given: str = ""
    unreadable_examples: tuple[str, ...] = ()
    unseen_examples: tuple[str, ...] = ()
    trained_rows: int = 0
    trained_missing: int = 0

    def __add__(self, other: ColumnReport) -> ColumnReport:
        """Join the reports on two parts of a table."""

        def joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys([*one, *two]))[:MAX_EXAMPLES]

        return ColumnReport(
            self.name,
            self.rows + other.rows,
            self.missing + other.missing,
            self.unreadable + other.unreadable,
            self.unseen + other.unseen,
            self.outside + other.outside,
            self.given or other.given,
            joined(self.unreadable_examples, other.unreadable_examples),
            joined(self.unseen_examples, other.unseen_examples),
            self.trained_rows or other.trained_rows,
            self.trained_missing or other.trained_missing,
        )

    @property
    def differs(self) -> bool:
        """Whether any cell differs from training; empty cells do where there are clearly more of them than there."""
        return bool(self.given or self.missing_more or self.unreadable or self.unseen or self.outside)

    @property
    def missing_more(self) -> bool:
        """Whether more cells are empty than chance explains: in training there was none, or a clearly smaller share."""
        if not self.missing or not self.trained_missing or not self.rows:
            return self.missing > 0
        now, before = self.missing / self.rows, self.trained_missing / self.trained_rows
        pooled = (self.missing + self.trained_missing) / (self.rows + self.trained_rows)
        error = math.sqrt(pooled * (1 - pooled) * (1 / self.rows + 1 / self.trained_rows))
        clear = now - before >= MIN_DIFFERENCE and error > 0 and (now - before) / error > _Z_01
        return clear and _tail(self.missing, self.rows, before) < _CHANCE

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, JsonValue]) -> ColumnReport:
        """Return the report that `to_dict` described."""
        return _adapter().validate_python(values)

    def findings(self, field: Field) -> list[Finding]:
        """Return what differs, in sentences.

        Parameters
        ----------
        field : Field
            The column in training.
        """
        findings = []
        if self.given:
            before = field.held or KIND_WORDS[field.kind]
            findings.append(
                Finding(
                    "changed_type",
                    "alert",
                    self.name,
                    f"'{self.name}' held {before} in training and holds {self.given} now.",
                    f"Cells that can be read as {before} are used. Check whether it is the same column.",
                )
            )
        if self.unreadable:
            message = f"cannot be read as {KIND_WORDS[field.kind]} and count as missing"
            findings.append(
                self._finding(
                    "unreadable", "alert", self.unreadable, message, "Correct them.", self.unreadable_examples
                )
            )
        if self.unseen:
            message, hint = (
                "hold a value that training did not have",
                "Check the spelling: the model ignores the value.",
            )
            findings.append(self._finding("unseen", "notice", self.unseen, message, hint, self.unseen_examples))
        if self.outside:
            low, high = (
                f"{bound:.6g}" if isinstance(bound, float) else bound for bound in (field.minimum, field.maximum)
            )
            message = f"are outside the range of training, {low} to {high}"
            hint = "The test metrics do not apply to such rows."
            findings.append(self._finding("outside", "notice", self.outside, message, hint))
        if self.missing_more:
            message = "are missing"
            if field.nullable and field.rows:
                message += f" ({self.missing / self.rows:.1%}, in training {field.missing / field.rows:.1%})"
            elif not field.nullable:
                message += "; in training none was"
            findings.append(
                self._finding("missing", "notice", self.missing, message, "Fill them in if they are known.")
            )
        if field.kind == "category" and not field.complete:
            findings.append(
                Finding(
                    "many_values",
                    "notice",
                    self.name,
                    f"'{self.name}' had more than {MAX_CHOICES:,} values in training: unseen ones are not counted.",
                    "Nothing to do.",
                )
            )
        return findings

    def _finding(
        self,
        check: str,
        level: Literal["notice", "alert"],
        cells: int,
        message: str,
        hint: str,
        examples: Sequence[str] = (),
    ) -> Finding:
        listed = f" ({', '.join(map(repr, examples))})" if examples else ""
        sentence = f"'{self.name}': {cells:,} of {self.rows:,} cells {message}{listed}."
        return Finding(check, level, self.name, sentence, hint, {"cells": cells, "examples": list(examples)})


@cache
def _adapter() -> TypeAdapter[ColumnReport]:
    return TypeAdapter(ColumnReport)


def _tail(count: int, rows: int, share: float) -> float:
    """Return the chance of at least so many among the rows when each is one with this chance.

    Examples
    --------
    >>> round(_tail(1, 1, 0.1), 3), round(_tail(3, 4, 0.5), 4)
    (0.1, 0.3125)
    """
    if count <= rows * share:
        return 1.0
    odds = share / (1 - share)
    logarithm = math.lgamma(rows + 1) - math.lgamma(count + 1) - math.lgamma(rows - count + 1)
    term = math.exp(logarithm + count * math.log(share) + (rows - count) * math.log1p(-share))
    total = 0.0
    while count <= rows and term > 1e-9 * total:  # terms only get smaller
        total += term
        term *= odds * (rows - count) / (count + 1)
        count += 1
    return total


def lost_cells(report: ReadReport) -> list[Finding]:
    """Return a finding for each column of a file with cells that have no value of its type in training.

    Parameters
    ----------
    report : ReadReport
        Report on how the file was read.
    """
    return [
        Finding(
            "reading",
            "alert",
            column,
            f"{count:,} of {report.rows:,} cells of '{column}' could not be read as in training; they are missing.",
            "Write the values as in the training table.",
            {"cells": count},
        )
        for column, count in report.lost.items()
    ]
