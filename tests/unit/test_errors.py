"""The error tree: drawn in the docstring as it is, and whole after a journey between processes."""

import errno
import json
import pickle
import re
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.errors import lack_of_memory, not_found, shortened, to_record

ALL = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]


def test_docstring_draws_the_tree():
    """Each line's depth says whose child it is."""
    drawn = {}
    path = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ((?:[│ ]   )*)(?:[├└]── )?(\w+Error)\b", line)
        if match:
            depth = len(match[1]) // 4 + ("──" in line)
            path = [*path[:depth], match[2]]
            drawn[match[2]] = path[-2] if depth else "Exception"
    assert drawn == {error.__name__: error.__bases__[0].__name__ for error in ALL}


@pytest.mark.parametrize("error", ALL)
def test_message_and_hint_survive_a_process_boundary(error):
    there = pickle.loads(pickle.dumps(error("There is no 'x'.", "Use 'y'.")))
    assert type(there) is error
    assert (there.message, there.hint) == ("There is no 'x'.", "Use 'y'.")
    assert str(there) == "There is no 'x'. Use 'y'."


def test_hint_may_be_empty():
    assert str(errors.PlumblineError("It went wrong.")) == "It went wrong."


@pytest.mark.parametrize("error", ALL)
def test_a_record_gives_the_error_back(error):
    record = json.loads(json.dumps(errors.to_record(error("There is no 'x'.", "Use 'y'."))))
    there = errors.from_record(record)
    assert (type(there), there.message, there.hint) == (error, "There is no 'x'.", "Use 'y'.")


def test_an_error_of_another_tree_becomes_an_unexpected_one():
    there = errors.from_record(errors.to_record(ZeroDivisionError("division by zero")))
    assert type(there) is errors.UnexpectedError
    assert "ZeroDivisionError: division by zero" in there.message


@pytest.mark.parametrize("name", ["SystemExit", "os.system", "Exception", "", "PlumblineErrorX"])
def test_a_record_names_no_class_outside_the_tree(name):
    there = errors.from_record({"type": name, "message": "m", "hint": "h"})
    assert type(there) is errors.UnexpectedError


@given(st.text(max_size=80))
def test_a_name_in_a_message_is_one_printable_line(name: str) -> None:
    text = shortened(name)
    assert len(text) <= 60
    assert text.isprintable()
    if name.isprintable() and len(" ".join(name.split())) <= 60:
        assert text == " ".join(name.split())


@pytest.mark.parametrize(
    "words", ["", "gone", "http://evil.example", "0123456789ABCDEF", "0123456789abcdef\n", "a" * 17]
)
def test_what_has_not_the_form_of_an_id_is_not_repeated(words: str) -> None:
    assert not_found("run", words, "Look.").message == "There is no such run."
    assert not_found("run", "0123456789abcdef", "Look.").message == "There is no run '0123456789abcdef'."


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        ImportError("libarrow.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_what_the_system_refuses_is_neither_a_defect_nor_damage(error):
    record = to_record(error)
    assert record["type"] == "LimitError"
    assert record["message"] == "The system gave the process no more memory or threads."
    assert "ulimit" in record["hint"]
    assert to_record(ImportError("no module"))["type"] == "UnexpectedError"


def test_a_limit_on_addresses_is_named(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (800 * 2**20, 800 * 2**20))
    assert "limited to 800 MB (ulimit -v)" in lack_of_memory(RuntimeError("can't start new thread")).message
    assert "limited to 800 MB (ulimit -v)" in lack_of_memory(MemoryError(), 1_500).message
    assert lack_of_memory(MemoryError(), 500) is None  # our own limit was reached before
    assert lack_of_memory(MemoryError()) is None
