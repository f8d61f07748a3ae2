"""Expressions of derived columns, row by row and without a database: what `core.datasets` computes in SQL."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from .cells import CellError

__all__ = ["FUNCTIONS", "Value", "as_text", "evaluate", "parse"]

Value: TypeAlias = bool | int | float | str | date | None
_LARGEST = 2**63
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARISONS: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Eq: lambda a, b: bool(a == b),
    ast.NotEq: lambda a, b: bool(a != b),
    ast.Lt: lambda a, b: bool(a < b),
    ast.LtE: lambda a, b: bool(a <= b),
    ast.Gt: lambda a, b: bool(a > b),
    ast.GtE: lambda a, b: bool(a >= b),
}


def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """Return the syntax tree of an expression, and the columns in backticks by the name that stands for them there.

    Examples
    --------
    >>> _, names = parse("`Monthly charges` * 12")
    >>> list(names.values())
    ['Monthly charges']
    """
    names: dict[str, str] = {}

    def replaced(match: re.Match[str]) -> str:
        if match[1] is None:  # a text in quotes
            return match[0]
        name = f"column_{len(names)}_"
        names[name] = match[1]
        return f" {name} "

    plain = re.sub(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]*)`""", replaced, text)
    return ast.parse(re.sub(r"[\r\n\t]", " ", plain).strip(), mode="eval").body, names


def evaluate(node: ast.expr, names: Mapping[str, str], row: Mapping[str, Value]) -> Value:
    """Return the value of an expression for one row; None is a missing value.

    Examples
    --------
    >>> evaluate(*parse("price / rooms"), {"price": 10.0, "rooms": 0})
    >>> evaluate(*parse("price * 2 if rooms > 1 else None"), {"price": 10.0, "rooms": 2})
    20.0
    """
    match node:
        case ast.Constant(value=value):
            return value  # type: ignore[return-value]
        case ast.Name(id=name):
            return row[names.get(name, name)]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = evaluate(operand, names, row)
            return None if truth is None else not truth
        case ast.UnaryOp(op=sign, operand=operand):
            number = evaluate(operand, names, row)
            return None if number is None else -number if isinstance(sign, ast.USub) else number  # type: ignore[operator]
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(_OPERATORS[type(op)], evaluate(left, names, row), evaluate(right, names, row))
        case ast.BoolOp(op=op, values=parts):
            return _logic([evaluate(part, names, row) for part in parts], dominant=isinstance(op, ast.Or))
        case ast.Compare():
            return _comparison(node, names, row)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return evaluate(body if evaluate(test, names, row) else orelse, names, row)
        case ast.Call(func=ast.Name(id="bins"), args=[value, ast.List(elts=edges)]):
            return _bins(evaluate(value, names, row), [ast.literal_eval(edge) for edge in edges])
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            values = [evaluate(argument, names, row) for argument in arguments]
            if any(value is None for value in values) and name not in _OF_MISSING:
                return None
            return _finite(FUNCTIONS[name](*values))
    raise CellError(f"{ast.unparse(node)!r} cannot be computed here.")


