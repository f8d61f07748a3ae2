"""Next steps: each table is offered what fits it, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.datasets import likely_target, load_sample, next_steps, profile

N = 120
RNG = np.random.default_rng(0)


def number(low: float = 0, high: float = 1000) -> np.ndarray:
    return RNG.uniform(low, high, N)


def choice(*values: object) -> np.ndarray:
    return RNG.choice(np.array(values, dtype=object), N)


def names(frame: pd.DataFrame, **roles: object) -> list[str]:
    return [step.name for step in next_steps(profile(frame), **roles)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample", "target", "expected"),
    [
        ("german_credit", "credit", ["roles", "search"]),
        ("adult", "income", ["roles", "search"]),
        ("product_reviews", "sentiment", ["roles", "search", "finetune"]),
    ],
)
def test_the_samples_are_offered_what_they_are_for(sample: str, target: str, expected: list[str]) -> None:
    described = profile(load_sample(sample).path)
    steps = next_steps(described)
    assert [step.name for step in steps] == expected
    assert steps[0].columns == {"target": target}
    assert [step.name for step in next_steps(described, target=target)] == expected[1:]
    if "finetune" in expected:
        assert steps[-1].columns == {"text": "text", "label": "sentiment"}
    assert all(step.reason.endswith(".") for step in steps)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"churn": ("No", "Yes"), "tenure": None, "contract": ("a", "b"), "total_charges": None}, "churn"),
        ({"Age": None, "Attrition": ("Yes", "No"), "MonthlyIncome": None, "JobLevel": ("1", "2")}, "Attrition"),
        ({"Status": ("good", "bad"), "Income": None, "Price": None}, "Status"),
        ({"protocol": tuple("ABCD"), "hour": None, "class": ("F", "L", "M", "VF")}, "class"),
        (
            {
                "MS_SubClass": ("One_Story", "Two_Story", "Duplex"),
                "Lot_Area": None,
                "Overall_Cond": ("Good", "Average", "Poor"),
                "Sale_Price": None,
            },
            "Sale_Price",
        ),
        ({"annual_inc": None, "Class": ("good", "bad"), "loan_grade": tuple("ABC")}, "Class"),
        ({"status": ("a", "b", "c"), "credit_amount": None, "credit": ("good", "bad"), "sex": ("f", "m")}, "credit"),
        ({"x": None, "town": ("A", "B")}, None),
    ],
)
def test_the_likely_target_is_known_by_its_name(columns: dict[str, tuple[str, ...] | None], expected: str) -> None:
    frame = pd.DataFrame({name: number() if values is None else choice(*values) for name, values in columns.items()})
    assert likely_target(profile(frame)) == expected
    assert names(frame) == (["roles"] if expected is None else ["roles", "search"])


@pytest.mark.parametrize(
    ("frame", "label", "part", "prediction"),
    [
        (
            pd.DataFrame(
                {
                    "gender": choice("f", "m"),
                    "panel_decision": choice("call", "skip"),
                    "model_says": choice("call", "skip"),
                }
            ),
            "panel_decision",
            "prediction",
            "model_says",
        ),
        (
            pd.DataFrame(
                {"race": choice("a", "b"), "two_year_recid": choice(0, 1), "decile_score": choice(*range(1, 11))}
            ).astype({"two_year_recid": int, "decile_score": int}),
            "two_year_recid",
            "score",
            "decile_score",
        ),
        (
            pd.DataFrame({"age": number(20, 60), "approved": choice("yes", "no"), "probability": number(0, 1)}),
            "approved",
            "score",
            "probability",
        ),
        (
            pd.DataFrame({"sex": choice("f", "m"), "outcome": choice(0, 1), "predicted": choice(0, 1)}).astype(
                {"outcome": int, "predicted": int}
            ),
            "outcome",
            "prediction",
            "predicted",
        ),
    ],
)
def test_decisions_about_people_are_offered_the_check_for_fairness(
    frame: pd.DataFrame, label: str, part: str, prediction: str
) -> None:
    (step,) = [step for step in next_steps(profile(frame)) if step.name == "fairness"]
    assert step.columns == {"label": label, part: prediction, "groups": (frame.columns[0],)}
    for name in frame:  # each of the three is needed
        assert "fairness" not in names(frame.drop(columns=name)), name


@pytest.mark.parametrize(
    ("labels", "offered"),
    [
        (("invited", "rejected"), True),
        (("Hired", "Not hired"), True),
        (("approved", "waiting", "denied"), True),
        (("eingeladen", "abgelehnt"), True),
        (("good", "bad"), False),
        (("yes", "no"), False),
        (("<=50K", ">50K"), False),
        (("single", "married"), False),
    ],
)
def test_decisions_alone_are_offered_it_too(labels: tuple[str, ...], offered: bool) -> None:
    frame = pd.DataFrame({"gender": choice("f", "m"), "years": number(0, 30), "result": choice(*labels)})
    steps = [step for step in next_steps(profile(frame)) if step.name == "fairness"]
    assert [dict(step.columns) for step in steps] == [{"prediction": "result", "groups": ("gender",)}] * offered
    assert "fairness" not in names(frame.drop(columns="gender"))


def test_a_marked_column_is_a_group_whatever_its_name() -> None:
    frame = pd.DataFrame({"branch": choice("A", "B"), "hired": choice("y", "n"), "predicted": choice("y", "n")})
    assert "fairness" not in names(frame)
    assert "fairness" in names(frame, sensitive=["branch"])


def test_the_groups_that_need_no_cut_come_first_and_the_marked_ones_before_them() -> None:
    frame = pd.DataFrame(
        {
            "age": number(20, 60),
            "gender": choice("f", "m"),
            "branch": choice("A", "B"),
            "hired": choice("y", "n"),
            "predicted": choice("y", "n"),
        }
    )
    for marked, expected in (
        ([], ("gender", "age")),
        (["branch"], ("branch", "gender", "age")),
        (["age"], ("age", "gender")),
    ):
        (step,) = [step for step in next_steps(profile(frame), sensitive=marked) if step.name == "fairness"]
        assert step.columns["groups"] == expected


def test_no_fairness_for_ordinary_scores_and_models() -> None:
    frame = pd.DataFrame(
        {
            "gender": choice("f", "m"),
            "credit_score": number(300, 850),
            "model": choice(*"abcdef"),
            "default": choice("y", "n"),
        }
    )
    assert "fairness" not in names(frame)
