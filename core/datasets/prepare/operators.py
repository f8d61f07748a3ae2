"""What the operators of expressions mean, as SQL of values whose types are known."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import pairwise

from core.datasets.prepare.typed import Kind, Typed
from core.errors import InputError
from core.query import literal

__all__ = ["DATES", "NUMBERS", "arithmetic", "as_date", "bins", "check_pattern", "date_arithmetic"]

NUMBERS: tuple[Kind, ...] = ("number", "integer")
DATES: tuple[Kind, ...] = ("date", "timestamp")


def arithmetic(sign: str, a: Typed, b: Typed) -> Typed:
    """Return the result of ``+ - * / // % **`` on two numbers; where it has none, it is missing."""
    if "missing" in (a.kind, b.kind):
        return Typed("NULL::DOUBLE", "number")
    x, y = f"({a.sql})::DOUBLE", f"({b.sql})::DOUBLE"
    whole = a.kind == b.kind == "integer"
    if sign in ("/", "//", "%"):  # division by zero has no value
        quotient = f"{x} / {y}"
        result = {"/": quotient, "//": f"floor({quotient})", "%": f"{x} - {y} * floor({quotient})"}[sign]
        result = f"CASE WHEN {y} <> 0 THEN {result} END"
        if whole and sign != "/":
            return Typed(f"try_cast({result} AS BIGINT)", "integer")
        return Typed(f"({result})", "number")
    if sign == "**":  # a power beyond the range, or of a negative number with a fraction, has no value
        return Typed(f"(CASE WHEN isfinite(TRY(pow({x}, {y}))) THEN TRY(pow({x}, {y})) END)", "number")
    if whole:  # exact; a result beyond the range of integers has no value
        return Typed(f"try_cast(({a.sql})::HUGEINT {sign} ({b.sql})::HUGEINT AS BIGINT)", "integer")
    return Typed(f"({x} {sign} {y})", "number")


def date_arithmetic(sign: str, a: Typed, b: Typed) -> Typed | None:
    """Return a date moved by days, or the days between two dates; None if a date is missing."""
    if a.kind in DATES and b.kind in DATES and sign == "-":
        return Typed(f"date_diff('day', ({b.sql})::DATE, ({a.sql})::DATE)::BIGINT", "integer")
    if a.kind in DATES and b.kind == "integer":
        moved = f"({a.sql})::TIMESTAMP {sign} to_days(({b.sql})::INTEGER)"
        return Typed(f"CAST(TRY({moved}) AS {'DATE' if a.kind == 'date' else 'TIMESTAMP'})", a.kind)
    return None


def as_date(value: Typed, constant: object) -> Typed:
    """Return a value that is compared with dates: a text that is written out must be one.

    Raises
    ------
    InputError
        When a text is not a date, or not written out.
    """
    if value.kind != "text":
        return value
    try:
        moment = datetime.datetime.fromisoformat(str(constant))
    except ValueError:
        raise InputError("A date is compared with a text that is not a date.", "Write dates as 2024-01-31.") from None
    return Typed(f"TIMESTAMP {literal(moment.strftime('%Y-%m-%d %H:%M:%S.%f'))}", "timestamp", constant=True)


def bins(number: Typed, edges: Sequence[float]) -> Typed:
    """Return the text of the interval that a number lies in.

    Raises
    ------
    InputError
        When the edges do not increase.
    """
    if not edges or list(edges) != sorted(set(edges)):
        raise InputError("The edges of bins must increase.", "Write it as bins(age, [18, 65]).")
    branches = [f"WHEN {number.sql} < {edges[0]!r} THEN {literal(f'< {edges[0]}')}"]
    branches += [f"WHEN {number.sql} < {high!r} THEN {literal(f'{low} to < {high}')}" for low, high in pairwise(edges)]
    branches.append(f"WHEN {number.sql} >= {edges[-1]!r} THEN {literal(f'≥ {edges[-1]}')}")
    return Typed(f"(CASE {' '.join(branches)} END)", "text")


def check_pattern(pattern: str) -> None:
    """Raise InputError for a text that is not a regular expression of the database."""
    import duckdb

    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern])
    except duckdb.Error:
        raise InputError(
            f"'{pattern[:80]}' is not a regular expression.", "Write one, such as [0-9]+; put \\\\ before signs."
        ) from None
