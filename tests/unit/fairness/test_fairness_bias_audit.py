"""The tables of New York City's Local Law 144: published examples, a naive reference, and what is not calculated."""

from __future__ import annotations

from statistics import median

import numpy as np
import pandas as pd
import pytest

from core.fairness import (
    RACE_CATEGORIES,
    SEX_CATEGORIES,
    bias_audit,
)

HISPANIC, WHITE, BLACK, PACIFIC, ASIAN, NATIVE, SEVERAL = RACE_CATEGORIES
PUBLISHED_SEX = {"Male": (92, 50, "54.3%", "1.00"), "Female": (76, 34, "44.7%", "0.82")}
PUBLISHED_RACE = {
    HISPANIC: (28, 18, "64.3%", "1.00"),
    WHITE: (40, 15, "37.5%", "0.58"),
    BLACK: (32, 16, "50.0%", "0.78"),
    PACIFIC: (8, 5, "62.5%", "0.97"),
    ASIAN: (24, 10, "41.7%", "0.65"),
}
REST = {NATIVE: (16, 9), SEVERAL: (20, 11)}


def spread(counts: dict[str, tuple[int, ...]]) -> tuple[list[str], list[str]]:
    """Return the categories of the people above the median, and of those who are not."""
    above = [name for name, (_, high, *_) in counts.items() for _ in range(high)]
    below = [name for name, (n, high, *_) in counts.items() for _ in range(n - high)]
    return above, below


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """People with scores who make the rates of the rules' example."""
    parts, random = [], np.random.default_rng(0)
    for index, level in enumerate((60, 40)):
        sex, race = (spread(counts)[index] for counts in (PUBLISHED_SEX, PUBLISHED_RACE | REST))
        random.shuffle(race)
        parts.append(pd.DataFrame({"sex": sex, "race": race, "score": [level + 0.1 * i for i in range(len(sex))]}))
    return pd.concat(parts).sample(frac=1, random_state=0)


def test_the_rules_example_of_scores_comes_out(published: pd.DataFrame) -> None:
    audit = bias_audit(published["score"], published["sex"], published["race"])
    assert audit.kind == "score"
    assert audit.unknown == 0
    for name, expected in (("sex", PUBLISHED_SEX), ("race", PUBLISHED_RACE)):
        table = audit.published(name)
        rows = table.set_index(table.columns[0])
        assert list(rows.columns) == ["# of Applicants", "Scoring Rate", "Impact Ratio"]
        for category, (n, _, rate, ratio) in expected.items():
            assert rows.loc[category].tolist() == [str(n), rate, ratio]
    assert audit.sex is not None
    assert audit.sex.set_index("category").loc["Female", "impact_ratio"] == pytest.approx((34 / 76) / (50 / 92))


def test_selections_have_their_own_columns(published: pd.DataFrame) -> None:
    selected = published["score"] > 50
    audit = bias_audit(selected, published["sex"])
    assert audit.kind == "selection"
    assert audit.race is None
    assert audit.published("sex").to_dict("records") == [
        {
            "Sex Category": "Male",
            "# of Applicants": "92",
            "# Selected": "50",
            "Selection Rate": "54.3%",
            "Impact Ratio": "1.00",
        },
        {
            "Sex Category": "Female",
            "# of Applicants": "76",
            "# Selected": "34",
            "Selection Rate": "44.7%",
            "Impact Ratio": "0.82",
        },
    ]


