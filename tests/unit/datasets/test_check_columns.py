"""Guardrails about columns and rows: each fires on a table that has the fault and passes one that has not."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest

from core.datasets import Finding, check, load_sample
from core.errors import InputError, SettingsError

N = 400
RNG = np.random.default_rng(0)
CHECKS = (
    "constant",
    "missing",
    "identifier",
    "high_cardinality",
    "dates_as_text",
    "duplicate_rows",
    "near_duplicates",
    "sensitive",
    "spellings",
)
SOUND = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "weight": RNG.lognormal(size=N),
        "count": RNG.poisson(5, N),
        "shade": RNG.choice(["red", "green", "blue"], N),
        "flag": RNG.random(N) < 0.4,
        "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, N), unit="D"),
        "label": RNG.choice(["yes", "no"], N),
    }
)


def holes(values: np.ndarray, share: float) -> pd.Series:
    series = pd.Series(values, dtype=object)
    series[: round(share * N)] = None
    return series


def open_findings(frame: pd.DataFrame, name: str, target: str | None = "label", **options: object) -> list[Finding]:
    """Return the findings of the check with this name, without "passed"."""
    results = [finding for finding in check(frame, target, **options) if finding.check == name]  # type: ignore[arg-type]
    assert results, f"the check {name} said nothing"
    assert all(finding.message for finding in results)
    assert all(finding.hint for finding in results if finding.level != "passed")
    return [finding for finding in results if finding.level != "passed"]


@pytest.mark.parametrize("target", ["label", None])
def test_a_sound_table_passes_every_check(target: str | None) -> None:
    findings = check(SOUND, target)
    assert [f.check for f in findings if f.level != "passed"] == [], [f.message for f in findings]
    assert set(CHECKS) <= {finding.check for finding in findings}
    assert ("leakage" in {finding.check for finding in findings}) == (target is not None)


@pytest.mark.parametrize("values", [1, "x", None, np.nan, pd.Timestamp("2020-01-01")])
def test_constant_column_is_named(values: object) -> None:
    (finding,) = open_findings(SOUND.assign(still=values), "constant")
    assert (finding.column, finding.level) == ("still", "notice")
    assert "'still'" in finding.message
    assert ("no values" in finding.message) == pd.isna(values)


def test_one_value_beside_missing_cells_is_constant() -> None:
    assert [f.column for f in open_findings(SOUND.assign(x=holes(np.ones(N), 0.3)), "constant")] == ["x"]


def test_constant_target_is_not_this_check() -> None:
    assert open_findings(SOUND.assign(label="yes"), "constant") == []


@pytest.mark.parametrize(("share", "fires"), [(0.0, False), (0.5, False), (0.5025, True), (0.99, True)])
def test_missing_fires_above_half(share: float, fires: bool) -> None:
    findings = open_findings(SOUND.assign(gaps=holes(RNG.normal(size=N), share)), "missing")
    assert [finding.column for finding in findings] == ["gaps"] * fires
    if fires:
        assert findings[0].values["share"] == pytest.approx(share)
        assert f"{share:.1%}" in findings[0].message


@pytest.mark.parametrize(
    ("name", "values", "fires"),
    [
        ("x", np.arange(N), True),
        ("x", np.arange(N) + 10_000, True),
        ("customer_id", RNG.choice(10**9, N, replace=False), True),
        ("Id", RNG.choice(10**9, N, replace=False), True),
        ("x", [f"{i:06x}" for i in RNG.permutation(N)], True),
        ("x", RNG.choice(10**9, N, replace=False), False),
        ("x", RNG.permutation(N), True),
        ("x", RNG.permutation(N) * 10.0 + 1, True),
        ("x", [f"{i:06}" for i in RNG.permutation(N)], True),
        ("x", np.sort(RNG.choice(10**6, N, replace=False)), False),
        ("customer_id", RNG.integers(0, 40, N), False),
        ("x", RNG.normal(size=N), False),
        ("x", [f"k{i % 90}" for i in range(N)], False),
        ("x", [f"a sentence of words, number {i}" for i in range(N)], False),
        ("x", (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), unit="D")).strftime("%Y-%m-%d"), False),
    ],
)
def test_identifier_fires_on_what_names_the_row(name: str, values: object, fires: bool) -> None:
    findings = open_findings(SOUND.assign(**{name: values}), "identifier")
    assert [finding.column for finding in findings] == [name] * fires


@pytest.mark.parametrize(("levels", "fires"), [(100, False), (101, True), (200, True)])
def test_high_cardinality_fires_above_100_levels(levels: int, fires: bool) -> None:
    values = pd.Series([f"town {i % levels}" for i in range(N)])
    for column in (values, values.astype("category")):
        findings = open_findings(SOUND.assign(town=column), "high_cardinality")
        assert [finding.column for finding in findings] == ["town"] * fires
        if fires:
            assert findings[0].values["distinct"] == levels


def test_high_cardinality_is_not_about_sentences_or_numbers() -> None:
    sentences = [f"the plumb line hung by house {i % 150}" for i in range(N)]
    assert open_findings(SOUND.assign(text=sentences, number=np.arange(N) % 150), "high_cardinality") == []


@pytest.mark.parametrize("pattern", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y/%m/%d", "%d-%m-%Y", "%Y-%m-%d %H:%M"])
def test_dates_as_text_fires_on_any_common_spelling(pattern: str) -> None:
    (finding,) = open_findings(SOUND.assign(day=SOUND["when"].dt.strftime(pattern)), "dates_as_text")
    assert finding.column == "day"
    assert SOUND["when"].dt.strftime(pattern)[0] in finding.message


@pytest.mark.parametrize(
    "values", [["10.5.1", "1.2.3"], ["12:30", "13:00"], ["2020", "2021"], ["555-1234", "555-4321"]]
)
def test_dates_as_text_leaves_other_text_alone(values: list[str]) -> None:
    assert open_findings(SOUND.assign(x=values * (N // 2)), "dates_as_text") == []


def test_duplicate_rows_are_counted_as_pandas_does() -> None:
    gaps = SOUND.assign(gaps=holes(RNG.choice(["a", "b"], N), 0.4))
    assert open_findings(gaps, "duplicate_rows") == []
    frame = pd.concat([gaps, gaps.iloc[[0, 0, 1, 399]]], ignore_index=True)
    (finding,) = open_findings(frame, "duplicate_rows")
    assert finding.values["rows"] == frame.duplicated().sum() == 4
    assert finding.values["share"] == pytest.approx(4 / 404)
    assert "4 rows" in finding.message
    assert open_findings(frame.assign(label=np.arange(404)), "duplicate_rows") == []


@pytest.mark.parametrize(
    ("copy", "fires"),
    [
        (SOUND["size"], True),
        (SOUND["size"] * -2.54 + 7, True),
        (SOUND["size"] + RNG.normal(scale=0.001, size=N), True),
        (SOUND["shade"].map({"red": "rot", "green": "grün", "blue": "blau"}), True),
        (SOUND["flag"].map({True: "ja", False: "nein"}), True),
        (SOUND["when"] + pd.Timedelta(days=30), True),
        (SOUND["size"] + RNG.normal(scale=0.1, size=N), False),
        (SOUND["weight"].rank(), False),
        (SOUND["size"].rank().where(SOUND["flag"]), False),
        (SOUND["shade"].map({"red": "warm", "green": "cold", "blue": "cold"}), False),
        (pd.Series(RNG.permutation(SOUND["size"])), False),
    ],
)
def test_near_duplicates_fire_on_copies_and_renamings(copy: pd.Series, fires: bool) -> None:
    findings = open_findings(SOUND.assign(again=copy.to_numpy()), "near_duplicates")
    assert [finding.column for finding in findings] == ["again"] * fires
    if fires:
        one, other = findings[0].values["columns"]
        assert other == "again"
        assert f"{one!r}" in findings[0].message


def test_text_that_never_repeats_is_a_copy_only_when_equal() -> None:
    keys = [f"k{i:05d}" for i in RNG.permutation(N)]
    frame = SOUND.assign(key=keys, other=[f"o{i:05d}" for i in RNG.permutation(N)])
    assert open_findings(frame, "near_duplicates") == []
    assert [f.column for f in open_findings(frame.assign(again=keys), "near_duplicates")] == ["again"]
    # A row that is there twice makes the same values repeat in every column.
    assert open_findings(pd.concat([frame, frame.iloc[:1]], ignore_index=True), "near_duplicates") == []


def test_german_credit_has_no_two_columns_that_say_the_same() -> None:
    assert open_findings(load_sample("german_credit").frame, "near_duplicates", "credit") == []


def test_large_tables_are_checked_on_a_sample_that_is_said() -> None:
    frame = pd.DataFrame({"a": np.arange(250_000) % 7, "b": np.arange(250_000) % 11})
    findings = {finding.check: finding for finding in check(frame, None)}
    assert findings["sample"].values == {"rows": 250_000, "sample": 200_000}
    assert "200,000 of 250,000" in findings["sample"].message
    assert "sample" not in {finding.check for finding in check(frame[:200_000], None)}


def test_findings_are_known_levels_in_plain_values() -> None:
    for finding in check(load_sample("adult").frame.head(3_000), "income", sensitive=["sex"]):
        assert finding.level in get_args(get_type_hints(Finding)["level"])
        assert Finding.from_dict(finding.to_dict()) == finding


def test_what_cannot_be_checked_is_said() -> None:
    with pytest.raises(InputError, match="no column 'lable'") as caught:
        check(SOUND, "lable")
    assert "'label'" in caught.value.hint
    with pytest.raises(InputError, match="no column 'zzz'"):
        check(SOUND, "label", sensitive=["zzz"])
    with pytest.raises(SettingsError, match="'cluster'"):
        check(SOUND, "label", task="cluster")  # type: ignore[arg-type]
    for empty in (SOUND.head(0), pd.DataFrame()):
        with pytest.raises(InputError, match="no rows"):
            check(empty, None)
