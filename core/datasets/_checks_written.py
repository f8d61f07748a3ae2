"""Guardrails about values that were read as text, though they are written as something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.datasets._checked_table import CheckedTable
from core.datasets._finding import Finding
from core.datasets._number_format import NUMBER, NUMBER_STYLES, typed

__all__ = ["DATE", "dates_as_text", "numbers_as_text"]

DATE = r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ]\d{1,2}:\d{2}.*)?\s*"
"""Regular expression of a date in digits."""
MOST = 0.8
_VALUES = 1_000
_DIGITS = re.compile("|".join(f"(?:{style.pattern})" for style in NUMBER_STYLES.values()))
_NUMBER = re.compile(NUMBER)
_CODE = re.compile(r"0\d|\d{16}|\+\d{6}")  # a digit after a leading zero, more digits than a float has, a phone number


def dates_as_text(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns of dates that were read as text."""
    has_findings = False
    for name in table.text_columns:
        values = table.frame[name].dropna().head(1_000).map(str)
        if len(values) and values.str.fullmatch(DATE).mean() >= 0.95:
            has_findings = True
            yield Finding(
                "dates_as_text",
                "notice",
                name,
                f"{name!r} holds dates as text, such as {values.iloc[0]!r}.",
                "Read them as dates: a model treats texts as unrelated categories.",
            )
    if not has_findings:
        yield Finding("dates_as_text", "passed", None, "No column holds dates as text.")


def numbers_as_text(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns of which most values are numbers, perhaps with a currency or a unit, that were read as text."""
    has_findings = False
    for name in table.text_columns:
        values = table.frame[name].dropna().map(str).drop_duplicates().head(_VALUES)
        numbers = [value for value in values if _is_number(value)]
        if len(numbers) >= max(3, MOST * len(values)):
            has_findings = True
            others = [value for value in values if not _is_number(value)]
            rest = f"; others are not, such as {others[0][:40]!r}" if others else ""
            yield Finding(
                "numbers_as_text",
                "notice",
                name,
                f"{name!r} holds numbers as text, such as {numbers[0]!r}{rest}.",
                "Make it a number, unless the values are codes. Cells without one become missing, and are counted.",
                {"share": len(numbers) / len(values)},
            )
    if not has_findings:
        yield Finding("numbers_as_text", "passed", None, "No column holds numbers as text.")


def _is_number(value: str) -> bool:
    text = typed(value)
    match = _NUMBER.fullmatch(text)
    return match is not None and _CODE.match(text) is None and _DIGITS.fullmatch(match[5].strip()) is not None
