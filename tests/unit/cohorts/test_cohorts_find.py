"""What a search for cohorts returns, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.cohorts import (
    Cohort,
    CohortReport,
    JudgedCohort,
    NumberCondition,
    find_cohorts,
    grid_errors,
    judge_cohort,
    row_losses,
    rows_to_judge,
)
from core.errors import InputError


def young_tenants(n: int = 3_000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": random.integers(18, 80, n), "housing": random.choice(["own", "rent", "free"], n)})
    planted = (frame["age"] < 30) & (frame["housing"] == "rent")
    return frame, (random.random(n) < np.where(planted, 0.7, 0.15)).astype(float)


@pytest.fixture(scope="module")
def report() -> CohortReport:
    return find_cohorts(*young_tenants(), name="wrong")


def test_the_figures_are_those_of_the_half_that_judges(report: CohortReport) -> None:
    frame, loss = young_tenants()
    rest = rows_to_judge(len(frame))
    best = report.worse[0]
    inside = best.cohort.mask(frame) & rest
    assert (best.rows, best.other_rows) == (inside.sum(), rest.sum() - inside.sum())
    assert best.error == pytest.approx(loss[inside].mean())
    assert best.difference == pytest.approx(loss[inside].mean() - loss[rest & ~inside].mean())
    assert best.low < best.difference < best.high
    assert report.error == pytest.approx(loss[rest].mean())


def test_the_conditions_are_the_planted_ones_in_words(report: CohortReport) -> None:
    text = report.worse[0].cohort.text
    assert "'housing' is 'rent'" in text
    assert "'age' is below" in text
    assert report.sentence.startswith(f"Errors are surest among rows where {text}: ")


def test_the_interval_is_adjusted_for_the_candidates(report: CohortReport) -> None:
    frame, loss = young_tenants()
    rest = rows_to_judge(len(frame))
    best = report.worse[0]
    level = 1 - 0.05 / len(report.cohorts)
    assert judge_cohort(best.cohort, frame[rest], loss[rest], confidence=level) == best


def test_a_report_survives_json(report: CohortReport) -> None:
    assert CohortReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_the_same_seed_gives_the_same_report(report: CohortReport) -> None:
    assert find_cohorts(*young_tenants(), name="wrong") == report
    assert find_cohorts(*young_tenants(), name="wrong", seed=1) != report


def test_without_cohorts_the_sentence_says_what_would_show() -> None:
    frame, _ = young_tenants()
    loss = np.random.default_rng(9).random(len(frame)) < 0.2
    report = find_cohorts(frame, loss, name="wrong")
    assert report.worse == ()
    assert report.sentence.startswith("No group of rows stands out: ")
    assert "A group of 5% of the rows would show with about" in report.sentence


def test_numbers_are_rounded_by_their_interval() -> None:
    cohort = Cohort((NumberCondition(column="bmi", low=-0.02),))
    item = JudgedCohort(cohort, 110, 51.58, 67, 37.72, 13.86, 4.69, 22.9)
    report = CohortReport((item,), "absolute", 177, 177, 46.3, 0.95, 30, None, ("bmi",))
    assert report.sentence == (
        "Errors are surest among rows where 'bmi' is at least −0.02: the mean absolute error of 110 rows is 52, "
        "38 elsewhere [difference +5 to +23]."
    )
    few = CohortReport((), "absolute", 177, 177, 46.3, 0.95, 30, None, ("bmi",))
    assert few.sentence == (
        "No group of rows stands out: the mean absolute error of all rows is 46.3, and the rows are too few to judge "
        "small groups (177 to judge by)."
    )


def test_a_constant_loss_has_no_cohort() -> None:
    frame, loss = young_tenants(400)
    for value in (0.0, 1.0, 2.5):
        report = find_cohorts(frame, np.full(len(loss), value))
        assert report.cohorts == ()
        assert "No group of rows stands out" in report.sentence


def test_a_rare_error_is_not_cut_off() -> None:
    frame, _ = young_tenants(4_000)
    loss = (frame["age"] < 20).to_numpy() & (np.arange(4_000) % 6 == 0)  # fewer than 1% of the rows
    assert 0 < loss.mean() < 0.01
    assert find_cohorts(frame, loss).worse[0].cohort.text == "'age' is below 20"


def test_groups_are_never_divided_and_count_as_dependent() -> None:
    frame, _ = young_tenants(4_000)
    groups = np.repeat(np.arange(40), 100)
    frame["region"] = [f"region {group % 8}" for group in groups]
    rest = rows_to_judge(len(frame), groups, seed=3)
    assert len(set(groups[rest]) & set(groups[~rest])) == 0
    random = np.random.default_rng(1)
    named = [
        bool(find_cohorts(frame, random.exponential(size=40)[groups], groups=groups, seed=seed).worse)
        for seed in range(10)
    ]
    assert sum(named) <= 1  # by rows, all would name one: 8 regions of 5 groups each differ by far


def test_weights_count_rows_several_times() -> None:
    frame, loss = young_tenants(1_000)
    loss = loss + np.random.default_rng(0).random(1_000)
    cohort = find_cohorts(frame, loss).cohorts[0].cohort
    doubled = frame["age"].to_numpy() < 40
    weighted = judge_cohort(cohort, frame, loss, sample_weight=1.0 + doubled)
    rows = np.concatenate([np.arange(1_000), np.flatnonzero(doubled)])
    repeated = judge_cohort(cohort, frame.iloc[rows], loss[rows])
    assert weighted.error == pytest.approx(repeated.error)
    assert weighted.difference == pytest.approx(repeated.difference)
    assert weighted.rows == cohort.mask(frame).sum()


def test_columns_of_every_type_are_read() -> None:
    n = 2_000
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "flag": random.random(n) < 0.5,
            "maybe": pd.array(np.where(random.random(n) < 0.1, None, random.random(n) < 0.5), dtype="boolean"),
            "whole": pd.array(np.where(random.random(n) < 0.1, None, random.integers(0, 9, n)), dtype="Int64"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 700, n), unit="D"),
            "moment": pd.date_range("2024-01-01", periods=n, freq="h", tz="Europe/Zurich"),
            "kind": pd.Categorical(random.choice(["a", "b"], n), categories=["a", "b", "unused"]),
            "text": [f"text {index}" for index in range(n)],
            "empty": [None] * n,
            "constant": 1.0,
            "nested": [[index % 3] for index in range(n)],
            "extreme": np.where(random.random(n) < 0.1, np.inf, random.normal(size=n)),
        }
    )
    for name, planted in {
        "day": frame["day"] >= "2025-08-01",
        "moment": frame["moment"] < "2024-01-12",
        "maybe": frame["maybe"].isna(),
        "whole": frame["whole"].isna(),
        "flag": frame["flag"],
        "nested": frame["nested"].map(lambda cell: cell == [1]),
    }.items():
        loss = random.exponential(size=n) * np.where(planted, 3, 1)
        best = find_cohorts(frame, loss).worse[0]
        assert name in best.cohort.columns, best.cohort.text
        mask = best.cohort.mask(frame)
        assert (mask & planted).sum() > 0.9 * mask.sum()


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (np.zeros(3), {}, r"200 rows, and the losses have the shape \(3,\)"),
        (np.full(200, np.nan), {}, "The loss of row 0 is nan"),
        (np.zeros(200), {"columns": ["agee"]}, "no column 'agee'"),
        (np.zeros(200), {"min_rows": 51}, "200 rows are too few to find groups of 51 rows"),
        (np.zeros(200), {"min_rows": 0}, "min_rows is 0"),
        (np.zeros(200), {"sample_weight": np.full(200, -1.0)}, "weights must be finite"),
        (np.zeros(200), {"groups": np.zeros(200)}, "One group holds more than half of the 200 rows"),
    ],
)
def test_what_cannot_be_is_refused(loss: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_cohorts(young_tenants(200)[0], loss, **options)


def test_names_that_a_condition_cannot_hold_are_refused() -> None:
    frame, loss = young_tenants(200)
    with pytest.raises(InputError, match="name 'age', which another column has as well"):
        find_cohorts(frame.set_axis(["age", "age"], axis=1), loss)
    with pytest.raises(InputError, match="name 1, which is not text"):
        find_cohorts(frame.set_axis(["age", 1], axis=1), loss)


def test_losses_of_classes_and_numbers() -> None:
    classes = pd.DataFrame(
        {"y": [1, 0, 1], "prediction": [1.0, 1.0, 0.0], "p(0)": [0.1, 0.25, 1.0], "p(1)": [0.9, 0.75, 0.0]}
    )
    assert row_losses(classes, "y", "wrong").tolist() == [0, 1, 1]
    assert row_losses(classes, "y", "log_loss") == pytest.approx([-np.log(0.9), -np.log(0.25), -np.log(1e-15)])
    values = pd.DataFrame({"y": [1.0, 2.0], "prediction": [1.5, 4.0]})
    assert row_losses(values, "y", "squared").tolist() == [0.25, 4]
    with pytest.raises(InputError, match="Unknown loss 'wrogn'"):
        row_losses(classes, "y", "wrogn")
    with pytest.raises(InputError, match=r"no column 'p\(2\)'"):
        row_losses(classes.assign(y=[2, 0, 1]), "y", "log_loss")


def test_the_grid_agrees_with_pandas() -> None:
    frame, loss = young_tenants(900)
    frame.loc[::10, "housing"] = None
    frame.loc[::9, "age"] = np.nan
    grid = grid_errors(frame, loss, "age", "housing", bins=4)
    assert grid.first[-1] == grid.second[-1] == "(missing)"
    assert sum(cell.rows for cell in grid.cells) == 900
    cells = {(cell.first, cell.second): cell for cell in grid.cells}
    missing = frame["age"].isna().to_numpy()
    for kind in ("own", "rent", "free"):
        rows = missing & (frame["housing"] == kind).to_numpy()
        cell = cells["(missing)", kind]
        assert (cell.rows, cell.small) == (rows.sum(), rows.sum() < 20)
        assert cell.error == pytest.approx(loss[rows].mean())
    below = float(grid.first[0].removeprefix("below "))
    rows = (frame["age"] < below).to_numpy() & (frame["housing"] == "own").to_numpy()
    assert cells[grid.first[0], "own"].error == pytest.approx(loss[rows].mean())
    named = grid_errors(frame, loss, "housing", "age", bins=2).first
    assert set(named) == {"own", "rent", "free", "(missing)"}  # a single other value is named
    with pytest.raises(InputError, match="Both columns are 'age'"):
        grid_errors(frame, loss, "age", "age")
