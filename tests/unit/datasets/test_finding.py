"""A finding is a plain, unchangeable value that survives the catalog's JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import Finding, check, load_sample

ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())


@given(
    st.text(),
    st.sampled_from(["passed", "notice", "alert"]),
    st.one_of(st.none(), st.text()),
    st.dictionaries(st.text(), st.one_of(ATOMS, st.lists(ATOMS), st.dictionaries(st.text(), ATOMS))),
)
def test_any_finding_survives_json(text: str, level: Any, column: str | None, values: dict[str, Any]) -> None:
    finding = Finding("leakage", level, column, text, text[::-1], values)
    assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))) == finding


def test_hint_and_values_may_be_left_out() -> None:
    finding = Finding("constant", "passed", None, "Every column varies.")
    assert finding.to_dict() == {
        "check": "constant",
        "level": "passed",
        "column": None,
        "message": "Every column varies.",
        "hint": "",
        "values": {},
    }


def test_a_finding_cannot_be_changed() -> None:
    finding = Finding("constant", "passed", None, "Every column varies.")
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.level = "alert"  # type: ignore[misc]


@pytest.mark.parametrize(("sample", "target"), [("german_credit", "credit"), ("digits", "digit"), ("diabetes", "bmi")])
def test_what_the_checks_find_is_json_without_numpy(sample: str, target: str) -> None:
    findings = check(load_sample(sample).frame, target)
    stored = json.loads(json.dumps([finding.to_dict() for finding in findings], allow_nan=False))
    assert [Finding.from_dict(values) for values in stored] == findings
