"""The functions that an expression may call: an allow-list, one record each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.query import literal
from core.registry import Registry

__all__ = ["FUNCTIONS", "STORED", "Function", "Kind", "Typed", "as_text", "kind_of"]

Kind: TypeAlias = Literal["number", "integer", "text", "boolean", "date", "timestamp", "missing"]

STORED = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "text": "VARCHAR",
}
"""DuckDB type of each type of values."""


@dataclass(frozen=True)
class Typed:
    """SQL of a value, and the type of the value.

    Parameters
    ----------
    sql : str
        Expression.
    kind : {"number", "integer", "text", "boolean", "date", "timestamp", "missing"}
        Type; "missing" is that of the constant None.
    constant : bool, default=False
        Whether it is written in the expression itself.
    """

    sql: str
    kind: Kind
    constant: bool = False


@dataclass(frozen=True)
class Function:
    """A function of the expression language.

    Parameters
    ----------
    name : str
        Name in expressions.
    help : str
        Phrase that says what it returns.
    example : str
        Call with constants, which a test evaluates.
    takes : tuple of str
        Type of each argument: "number", "text", "boolean", "date" (dates and times) or "any".
    sql : callable
        Function of the SQL of the arguments that returns the SQL of the call.
    returns : str
        Type of the result; "first" for that of the first argument, "common" for the common type of all of them.
    optional : int, default=0
        Number of arguments at the end that may be left out.
    repeats : bool, default=False
        Whether the last argument may be given any number of times.
    constants : tuple of int, default=()
        Positions of arguments that must be written out, because they are not values of a row.
    """

    name: str
    help: str
    example: str
    takes: tuple[str, ...]
    sql: Callable[[Sequence[str]], str]
    returns: str
    optional: int = 0
    repeats: bool = False
    constants: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """The example, by which the function is listed."""
        return self.example


def kind_of(duckdb_type: str) -> Kind | None:
    """Return the type of values that a DuckDB type holds, None for one that expressions cannot use.

    Examples
    --------
    >>> kind_of("BIGINT"), kind_of("DECIMAL(18,2)"), kind_of("TIMESTAMP"), kind_of("BLOB")
    ('integer', 'number', 'timestamp', None)
    """
    name = duckdb_type.upper()
    if name == "BOOLEAN":
        return "boolean"
    if name.endswith("INT") or name == "INTEGER" or name == "UINTEGER":
        return "integer"
    if name in ("DOUBLE", "FLOAT") or name.startswith("DECIMAL"):
        return "number"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    return {"VARCHAR": "text", "DATE": "date"}.get(name)  # type: ignore[return-value]


def as_text(value: str) -> str:
    """Return SQL of the text of a value: a whole number has no decimal point."""
    return f"regexp_replace(CAST({value} AS VARCHAR), '^(-?[0-9]+)\\.0$', '\\1')"


def _call(function: str) -> Callable[[Sequence[str]], str]:
    return lambda arguments: f"{function}({', '.join(arguments)})"


def _real(function: str, domain: str = "") -> Callable[[Sequence[str]], str]:
    """Return a function of real numbers that is missing outside of its domain."""

    def sql(arguments: Sequence[str]) -> str:
        value = f"({arguments[0]})::DOUBLE"
        result = f"{function}({value})"
        return f"CASE WHEN {value} {domain} THEN {result} END" if domain else result

    return sql


def _part(part: str) -> Callable[[Sequence[str]], str]:
    return lambda arguments: f"date_part({literal(part)}, {arguments[0]})::BIGINT"


def _rounded(arguments: Sequence[str]) -> str:
    digits = arguments[1] if len(arguments) > 1 else "0"
    return f"round(({arguments[0]})::DOUBLE, try_cast({digits} AS INTEGER))"


def _words(arguments: Sequence[str]) -> str:
    return f"len(regexp_extract_all({arguments[0]}, '\\S+'))::BIGINT"


def _to_number(arguments: Sequence[str]) -> str:
    return f"try_cast(trim({arguments[0]}) AS DOUBLE)"


def _days(arguments: Sequence[str]) -> str:
    return f"date_diff('day', ({arguments[0]})::DATE, ({arguments[1]})::DATE)::BIGINT"


def _condition(arguments: Sequence[str]) -> str:
    return f"CASE WHEN {arguments[0]} THEN {arguments[1]} ELSE {arguments[2]} END"


def _between(arguments: Sequence[str]) -> str:
    value, low, high = arguments
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE least(greatest({value}, {low}), {high}) END"


def _any_missing(function: str) -> Callable[[Sequence[str]], str]:
    """Return the least or greatest argument, missing if one of them is, as for all arithmetic."""

    def sql(arguments: Sequence[str]) -> str:
        tests = " OR ".join(f"{argument} IS NULL" for argument in arguments)
        return f"CASE WHEN {tests} THEN NULL ELSE {function}({', '.join(arguments)}) END"

    return sql


FUNCTIONS: Registry[Function] = Registry(
    "function",
    [
        Function("abs", "absolute value", "abs(-2)", ("number",), _call("abs"), "first"),
        Function("round", "rounded number", "round(2.345, 2)", ("number", "number"), _rounded, "number", 1),
        Function("floor", "largest whole number below", "floor(2.7)", ("number",), _real("floor"), "number"),
        Function("ceil", "smallest whole number above", "ceil(2.1)", ("number",), _real("ceil"), "number"),
        Function(
            "sqrt",
            "square root; missing below 0",
            "sqrt(9)",
            ("number",),
            _real("sqrt", ">= 0"),
            "number",
        ),
        Function(
            "log", "natural logarithm; missing at 0 and below", "log(1)", ("number",), _real("ln", "> 0"), "number"
        ),
        Function(
            "log10",
            "decimal logarithm; missing at 0 and below",
            "log10(100)",
            ("number",),
            _real("log10", "> 0"),
            "number",
        ),
        Function("exp", "e to this power", "exp(0)", ("number",), _real("exp"), "number"),
        Function(
            "min", "smallest of the values", "min(1, 2)", ("number",), _any_missing("least"), "common", repeats=True
        ),
        Function(
            "max", "largest of the values", "max(1, 2)", ("number",), _any_missing("greatest"), "common", repeats=True
        ),
        Function(
            "clip",
            "value within two limits",
            "clip(12, 0, 10)",
            ("number", "number", "number"),
            _between,
            "common",
        ),
        Function("length", "number of characters", 'length("four")', ("text",), _call("length"), "integer"),
        Function("words", "number of words", 'words("two words")', ("text",), _words, "integer"),
        Function("lower", "text in lower case", 'lower("ABC")', ("text",), _call("lower"), "text"),
        Function("upper", "text in upper case", 'upper("abc")', ("text",), _call("upper"), "text"),
        Function("trim", "text without surrounding blanks", 'trim(" a ")', ("text",), _call("trim"), "text"),
        Function(
            "left",
            "first characters",
            'left("abcdef", 2)',
            ("text", "number"),
            lambda arguments: f"left({arguments[0]}, try_cast({arguments[1]} AS BIGINT))",
            "text",
        ),
        Function(
            "right",
            "last characters",
            'right("abcdef", 2)',
            ("text", "number"),
            lambda arguments: f"right({arguments[0]}, try_cast({arguments[1]} AS BIGINT))",
            "text",
        ),
        Function(
            "substring",
            "characters from a position, counted from 1",
            'substring("abcdef", 2, 3)',
            ("text", "number", "number"),
            lambda arguments: (
                f"substring({arguments[0]}, try_cast({arguments[1]} AS BIGINT), try_cast({arguments[2]} AS BIGINT))"
            ),
            "text",
        ),
        Function(
            "replace",
            "text with a part replaced",
            'replace("a-b", "-", " ")',
            ("text", "text", "text"),
            _call("replace"),
            "text",
        ),
        Function(
            "concat",
            "texts one after the other",
            'concat("a", "b")',
            ("text",),
            lambda arguments: "(" + " || ".join(arguments) + ")",
            "text",
            repeats=True,
        ),
        Function(
            "contains",
            "whether a text has a part",
            'contains("abc", "b")',
            ("text", "text"),
            _call("contains"),
            "boolean",
        ),
        Function(
            "starts_with",
            "whether a text begins so",
            'starts_with("abc", "a")',
            ("text", "text"),
            _call("starts_with"),
            "boolean",
        ),
        Function(
            "ends_with",
            "whether a text ends so",
            'ends_with("abc", "c")',
            ("text", "text"),
            _call("ends_with"),
            "boolean",
        ),
        Function(
            "matches",
            "whether a regular expression matches somewhere",
            'matches("ab12", "[0-9]+")',
            ("text", "text"),
            _call("regexp_matches"),
            "boolean",
            constants=(1,),
        ),
        Function(
            "extract",
            "first match of a regular expression; missing without one",
            'extract("ab12", "[0-9]+")',
            ("text", "text"),
            lambda arguments: f"nullif(regexp_extract({arguments[0]}, {arguments[1]}), '')",
            "text",
            constants=(1,),
        ),
        Function("year", "year of a date", 'year(date("2024-03-09"))', ("date",), _part("year"), "integer"),
        Function("quarter", "quarter, 1 to 4", 'quarter(date("2024-03-09"))', ("date",), _part("quarter"), "integer"),
        Function("month", "month, 1 to 12", 'month(date("2024-03-09"))', ("date",), _part("month"), "integer"),
        Function("day", "day of the month", 'day(date("2024-03-09"))', ("date",), _part("day"), "integer"),
        Function(
            "weekday",
            "day of the week, 1 is Monday",
            'weekday(date("2024-03-09"))',
            ("date",),
            _part("isodow"),
            "integer",
        ),
        Function("hour", "hour of a time, 0 to 23", 'hour(date("2024-03-09"))', ("date",), _part("hour"), "integer"),
        Function("minute", "minute of a time", 'minute(date("2024-03-09"))', ("date",), _part("minute"), "integer"),
        Function(
            "days_between",
            "days from one date to another",
            'days_between(date("2024-03-01"), date("2024-03-09"))',
            ("date", "date"),
            _days,
            "integer",
        ),
        Function(
            "date",
            "date of a text as YYYY-MM-DD",
            'date("2024-03-09")',
            ("text",),
            lambda arguments: f"try_cast(trim({arguments[0]}) AS DATE)",
            "date",
        ),
        Function(
            "if_else",
            "one of two values, by a condition; the second where the condition is missing",
            'if_else(1 > 2, "yes", "no")',
            ("boolean", "any", "any"),
            _condition,
            "common",
        ),
        Function(
            "is_missing",
            "whether a value is missing",
            "is_missing(None)",
            ("any",),
            lambda arguments: f"({arguments[0]} IS NULL)",
            "boolean",
        ),
        Function(
            "coalesce",
            "first value that is not missing",
            "coalesce(None, 2)",
            ("any",),
            _call("coalesce"),
            "common",
            repeats=True,
        ),
        Function(
            "number",
            "number of a text; missing where it is none",
            'number("1.5")',
            ("text",),
            _to_number,
            "number",
        ),
        Function(
            "text",
            "text of a value",
            "text(1)",
            ("any",),
            lambda arguments: as_text(arguments[0]),
            "text",
        ),
    ],
)
"""All functions by name. Whatever is not here cannot be called."""
