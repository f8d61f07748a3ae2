"""Values for inputs: converted where nothing is lost, refused otherwise."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.pipelines import Port, typed_value


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("integer", "6", 6),
        ("integer", 6, 6),
        ("integer", " -6 ", -6),
        ("integer", 6.0, 6),
        ("integer", "1e3", 1_000),
        ("integer", str(2**70 + 1), 2**70 + 1),
        ("number", "0.1", 0.1),
        ("number", 1, 1),
        ("boolean", "True", True),
        ("boolean", False, False),
        ("string", 6, "6"),
        ("string", "a b", "a b"),
    ],
)
def test_a_value_of_the_same_meaning_is_converted(kind: str, value: object, typed: object) -> None:
    result = typed_value(Port("x", kind), value)
    assert (result, type(result)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "6.5"),
        ("integer", 6.5),
        ("integer", True),
        ("integer", "six"),
        ("integer", ""),
        ("integer", "inf"),
        ("number", "nan"),
        ("number", True),
        ("number", "1,5"),
        ("boolean", "yes"),
        ("boolean", 1),
        ("string", None),
        ("string", ["a"]),
    ],
)
def test_another_value_is_refused_with_its_name(kind: str, value: object) -> None:
    with pytest.raises(InputError, match=r"^'x' is '.*', which is not (an integer|a number|a boolean|a string)"):
        typed_value(Port("x", kind), value)


def test_bounds_and_choices_hold() -> None:
    port = Port("rate", "number", low=0, high=1)
    assert typed_value(port, 1) == 1
    for value, said in ((-0.1, "below its minimum of 0"), ("1.01", "above its maximum of 1")):
        with pytest.raises(InputError, match=said):
            typed_value(port, value)
    with pytest.raises(InputError, match="'kind' is 'c', which is not one of its choices"):
        typed_value(Port("kind", "string", choices=("a", "b")), "c")
