"""Guardrails about the target: missing labels, imbalance, small classes and columns that give it away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.datasets import Finding, check, load_sample

N = 1_000


def table(seed: int = 0, classes: int = 2) -> pd.DataFrame:
    """Numbers, a category and a target that none of them tells."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.normal(size=N),
            "b": rng.choice(["red", "green", "blue"], N),
            "c": rng.integers(0, 30, N),
            "y": rng.choice([f"class {i}" for i in range(classes)], N),
        }
    )


def results(frame: pd.DataFrame, name: str, target: str | None = "y", **options: object) -> list[Finding]:
    findings = [finding for finding in check(frame, target, **options) if finding.check == name]  # type: ignore[arg-type]
    assert all(finding.message for finding in findings)
    assert all(finding.hint for finding in findings if finding.level != "passed")
    return findings


def leaks(frame: pd.DataFrame, target: str = "y") -> dict[str | None, str]:
    """Return the kind of leak by column; all are alerts."""
    findings = [finding for finding in results(frame, "leakage", target) if finding.level != "passed"]
    assert all(finding.level == "alert" for finding in findings)
    return {finding.column: finding.values["kind"] for finding in findings}


@pytest.mark.parametrize(
    ("missing", "level"), [(0, "passed"), (1, "notice"), (200, "notice"), (201, "alert"), (N, "alert")]
)
def test_missing_target_is_counted(missing: int, level: str) -> None:
    frame = table()
    frame.loc[: missing - 1, "y"] = None
    (finding,) = results(frame, "missing_target")
    assert (finding.level, finding.column) == (level, "y")
    if missing:
        assert finding.values["missing"] == missing
        assert f"{missing:,} of 1,000 rows" in finding.message


@pytest.mark.parametrize(
    ("share", "level"), [(0.4, "passed"), (0.1, "passed"), (0.095, "notice"), (0.01, "notice"), (0.009, "alert")]
)
def test_imbalance_of_two_classes(share: float, level: str) -> None:
    rare = round(share * N)
    frame = table().assign(y=["rare"] * rare + ["common"] * (N - rare))
    (finding,) = results(frame, "imbalance")
    assert finding.level == level
    assert finding.values == {"class": "rare", "rows": rare, "share": rare / N, "classes": 2}


def test_imbalance_is_measured_against_an_even_share() -> None:
    twenty = table(classes=20)
    assert twenty["y"].value_counts(normalize=True).min() < 0.1
    assert results(twenty, "imbalance")[0].level == "passed"
    skewed = table().assign(y=["a"] * 480 + ["b"] * 480 + ["c"] * 40)
    assert results(skewed, "imbalance")[0].level == "notice"


@pytest.mark.parametrize(("size", "level"), [(10, "passed"), (9, "alert"), (1, "alert")])
def test_classes_need_ten_rows(size: int, level: str) -> None:
    frame = table().assign(y=["small"] * size + ["a"] * 400 + ["b"] * (600 - size))
    (finding,) = results(frame, "small_classes")
    assert finding.level == level
    if level == "alert":
        assert finding.values["classes"] == {"small": size}
        assert f"'small' ({size})" in finding.message


def test_a_single_value_cannot_be_predicted() -> None:
    (finding,) = results(table().assign(y="only"), "constant_target")
    assert (finding.level, finding.column) == ("alert", "y")
    assert "'only'" in finding.message


def test_a_quantity_has_no_classes() -> None:
    checks = {finding.check for finding in check(table(), "a")}
    assert not checks & {"imbalance", "small_classes"}
    assert {"missing_target", "constant_target", "leakage"} <= checks


def test_without_a_target_nothing_about_one_is_said() -> None:
    checks = {finding.check for finding in check(table(), None)}
    assert not checks & {"missing_target", "constant_target", "imbalance", "small_classes", "leakage"}


def test_empty_target_is_an_alert_and_no_failure() -> None:
    findings = check(table().assign(y=np.nan), "y")
    assert [f.check for f in findings if f.level == "alert"] == ["missing_target"]


@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("equal", lambda y: y),
        ("equal", lambda y: y.astype("category")),
        ("recoded", lambda y: y.map({label: f"código {i * 7 % 11}" for i, label in enumerate(y.unique())})),
        ("recoded", lambda y: pd.Series(pd.factorize(y, sort=True)[0])),
        ("recoded", lambda y: pd.Series(pd.factorize(y)[0] * -1.5)),
    ],
)
def test_a_copy_or_recoding_of_the_target_leaks(classes: int, kind: str, make: object) -> None:
    frame = table(classes=classes)
    assert leaks(frame) == {}
    assert leaks(frame.assign(copy=make(frame["y"]))) == {"copy": kind}  # type: ignore[operator]