def naive(scores: list[float | None], categories: list[tuple], min_share: float) -> dict[tuple, tuple]:
    """Compute a table person by person: n, above, rate, ratio."""
    middle = median(score for score in scores if score is not None)
    people = [
        (own, score) for own, score in zip(categories, scores, strict=True) if score is not None and None not in own
    ]
    table = {}
    for own in {own for own, _ in people}:
        n = sum(other == own for other, _ in people)
        above = sum(other == own and score > middle for other, score in people)
        table[own] = (n, above, above / n, n / len(people) < min_share)
    top = max(rate for _, _, rate, small in table.values() if not small)
    return {
        own: (n, above, rate, float("nan") if small or not top else rate / top)
        for own, (n, above, rate, small) in table.items()
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_share", [0.0, 0.02, 0.1])
def test_every_table_is_that_of_a_count_by_hand(seed: int, min_share: float) -> None:
    random = np.random.default_rng(seed)
    n = 211
    scores = [None if random.random() < 0.05 else float(random.integers(0, 12)) for _ in range(n)]
    sex = [str(item) if item != "?" else None for item in random.choice([*SEX_CATEGORIES, "?"], n, p=[0.5, 0.4, 0.1])]
    race = [
        str(item) if item != "?" else None
        for item in random.choice([*RACE_CATEGORIES, "?"], n, p=[0.2, 0.4, 0.2, 0.01, 0.1, 0.02, 0.02, 0.05])
    ]
    audit = bias_audit(scores, sex, race, min_share=min_share)
    columns = {"sex": [(item,) for item in sex], "race": [(item,) for item in race]}
    columns["intersectional"] = list(zip(sex, race, strict=True))
    scored = [score is not None for score in scores]
    for name, categories in columns.items():
        expected = naive(scores, categories, min_share)
        table = audit.tables[name]
        keys = [name] if name != "intersectional" else ["sex", "race"]
        own = [tuple(row) for row in (table[keys] if len(keys) > 1 else table[["category"]]).to_numpy().tolist()]
        assert set(own) == set(expected)
        assert len(own) == len(expected)
        for key, row in zip(own, table.to_dict("records"), strict=True):
            values = (row["n"], row["selected"], row["rate"], row["impact_ratio"])
            assert values == pytest.approx(expected[key], nan_ok=True)
        unknown = sum(None in item and known for item, known in zip(categories, scored, strict=True))
        assert audit.unknown_by_table[name] == unknown
    assert audit.unknown == audit.unknown_by_table["intersectional"]
    assert audit.n == sum(scored)
    assert audit.without_outcome == n - sum(scored)


def test_the_order_is_that_of_the_law(published: pd.DataFrame) -> None:
    audit = bias_audit(published["score"], published["sex"], published["race"])
    assert audit.race is not None
    assert audit.race["category"].tolist() == list(RACE_CATEGORIES)
    assert audit.intersectional is not None
    rows = audit.intersectional[["sex", "race"]].to_numpy().tolist()
    assert rows[:2] == [["Male", HISPANIC], ["Female", HISPANIC]]
    assert rows[2:] == [[sex, race] for sex in SEX_CATEGORIES for race in RACE_CATEGORIES[1:] if [sex, race] in rows]


def test_the_median_is_that_of_all_and_not_above_itself() -> None:
    scores = [1, 2, 3, 3, 3, 9, 9, 9, 9]  # the four of unknown sex move the median to 3
    sex = ["Male", "Male", "Male", "Female", "Female", None, None, "unknown", None]
    audit = bias_audit(scores, sex, missing=["unknown"])
    assert audit.median == 3
    assert audit.at_median == 3
    assert audit.unknown == 4
    assert audit.sex is not None
    assert audit.sex["selected"].tolist() == [0, 0]
    assert audit.sex["impact_ratio"].isna().all()
    assert any("highest rate is 0" in note for note in audit.notes)
    assert any("3 people have exactly this score" in note for note in audit.notes)


def test_a_category_below_two_percent_keeps_its_number_and_rate() -> None:
    sex = ["Male"] * 60 + ["Female"] * 88 + ["Intersex"] * 2 + ["Other"] * 3
    selected = [1] * 30 + [0] * 30 + [1] * 22 + [0] * 66 + [1] * 2 + [1, 0, 0]
    audit = bias_audit(selected, sex)
    assert audit.sex is not None
    table = audit.sex.set_index("category")
    assert table["excluded"].to_dict() == {"Male": False, "Female": False, "Intersex": True, "Other": True}
    assert table.loc["Intersex", ["n", "selected", "rate"]].tolist() == [2, 2, 1.0]
    assert table["impact_ratio"].to_dict() == pytest.approx(
        {"Male": 1.0, "Female": 0.5, "Intersex": np.nan, "Other": np.nan}, nan_ok=True
    )
    assert audit.published("sex")["Impact Ratio"].tolist() == ["1.00", "0.50", "Excluded", "Excluded"]
    assert any("'Intersex' and 'Other' are below 2% of the people" in note for note in audit.notes)
    whole = bias_audit(selected, sex, min_share=0)
    assert whole.sex is not None
    assert whole.sex.set_index("category")["impact_ratio"].to_dict() == pytest.approx(
        {"Male": 0.5, "Female": 0.25, "Intersex": 1.0, "Other": 1 / 3}
    )
    assert not whole.has_excluded


def test_exactly_two_percent_is_not_below() -> None:
    audit = bias_audit([1] * 50, ["Male"] * 49 + ["Female"])
    assert not audit.has_excluded