def as_text(value: Value) -> str:
    """Return the cell of a value: empty when it is missing, a whole number without a decimal point.

    Examples
    --------
    >>> as_text(2.0), as_text(True), as_text(None)
    ('2', 'true', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    text = str(value)
    return text.removesuffix(".0") if isinstance(value, float) else text


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _arithmetic(sign: str, a: Value, b: Value) -> Value:
    if a is None or b is None:
        return None
    if isinstance(a, date):
        return _date_arithmetic(sign, a, b)
    assert isinstance(a, int | float)
    assert isinstance(b, int | float)
    whole = isinstance(a, int) and isinstance(b, int)
    try:
        if sign in ("/", "//", "%"):
            if b == 0:
                return None
            quotient = float(a) / float(b)
            if sign == "/":
                return quotient
            result = float(math.floor(quotient)) if sign == "//" else float(a) - float(b) * math.floor(quotient)
            return round(result) if whole else result
        if sign == "**":
            power = float(a) ** float(b)
            return None if isinstance(power, complex) else _finite(power)
        if whole:
            exact = a + b if sign == "+" else a - b if sign == "-" else a * b
            return exact if -_LARGEST <= exact < _LARGEST else None
        x, y = float(a), float(b)
        return x + y if sign == "+" else x - y if sign == "-" else x * y
    except (OverflowError, ZeroDivisionError):
        return None


def _date_arithmetic(sign: str, a: date, b: Value) -> Value:
    if isinstance(b, date):
        return (_day(a) - _day(b)).days
    assert isinstance(b, int)
    try:
        return a + timedelta(days=b if sign == "+" else -b)
    except OverflowError:
        return None


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _logic(values: list[Value], *, dominant: bool) -> bool | None:
    """Return "or" (dominant true) or "and" (dominant false) of truths of which some may be missing."""
    if any(value is dominant for value in values):
        return dominant
    return None if any(value is None for value in values) else not dominant


def _comparison(node: ast.Compare, names: Mapping[str, str], row: Mapping[str, Value]) -> bool | None:
    left = evaluate(node.left, names, row)
    truths: list[Value] = []
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn):
            items = [_comparable(evaluate(item, names, row), left) for item in right.elts]  # type: ignore[attr-defined]
            truths.append(None if left is None else (left in items) == isinstance(op, ast.In))
            continue
        other = evaluate(right, names, row)
        a, b = _comparable(left, other), _comparable(other, left)
        truths.append(None if a is None or b is None else _COMPARISONS[type(op)](a, b))
        left = other
    return _logic(truths, dominant=False)


def _comparable(value: Value, other: Value) -> Value:
    """Return a text that is compared with a date as a time, and a date as the time at its beginning."""
    if isinstance(value, str) and isinstance(other, date):
        return datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _bins(value: Value, edges: list[int | float]) -> str | None:
    if value is None:
        return None
    assert isinstance(value, int | float)
    if value < edges[0]:
        return f"< {edges[0]}"
    for low, high in pairwise(edges):
        if value < high:
            return f"{low} to < {high}"
    return f"≥ {edges[-1]}"


def _round(value: float, digits: float = 0) -> float:
    """Round half away from zero, as databases do."""
    scale = 10.0 ** int(digits)
    scaled = abs(float(value)) * scale
    whole = math.floor(scaled)
    return math.copysign((whole + (scaled - whole >= 0.5)) / scale, value)


def _number(text: str) -> float | None:
    try:
        return float(text.strip()) if "_" not in text else None
    except ValueError:
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _part(name: str) -> Callable[..., int]:
    return lambda value: int(getattr(value, name, 0))


def _positive(function: Callable[[float], float], *, zero: bool) -> Callable[..., float | None]:
    return lambda value: function(value) if value > 0 or (zero and value == 0) else None


def _exp(value: float) -> float | None:
    try:
        return math.exp(value)
    except OverflowError:
        return None


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": abs,
    "round": _round,
    "floor": lambda value: float(math.floor(value)),
    "ceil": lambda value: float(math.ceil(value)),
    "sqrt": _positive(math.sqrt, zero=True),
    "log": _positive(math.log, zero=False),
    "log10": _positive(math.log10, zero=False),
    "exp": _exp,
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "clip": lambda value, low, high: min(max(value, low), high),
    "length": len,
    "words": lambda text: len(re.findall(r"[^\t\n\f\r ]+", text)),
    "trim": lambda text: text.strip(" "),
    "replace": lambda text, old, new: text.replace(old, new) if old else text,
    "concat": lambda *texts: "".join(texts),
    "contains": lambda text, part: part in text,
    "starts_with": lambda text, part: text.startswith(part),
    "ends_with": lambda text, part: text.endswith(part),
    "year": _part("year"),
    "quarter": lambda value: (value.month + 2) // 3,
    "month": _part("month"),
    "day": _part("day"),
    "weekday": lambda value: value.isoweekday(),
    "hour": _part("hour"),
    "minute": _part("minute"),
    "days_between": lambda start, end: (_day(end) - _day(start)).days,
    "date": _date,
    "if_else": lambda condition, one, other: one if condition else other,
    "is_missing": lambda value: value is None,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "number": _number,
    "text": as_text,
}
"""Functions that give the same here as in a database. Others, such as regular expressions, are refused at export."""
_OF_MISSING = {"if_else", "is_missing", "coalesce"}
