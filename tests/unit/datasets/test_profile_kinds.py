"""The kind of a column follows from its values, and samples get the kinds that a person would give them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from core.datasets import Profile, load_sample, profile

RNG = np.random.default_rng(0)
WORDS = np.array(["plumb", "line", "lead", "weight", "thread", "wall", "level", "true", "upright", "square"])


def sentences(n: int) -> list[str]:
    return [f"{' '.join(RNG.choice(WORDS, 9))} {i}" for i in range(n)]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("x", RNG.normal(size=100), "number"),
        ("x", [1, 2, None] * 40, "number"),
        ("x", [True, False, None] * 40, "boolean"),
        ("x", pd.date_range("2020-01-01", periods=100), "date"),
        ("x", pd.date_range("2020-01-01", periods=100, tz="Asia/Tokyo"), "date"),
        ("x", ["red", "green", None] * 40, "category"),
        ("x", pd.Categorical(["red", "green"] * 40), "category"),
        ("x", pd.Series(["red", "green"] * 40, dtype="string"), "category"),
        ("x", ["New York", "Los Angeles", "San Francisco"] * 40, "category"),
        ("x", sentences(200), "text"),
        ("x", ["https://example.org/" + "a" * 100 + str(i % 3) for i in range(90)], "text"),
        ("x", [f"{i:08x}" for i in RNG.permutation(200)], "identifier"),
        ("x", list(range(100)), "identifier"),
        ("x", RNG.permutation(100) + 17, "identifier"),
        ("customer_id", RNG.choice(10**9, 100, replace=False), "identifier"),
        ("ID", RNG.choice(10**9, 100, replace=False), "identifier"),
    ],
)
def test_kind_follows_from_values_and_name(name: str, values: object, kind: str) -> None:
    assert profile(pd.DataFrame({name: values}))[name].kind == kind


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("amount", RNG.choice(10**9, 100, replace=False), "number"),  # all different, but neither counting nor named
        ("customer_id", RNG.integers(0, 50, 100), "number"),  # named, but repeated
        ("x", list(range(10)), "number"),  # counting, but too few to tell
        ("x", [float(i) for i in range(100)], "number"),
        ("paid", np.arange(100) * 3, "number"),
        ("x", [f"k{i % 90}" for i in range(100)], "category"),
        ("x", [f"word{i}" for i in range(10)], "category"),
    ],
)
def test_what_only_resembles_an_identifier_is_none(name: str, values: object, kind: str) -> None:
    assert profile(pd.DataFrame({name: values}))[name].kind == kind


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("adult", {"age": "number", "education": "category", "native-country": "category", "income": "category"}),
        ("german_credit", {"credit_amount": "number", "sex": "category", "credit": "category"}),
        ("product_reviews", {"rating": "number", "sentiment": "category"}),
        ("wine", {"alcohol": "number", "cultivar": "category"}),
        ("diabetes", {"bmi": "number", "progression": "number"}),
    ],
)
def test_samples_get_the_kinds_a_person_would_give(sample: str, expected: dict[str, str]) -> None:
    actual = profile(load_sample(sample).path)
    names = {column.name: column.kind for column in actual.columns}
    assert {name: names[name] for name in expected} == expected
    assert "identifier" not in names.values()


def test_review_sentences_are_text() -> None:
    assert [c.kind for c in profile(load_sample("product_reviews").path).columns].count("text") == 1


def test_a_profile_survives_json() -> None:
    actual = profile(load_sample("german_credit").path)
    again = Profile.from_dict(json.loads(json.dumps(actual.to_dict(), allow_nan=False)))
    assert again == actual
    assert again["age"].top == actual["age"].top
