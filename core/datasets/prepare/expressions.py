"""The expression language of conditions and derived columns.

It looks like Python: ``price * 1.19 if country == "DE" else price``. A column whose name is not an identifier stands
in backticks: ```Monthly charges` > 100``. The text is parsed into Python's syntax tree, of which a few kinds of nodes
are allowed, and each of them is translated into SQL; nothing of the text reaches the database as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import cast

from core.datasets.prepare.functions import FUNCTIONS, Function
from core.datasets.prepare.operators import DATES, NUMBERS, arithmetic, as_date, bins, check_pattern, date_arithmetic
from core.datasets.prepare.syntax import parse
from core.datasets.prepare.typed import Kind, Typed, kind_of
from core.errors import InputError
from core.query import identifier, literal
from core.registry import unknown_name

__all__ = ["column_names", "compile_condition", "compile_expression"]

_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def compile_expression(text: str, columns: Mapping[str, str]) -> Typed:
    """Translate an expression into SQL.

    Parameters
    ----------
    text : str
        Expression.
    columns : mapping of str to str
        DuckDB type of each column by name.

    Returns
    -------
    Typed
        SQL over these columns, with the type of its values.

    Raises
    ------
    InputError
        When the text is not an expression of the language, names an unknown column or function, or mixes types.

    Examples
    --------
    >>> compile_expression("rooms + 1", {"rooms": "BIGINT"}).kind
    'integer'
    >>> compile_expression("read_csv('x')", {})
    Traceback (most recent call last):
    core.errors.InputError: Unknown function 'read_csv'. ...
    """
    node, names = parse(text)
    return _Compiler(columns, names).value(node)


def compile_condition(text: str, columns: Mapping[str, str]) -> str:
    """Translate a condition into SQL.

    Raises
    ------
    InputError
        When the text is not an expression of the language, or its value is not true or false.
    """
    result = compile_expression(text, columns)
    if result.kind != "boolean":
        raise InputError(
            f"'{text[:80]}' is not a condition: its values are of the type {result.kind}.",
            'Compare something, as in age >= 18 or country == "DE".',
        )
    return result.sql


def column_names(text: str) -> set[str]:
    """Return the names of the columns that an expression uses.

    Examples
    --------
    >>> sorted(column_names("`Monthly charges` * 12 + abs(fee)"))
    ['Monthly charges', 'fee']
    """
    node, names = parse(text)
    called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    return {
        names.get(part.id, part.id) for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in called
    }


class _Compiler:
    """Translates the nodes of one expression."""

    def __init__(self, columns: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._columns, self._names = columns, names

    def value(self, node: ast.expr) -> Typed:
        """Return the SQL of a node."""
        match node:
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.Name(id=name):
                return self._column(self._names.get(name, name))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Typed(f"(NOT {self._boolean(operand)})", "boolean")
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                number = self._number(operand, "-")
                mark = "-" if isinstance(sign, ast.USub) else "+"
                return Typed(f"({mark}{number.sql})", number.kind, number.constant)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
                return self._arithmetic(_SIGNS[type(op)], left, right)
            case ast.BoolOp(op=op, values=values):
                word = " AND " if isinstance(op, ast.And) else " OR "
                return Typed(f"({word.join(self._boolean(item) for item in values)})", "boolean")
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._call(FUNCTIONS["if_else"], [test, body, orelse])
            case ast.Call(func=ast.Name(id="bins"), args=[value, ast.List(elts=edges)], keywords=[]):
                return self._bins(value, edges)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name not in self._names:
                if name not in FUNCTIONS:
                    raise InputError(f"Unknown function '{name}'.", unknown_name(name, [*FUNCTIONS, "bins"], most=60))
                return self._call(FUNCTIONS[name], arguments)
        raise InputError(
            f"'{ast.unparse(node)[:80]}' is not possible in an expression.",
            "Use columns, numbers, texts in quotes, + - * / // % **, comparisons, and, or, not, in, and functions.",
        )

    @staticmethod
    def _constant(value: object) -> Typed:
        match value:
            case None:
                return Typed("NULL", "missing", constant=True)
            case bool():
                return Typed("TRUE" if value else "FALSE", "boolean", constant=True)
            case int() if abs(value) < 2**63:
                return Typed(f"({value})::BIGINT", "integer", constant=True)
            case int() | float() if abs(value) < float("inf"):
                return Typed(f"({float(value)!r})::DOUBLE", "number", constant=True)
            case str() if "\0" not in value:
                return Typed(literal(value), "text", constant=True)
        raise InputError(f"The value {str(value)[:40]!r} is not possible in an expression.", "Use a number or a text.")

    def _column(self, name: str) -> Typed:
        if name not in self._columns:
            raise InputError(f"There is no column '{name[:80]}'.", unknown_name(name, self._columns))
        kind = kind_of(self._columns[name])
        if kind is None:
            raise InputError(
                f"'{name}' has the type {self._columns[name].lower()}, which expressions cannot use.",
                "Change its type to text first.",
            )
        return Typed(identifier(name), kind)

    def _number(self, node: ast.expr, what: str) -> Typed:
        return self._of(node, ("number", "integer", "missing"), "numbers", what)

    def _boolean(self, node: ast.expr) -> str:
        return self._of(node, ("boolean", "missing"), "conditions", "and, or, not").sql

    def _of(self, node: ast.expr, types: Sequence[Kind], noun: str, what: str) -> Typed:
        result = self.value(node)
        if result.kind not in types:
            raise InputError(
                f"'{what}' needs {noun}, but '{self._text(node)}' is of the type {result.kind}.",
                "Change its type first, or use number(…) or text(…)." if noun in ("numbers", "texts") else "",
            )
        return result

    def _text(self, node: ast.expr) -> str:
        """Return the part of the expression that a node came from, with its columns' names."""
        text = ast.unparse(node)
        for name, column in self._names.items():
            text = text.replace(name, column)
        return text[:60]

    def _arithmetic(self, sign: str, left: ast.expr, right: ast.expr) -> Typed:
        dates = date_arithmetic(sign, self.value(left), self.value(right)) if sign in "+-" else None
        return dates or arithmetic(sign, self._number(left, sign), self._number(right, sign))

    def _comparison(self, node: ast.Compare) -> Typed:
        tests, left = [], node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                tests.append(self._membership(left, right, negated=isinstance(op, ast.NotIn)))
            elif type(op) in _COMPARISONS:
                a, b = self._common([left, right], _COMPARISONS[type(op)])
                if "missing" in (a.kind, b.kind):
                    raise InputError("A comparison with None is never true.", "Use is_missing(…).")
                tests.append(f"({a.sql} {_COMPARISONS[type(op)]} {b.sql})")
            else:
                raise InputError("'is' is not possible in an expression.", "Use == or is_missing(…).")
            left = right
        return Typed(f"({' AND '.join(tests)})", "boolean")

    def _membership(self, left: ast.expr, right: ast.expr, *, negated: bool) -> str:
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            raise InputError("'in' needs a list of values.", 'Write it as country in ["DE", "AT"].')
        value, *items = self._common([left, *right.elts], "in")
        if any(item.kind == "missing" for item in items):
            raise InputError("A list of values cannot have None.", "Use is_missing(…).")
        return f"({value.sql} {'NOT ' if negated else ''}IN ({', '.join(item.sql for item in items)}))"

    def _common(self, nodes: Sequence[ast.expr], what: str) -> list[Typed]:
        """Return values of one type: numbers, dates (a text constant becomes one), texts or conditions."""
        values = [self.value(node) for node in nodes]
        types = {value.kind for value in values} - {"missing"}
        if types & {*DATES} and types <= {*DATES, "text"}:
            values = [
                as_date(value, node.value if isinstance(node, ast.Constant) else None)
                for value, node in zip(values, nodes, strict=True)
            ]
            types = {value.kind for value in values} - {"missing"}
        if len(types) > 1 and not (types <= {*NUMBERS} or types <= {*DATES}):
            named = " and ".join(sorted(f"'{self._text(n)}' ({v.kind})" for n, v in zip(nodes, values, strict=True)))
            raise InputError(
                f"'{what}' needs values of one type, not {named}.", "Texts stand in quotes, numbers without them."
            )
        return values

    def _call(self, function: Function, arguments: Sequence[ast.expr]) -> Typed:
        least, most = len(function.takes) - function.optional, len(function.takes)
        if len(arguments) < least or (len(arguments) > most and not function.repeats):
            raise InputError(
                f"'{function.name}' takes {most} value{'s' * (most != 1)}, not {len(arguments)}.",
                f"Write it as {function.example}.",
            )
        values = [self._argument(function, position, node) for position, node in enumerate(arguments)]
        if function.returns not in ("first", "common"):
            kind = cast(Kind, function.returns)
        elif function.returns == "first":
            kind = values[0].kind
        else:
            kind = self._common_kind(function, arguments, values)
        if kind == "missing":
            kind = "number"
        return Typed(f"({function.sql([value.sql for value in values])})", kind)

    def _argument(self, function: Function, position: int, node: ast.expr) -> Typed:
        takes = function.takes[min(position, len(function.takes) - 1)]
        if position in function.constants and not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            raise InputError(f"'{function.name}' needs a pattern in quotes.", f"Write it as {function.example}.")
        if position in function.constants:
            check_pattern(str(cast(ast.Constant, node).value))
        accepted: dict[str, tuple[Sequence[Kind], str]] = {
            "number": (("number", "integer", "missing"), "numbers"),
            "text": (("text", "missing"), "texts"),
            "boolean": (("boolean", "missing"), "conditions"),
            "date": (("date", "timestamp", "missing"), "dates"),
        }
        if takes == "any":
            return self.value(node)
        value = self._of(node, *accepted[takes], function.name)
        types = {"number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE"}
        return Typed(f"NULL::{types[takes]}", value.kind) if value.kind == "missing" else value

    def _common_kind(self, function: Function, nodes: Sequence[ast.expr], values: Sequence[Typed]) -> Kind:
        pairs = [
            (node, value)
            for position, (node, value) in enumerate(zip(nodes, values, strict=True))
            if value.kind != "missing" and not (function.name == "if_else" and position == 0)
        ]
        types = {value.kind for _, value in pairs}
        if not types:
            return "missing"
        if types <= {*NUMBERS}:
            return "integer" if types == {"integer"} else "number"
        if types <= {*DATES}:
            return "date" if types == {"date"} else "timestamp"
        if len(types) > 1:
            named = " and ".join(sorted(f"'{self._text(node)}' ({value.kind})" for node, value in pairs))
            raise InputError(
                f"'{function.name}' needs values of one type, not {named}.",
                "Texts stand in quotes, numbers without them; number(…) and text(…) convert.",
            )
        return types.pop()

    def _bins(self, value: ast.expr, edges: Sequence[ast.expr]) -> Typed:
        """Return the text of the interval that a number lies in."""
        return bins(self._number(value, "bins"), [self._edge(edge) for edge in edges])

    @staticmethod
    def _edge(node: ast.expr) -> float:
        sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
        constant = node.operand if isinstance(node, ast.UnaryOp) else node
        if not isinstance(constant, ast.Constant) or not isinstance(constant.value, int | float):
            raise InputError("The edges of bins are numbers.", "Write it as bins(age, [18, 65]).")
        return sign * constant.value