def test_a_copy_leaks_where_the_target_is_missing_too() -> None:
    frame = table()
    frame.loc[::10, "y"] = None
    assert leaks(frame.assign(copy=frame["y"])) == {"copy": "equal"}


@pytest.mark.parametrize("classes", [2, 4])
def test_a_column_that_predicts_alone_leaks(classes: int) -> None:
    frame = table(1, classes)
    codes = pd.factorize(frame["y"])[0]
    rng = np.random.default_rng(1)
    frame["score"] = codes * 10 + rng.normal(size=N)
    frame["wave"] = np.sin(codes) * 10 + rng.normal(scale=0.1, size=N)  # in no order of the classes
    frame["branch"] = [f"{code}-{shop}" for code, shop in zip(codes, rng.integers(0, 9, N), strict=True)]
    assert leaks(frame) == {"score": "predicts", "wave": "predicts", "branch": "predicts"}
    (finding, *_) = results(frame, "leakage")
    assert finding.values["metric"] == "AUC"
    assert 0.98 < finding.values["score"] <= 1
    assert f"{finding.values['score']:.3f}" in finding.message


def test_what_is_filled_in_only_afterwards_leaks_by_being_there() -> None:
    frame = table(2)
    day = pd.Series(pd.date_range("2020-01-01", periods=N, freq="h"))
    assert leaks(frame.assign(closed=day.where(frame["y"] == "class 0"))) == {"closed": "predicts"}
    assert leaks(frame.assign(closed=day.where(frame["a"] > 0))) == {}


@pytest.mark.parametrize(("gap", "fires"), [(1.0, False), (2.0, False), (2.5, False), (4.0, True)])
def test_a_merely_good_column_does_not_leak(gap: float, fires: bool) -> None:
    frame = table(3)
    y = frame["y"] == "class 1"
    frame["good"] = y * gap + np.random.default_rng(3).normal(size=N)
    auc = roc_auc_score(y, frame["good"])
    assert (auc > 0.99) if fires else (0.7 < auc < 0.975)
    assert leaks(frame) == ({"good": "predicts"} if fires else {})


def test_a_leak_in_regression() -> None:
    rng = np.random.default_rng(44)
    frame = table(4)
    frame["price"] = rng.lognormal(3, 1, N)
    assert leaks(frame, "price") == {}
    frame["gross"] = frame["price"] * 1.19
    frame["again"] = frame["price"]
    frame["rank"] = frame["price"].rank(ascending=False)
    frame["good"] = np.log(frame["price"]) + rng.normal(scale=0.5, size=N)
    leaking = leaks(frame, "price")
    assert leaking.pop("again") == "equal"
    assert set(leaking) <= {"gross", "rank"}
    assert "gross" in leaking


def test_noise_never_leaks() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(300, 60))).rename(columns=lambda i: f"x{i}")
    frame["key"] = [f"k{i}" for i in rng.permutation(300)]
    frame["y"] = rng.choice(["a", "b"], 300)
    assert leaks(frame) == {}
    assert leaks(frame.head(30)) == {}
    assert leaks(frame.assign(y=rng.choice([0, 1, 2, 3], 300))) == {}


@pytest.mark.parametrize(
    ("sample", "target", "expected"),
    [
        ("adult", "income", {}),
        ("german_credit", "credit", {}),
        ("diabetes", "progression", {}),
        ("wine", "cultivar", {}),
        ("digits", "digit", {}),
        ("adult", "education", {"education-num"}),  # the same years under other names
        ("product_reviews", "sentiment", {"rating"}),  # the sentiment is cut from the rating
    ],
)
def test_samples_leak_only_what_is_known_to(sample: str, target: str, expected: set[str]) -> None:
    frame = load_sample(sample).frame
    assert set(leaks(frame, target)) == set(expected)


def test_a_leak_planted_in_adult_is_found() -> None:
    frame = load_sample("adult").frame
    planted = frame["income"].map({">50K": 1, "<=50K": 0}) + np.random.default_rng(0).normal(scale=0.1, size=len(frame))
    findings = results(frame.assign(audit=planted), "leakage", "income")
    assert [finding.column for finding in findings] == ["audit"]
