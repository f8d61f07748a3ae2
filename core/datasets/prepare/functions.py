"""The functions that an expression may call: an allow-list, one record each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.datasets.prepare import function_sql as sql
from core.datasets.prepare.typed import as_text
from core.registry import Registry

__all__ = ["FUNCTIONS", "Function"]


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


FUNCTIONS: Registry[Function] = Registry(
    "function",
    [
        Function("abs", "absolute value", "abs(-2)", ("number",), sql.call("abs"), "first"),
        Function("round", "rounded number", "round(2.345, 2)", ("number", "number"), sql.rounded, "number", 1),
        Function("floor", "largest whole number below", "floor(2.7)", ("number",), sql.real("floor"), "number"),
        Function("ceil", "smallest whole number above", "ceil(2.1)", ("number",), sql.real("ceil"), "number"),
        Function(
            "sqrt",
            "square root; missing below 0",
            "sqrt(9)",
            ("number",),
            sql.real("sqrt", ">= 0"),
            "number",
        ),
        Function(
            "log", "natural logarithm; missing at 0 and below", "log(1)", ("number",), sql.real("ln", "> 0"), "number"
        ),
        Function(
            "log10",
            "decimal logarithm; missing at 0 and below",
            "log10(100)",
            ("number",),
            sql.real("log10", "> 0"),
            "number",
        ),
        Function("exp", "e to this power", "exp(0)", ("number",), sql.real("exp"), "number"),
        Function(
            "min", "smallest of the values", "min(1, 2)", ("number",), sql.any_missing("least"), "common", repeats=True
        ),
        Function(
            "max",
            "largest of the values",
            "max(1, 2)",
            ("number",),
            sql.any_missing("greatest"),
            "common",
            repeats=True,
        ),
        Function(
            "clip",
            "value within two limits",
            "clip(12, 0, 10)",
            ("number", "number", "number"),
            sql.between,
            "common",
        ),
        Function("length", "number of characters", 'length("four")', ("text",), sql.call("length"), "integer"),
        Function("words", "number of words", 'words("two words")', ("text",), sql.words, "integer"),
        Function("lower", "text in lower case", 'lower("ABC")', ("text",), sql.call("lower"), "text"),
        Function("upper", "text in upper case", 'upper("abc")', ("text",), sql.call("upper"), "text"),
        Function("trim", "text without surrounding blanks", 'trim(" a ")', ("text",), sql.call("trim"), "text"),
        Function(
            "left",
            "first characters",
            'left("abcdef", 2)',
            ("text", "number"),
            sql.cut("left"),
            "text",
        ),
        Function(
            "right",
            "last characters",
            'right("abcdef", 2)',
            ("text", "number"),
            sql.cut("right"),
            "text",
        ),
        Function(
            "substring",
            "characters from a position, counted from 1",
            'substring("abcdef", 2, 3)',
            ("text", "number", "number"),
            sql.cut("substring"),
            "text",
        ),
        Function(
            "replace",
            "text with a part replaced",
            'replace("a-b", "-", " ")',
            ("text", "text", "text"),
            sql.call("replace"),
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
            sql.call("contains"),
            "boolean",
        ),
        Function(
            "starts_with",
            "whether a text begins so",
            'starts_with("abc", "a")',
            ("text", "text"),
            sql.call("starts_with"),
            "boolean",
        ),
        Function(
            "ends_with",
            "whether a text ends so",
            'ends_with("abc", "c")',
            ("text", "text"),
            sql.call("ends_with"),
            "boolean",
        ),
        Function(
            "matches",
            "whether a regular expression matches somewhere",
            'matches("ab12", "[0-9]+")',
            ("text", "text"),
            sql.call("regexp_matches"),
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
        Function("year", "year of a date", 'year(date("2024-03-09"))', ("date",), sql.date_field("year"), "integer"),
        Function(
            "quarter", "quarter, 1 to 4", 'quarter(date("2024-03-09"))', ("date",), sql.date_field("quarter"), "integer"
        ),
        Function("month", "month, 1 to 12", 'month(date("2024-03-09"))', ("date",), sql.date_field("month"), "integer"),
        Function("day", "day of the month", 'day(date("2024-03-09"))', ("date",), sql.date_field("day"), "integer"),
        Function(
            "weekday",
            "day of the week, 1 is Monday",
            'weekday(date("2024-03-09"))',
            ("date",),
            sql.date_field("isodow"),
            "integer",
        ),
        Function(
            "hour", "hour of a time, 0 to 23", 'hour(date("2024-03-09"))', ("date",), sql.date_field("hour"), "integer"
        ),
        Function(
            "minute", "minute of a time", 'minute(date("2024-03-09"))', ("date",), sql.date_field("minute"), "integer"
        ),
        Function(
            "days_between",
            "days from one date to another",
            'days_between(date("2024-03-01"), date("2024-03-09"))',
            ("date", "date"),
            sql.days_between,
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
            sql.condition,
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
            sql.call("coalesce"),
            "common",
            repeats=True,
        ),
        Function(
            "number",
            "number of a text; missing where it is none",
            'number("1.5")',
            ("text",),
            sql.to_number,
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
