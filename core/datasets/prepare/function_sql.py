"""How functions of expressions are written in SQL, given the SQL of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.query import literal

__all__ = [
    "any_missing",
    "between",
    "call",
    "condition",
    "cut",
    "date_field",
    "days_between",
    "real",
    "rounded",
    "to_number",
    "words",
]


def call(function: str) -> Callable[[Sequence[str]], str]:
    """Return a function that the database has."""
    return lambda arguments: f"{function}({', '.join(arguments)})"


def real(function: str, domain: str = "") -> Callable[[Sequence[str]], str]:
    """Return a function of real numbers that is missing outside of its domain."""

    def sql(arguments: Sequence[str]) -> str:
        value = f"({arguments[0]})::DOUBLE"
        result = f"{function}({value})"
        return f"CASE WHEN {value} {domain} THEN {result} END" if domain else result

    return sql


def date_field(part: str) -> Callable[[Sequence[str]], str]:
    """Return a function that takes a part of a date."""
    return lambda arguments: f"date_part({literal(part)}, {arguments[0]})::BIGINT"


def cut(function: str) -> Callable[[Sequence[str]], str]:
    """Return a function of a text and of numbers of characters."""

    def sql(arguments: Sequence[str]) -> str:
        text, *counts = arguments
        return f"{function}({', '.join([text, *(f'try_cast({count} AS BIGINT)' for count in counts)])})"

    return sql


def rounded(arguments: Sequence[str]) -> str:
    """Round a number, to a whole one without digits."""
    digits = arguments[1] if len(arguments) > 1 else "0"
    return f"round(({arguments[0]})::DOUBLE, try_cast({digits} AS INTEGER))"


def words(arguments: Sequence[str]) -> str:
    """Count the words of a text."""
    return f"len(regexp_extract_all({arguments[0]}, '\\S+'))::BIGINT"


def to_number(arguments: Sequence[str]) -> str:
    """Read a number, which is missing where the text is none."""
    return f"try_cast(trim({arguments[0]}) AS DOUBLE)"


def days_between(arguments: Sequence[str]) -> str:
    """Count the days from one date to another."""
    return f"date_diff('day', ({arguments[0]})::DATE, ({arguments[1]})::DATE)::BIGINT"


def condition(arguments: Sequence[str]) -> str:
    """Choose one of two values."""
    return f"CASE WHEN {arguments[0]} THEN {arguments[1]} ELSE {arguments[2]} END"


def between(arguments: Sequence[str]) -> str:
    """Limit a value."""
    value, low, high = arguments
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE least(greatest({value}, {low}), {high}) END"


def any_missing(function: str) -> Callable[[Sequence[str]], str]:
    """Return the least or greatest argument, missing if one of them is, as for all arithmetic."""

    def sql(arguments: Sequence[str]) -> str:
        tests = " OR ".join(f"{argument} IS NULL" for argument in arguments)
        return f"CASE WHEN {tests} THEN NULL ELSE {function}({', '.join(arguments)}) END"

    return sql
