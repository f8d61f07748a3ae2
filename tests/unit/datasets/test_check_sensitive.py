"""Columns that name groups of people: suspected by their name, confirmed by the user, given away by others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.datasets import Finding, check, load_sample, suspected_attribute

N = 400
RNG = np.random.default_rng(0)
SOUND = pd.DataFrame({"size": RNG.normal(size=N), "weight": RNG.lognormal(size=N), "label": RNG.choice(["y", "n"], N)})


def open_findings(frame: pd.DataFrame, name: str, **options: object) -> list[Finding]:
    """Return the findings of the check with this name, without "passed"."""
    results = [finding for finding in check(frame, "label", **options) if finding.check == name]  # type: ignore[arg-type]
    assert results, f"the check {name} said nothing"
    assert all(finding.message and finding.hint for finding in results if finding.level != "passed")
    return [finding for finding in results if finding.level != "passed"]


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("sex", "sex"),
        ("Applicant_Gender", "sex"),
        ("Geschlecht", "sex"),
        ("raça", "race"),
        ("ageGroup", "age"),
        ("DATE-OF-BIRTH", "birth"),
        ("maritalStatus", "marital"),
        ("native-country", "origin"),
        ("Religion", "religion"),
        ("État civil", "marital"),
        ("foreign_worker", "origin"),
    ],
)
def test_sensitive_is_suspected_by_name(name: str, attribute: str) -> None:
    (finding,) = open_findings(SOUND.assign(**{name: RNG.choice(["a", "b"], N)}), "sensitive")
    assert finding.column == name
    assert attribute in finding.values["attribute"]


@pytest.mark.parametrize(
    "name", ["wages", "Essex", "sextant", "package", "stage", "racecar", "voltage", "average_price"]
)
def test_sensitive_is_not_suspected_inside_other_words(name: str) -> None:
    assert suspected_attribute(name) is None


def test_sensitive_when_confirmed_is_listed_and_no_longer_suspected() -> None:
    frame = SOUND.assign(sex=RNG.choice(["f", "m"], N), town=RNG.choice(["a", "b"], N), age=RNG.integers(18, 90, N))
    assert [f.column for f in open_findings(frame, "sensitive")] == ["sex", "age"]
    findings = [f for f in check(frame, "label", sensitive=["sex", "town"]) if f.check == "sensitive"]
    assert [(f.level, f.column) for f in findings] == [("notice", "age"), ("passed", None)]
    assert "'sex', 'town'" in findings[-1].message


def test_proxy_of_a_confirmed_column_is_found() -> None:
    sex = pd.Series(RNG.choice(["f", "m"], N))
    title = sex.map({"f": "Ms", "m": "Mr"})
    title[:4] = "Dr"
    frame = SOUND.assign(sex=sex, title=title)
    (finding,) = open_findings(frame, "proxy", sensitive=["sex"])
    assert (finding.column, finding.values["sensitive"]) == ("title", "sex")
    assert open_findings(frame.drop(columns="title"), "proxy", sensitive=["sex"]) == []


def test_samples_have_no_other_suspects_than_those_known() -> None:
    for sample, target, expected in [
        ("adult", "income", {"age", "sex", "race", "marital-status", "native-country"}),
        ("wine", "cultivar", set()),
        ("digits", "digit", set()),
    ]:
        frame = load_sample(sample).frame.head(500)
        findings = [f for f in check(frame, target) if f.check == "sensitive" and f.level == "notice"]
        assert {finding.column for finding in findings} == expected, sample
