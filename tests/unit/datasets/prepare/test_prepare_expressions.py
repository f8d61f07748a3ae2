"""Expressions compute what Python and pandas do, and reach nothing but the columns."""

from __future__ import annotations

import math

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.prepare import FUNCTIONS, Recipe, StepError, apply_recipe, column_names, compile_expression
from core.errors import InputError

TYPES = {"a": "BIGINT", "b": "DOUBLE", "Monthly charges": "DOUBLE", "t": "VARCHAR", "d": "DATE", "blob": "BLOB"}
ROW = "(SELECT 2::BIGINT a, 1.5::DOUBLE b, 10::DOUBLE \"Monthly charges\", 'x' t, DATE '2024-05-05' d, NULL::BLOB blob)"


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


def value(connection: duckdb.DuckDBPyConnection, text: str) -> object:
    row = connection.execute(f"SELECT {compile_expression(text, TYPES).sql} FROM {ROW}").fetchone()
    return str(row[0]) if hasattr(row[0], "isoformat") else row[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + 1", 3),
        ("a / 0", None),
        ("-7 // 2", -7 // 2),
        ("-7 % 3", -7 % 3),
        ("7.5 % -2", 7.5 % -2),
        ("2 ** 0.5", math.sqrt(2)),
        ("(0 - 8) ** 0.5", None),
        ("`Monthly charges` * 12 if t == 'x' else None", 120.0),
        ("t in ['a', 'b'] and not a > 3", False),
        ("d > '2024-01-01'", True),
        ("d + 3", "2024-05-08"),
        ("d - date('2024-05-01')", 4),
        ("1 < a < 3", True),
        ("bins(a, [1, 2.5])", "1 to < 2.5"),
        ("bins(a, [-1])", "≥ -1"),
        ("9223372036854775807 + 1", None),
        ('"it\'s `a` \\"x\\""', 'it\'s `a` "x"'),
        ("min(a, b, None)", None),
        ("coalesce(None, b)", 1.5),
        ("text(b * 2)", "3"),
        ("number('1e3')", 1000.0),
        ("number('x')", None),
        ("a\n + 1", 3),
        ("is_missing(blob) if 1 == 1 else False", InputError),
        ("left(t, 1e30)", None),
        ("10 ** 400", None),
    ],
)
def test_values(connection: duckdb.DuckDBPyConnection, text: str, expected: object) -> None:
    if expected is InputError:
        with pytest.raises(InputError, match="'blob' has the type blob"):
            value(connection, text)
    else:
        assert value(connection, text) == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_has_an_example_that_runs(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    function = FUNCTIONS[name]
    assert value(connection, function.example) is not None
    assert function.help
    assert function.example.startswith(f"{name}(")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("c + 1", "There is no column 'c'"),
        ("t + 1", "needs numbers, but 't' is of the type text"),
        ("`Monthly charges` and t == 'x'", "needs conditions, but 'Monthly charges' is of the type number"),
        ("a == 'x'", "needs values of one type, not ''x'' \\(text\\) and 'a' \\(integer\\)"),
        ("a == None", "never true"),
        ("a is None", "'is' is not possible"),
        ("a in []", "needs a list"),
        ("a in b", "needs a list"),
        ("d > 'soon'", "not a date"),
        ("if_else(a > 1, 'x', 2)", "needs values of one type"),
        ("sqrt()", "takes 1 value, not 0"),
        ("sqrt(1, 2)", "takes 1 value, not 2"),
        ("matches(t, '(')", "not a regular expression"),
        ("matches(t, t)", "needs a pattern in quotes"),
        ("bins(a, [2, 1])", "must increase"),
        ("bins(a, [t])", "edges of bins are numbers"),
        ("1e400", "The value 'inf' is not possible"),
        ("'a\\0b'", "is not possible"),
        ("a = 1", "cannot be understood near character 3"),
        ("a; b", "cannot be understood"),
        ("`a", "backtick is not closed"),
        ("(" * 200 + "1" + ")" * 200, "deeply nested"),
        ("-" * 200 + "1", "deeply nested"),
        ("1" + " + 1" * 3_000, "characters"),
        ("+".join(["a"] * 600), "too long or too deeply nested"),
    ],
)
def test_what_is_not_possible_says_why(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compile_expression(text, TYPES)


@pytest.mark.parametrize(
    "text",
    [
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "current_setting('home_directory')",
        "pragma_version()",
        "__import__('os').system('id')",
        "a.__class__",
        "a[0]",
        "[x for x in a]",
        "(lambda: 1)()",
        "f'{a}'",
        "a := 1",
        "(x := 1)",
        "await a",
        "b'x'",
        "1j",
        "...",
        "abs(*[a])",
        "abs(x=a)",
        "`read_csv`('x')",
        "abs(a) FROM read_csv('/etc/passwd') --",
        "a); ATTACH '/tmp/x.db'; --",
        "a UNION SELECT 1",
        "COPY step_1 TO '/tmp/x'",
        "eval(t)",
    ],
)
def test_nothing_but_columns_and_listed_functions_is_reached(text: str) -> None:
    with pytest.raises(InputError):
        compile_expression(text, TYPES)


@pytest.mark.parametrize(
    "name", ["x'; ATTACH '/tmp/x.db", "x\"); COPY (SELECT 1) TO '/tmp/x' --", "x\\", "$1", "{x}", "--"]
)
def test_names_and_texts_stay_names_and_texts(name: str) -> None:
    frame = pd.DataFrame({name: ["1", name]})
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    steps = [
        {"step": "derive", "column": "same", "expression": f'`{name}` == "{quoted}"'},
        {"step": "replace", "column": name, "find": name, "replacement": f"{name}{name}"},
    ]
    result = apply_recipe(frame, Recipe(steps)).frame
    assert result["same"].tolist() == [False, True]
    assert result[name].tolist() == ["1", name * 2]


def test_the_connection_of_steps_reaches_no_other_file(tmp_path) -> None:
    from core.datasets.prepare import Step, WorkTable

    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    tried = []

    class Spy(Step):
        name = "spy"
        title = help = "Spy"

        def describe(self) -> str:
            return "Spy"

        def inputs(self) -> set[str]:
            return set()

        def apply(self, table: WorkTable):
            for sql in (
                f"SELECT * FROM read_csv('{secret}')",
                f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
                f"ATTACH '{tmp_path / 'x.db'}'",
                "SET enable_external_access = true",
                "INSTALL httpfs",
                f"EXPORT DATABASE '{tmp_path / 'db'}'",
            ):
                with pytest.raises(duckdb.Error):
                    table.query(sql)
                tried.append(sql)
            raise InputError("done", "")

    with pytest.raises(StepError, match="done"):
        apply_recipe(pd.DataFrame({"a": [1]}), Recipe([Spy()]))
    assert len(tried) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]


NUMBERS = st.integers(-1_000, 1_000).map(str) | st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: f"({x!r})")
EXPRESSIONS = st.recursive(
    NUMBERS | st.sampled_from(["x", "y"]),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(text=EXPRESSIONS, x=st.integers(-50, 50), y=st.floats(-100, 100))
def test_arithmetic_is_pythons(connection: duckdb.DuckDBPyConnection, text: str, x: int, y: float) -> None:
    sql = compile_expression(text, {"x": "BIGINT", "y": "DOUBLE"}).sql
    result = connection.execute(f"SELECT {sql} FROM (SELECT {x}::BIGINT x, {y!r}::DOUBLE y)").fetchone()[0]
    try:
        expected = eval(text, {"x": x, "y": y})
    except (ZeroDivisionError, OverflowError):
        assert result is None or not math.isfinite(result)
        return
    if abs(expected) > 2**62 or result is None:
        return  # beyond the range of integers, or a part of it has no value
    # Remainders and floors jump: they are compared where rounding cannot change the step.
    if "%" not in text and "//" not in text:
        assert result == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_columns_of_an_expression_are_known() -> None:
    assert column_names("`Monthly charges` * 12 + abs(fee) if t in ['a'] else bins(age, [1])") == {
        "Monthly charges",
        "fee",
        "t",
        "age",
    }
