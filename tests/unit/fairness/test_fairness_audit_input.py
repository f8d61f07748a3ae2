"""What a bias audit accepts: values of any type, categories of the law or words that are known for them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, SettingsError
from core.fairness import RACE_CATEGORIES, SEX_CATEGORIES, UNKNOWN_CATEGORY, bias_audit, suggest_categories

HISPANIC, WHITE, BLACK, PACIFIC, ASIAN, NATIVE, SEVERAL = RACE_CATEGORIES


def test_values_are_mapped_only_as_they_are_told() -> None:
    sex = ["m", "M", "f", "w", "?", None]
    mapping = {"m": "Male", "M": "Male", "f": "Female", "w": "Female", "?": UNKNOWN_CATEGORY}
    audit = bias_audit([1, 0, 1, 1, 0, 1], sex, sex_categories=mapping)
    assert audit.sex is not None
    assert audit.sex[["category", "n", "selected"]].to_numpy().tolist() == [["Male", 2, 1], ["Female", 2, 2]]
    assert audit.unknown == 2
    as_written = bias_audit([1, 0, 1, 1, 0, 1], sex)
    assert as_written.sex is not None
    assert as_written.sex["category"].tolist() == ["?", "M", "f", "m", "w"]
    assert any("the law names other categories" in note for note in as_written.notes)
    with pytest.raises(InputError, match=r"'w' of sex has no category"):
        bias_audit([1, 0, 1, 1, 0, 1], sex, sex_categories={key: mapping[key] for key in "mMf?"})


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("sex", {"Male": "Male", "WOMAN": "Female", " f ": "Female", "1": None, "non-binary": None, "N/A": "Unknown"}),
        (
            "race",
            {
                "White": WHITE,
                "White (Not Hispanic or Latino)": WHITE,
                "non-Hispanic White": WHITE,
                "Hispanic/Latino": HISPANIC,
                "Black or African American": BLACK,
                "african-american": BLACK,
                "NHPI": PACIFIC,
                "Native Hawaiian or Other Pacific Islander": PACIFIC,
                "Asian": ASIAN,
                "Asian-Pac-Islander": None,
                "American Indian/Alaska Native": NATIVE,
                "Two or more races": SEVERAL,
                "Other": None,
                "Prefer not to say": "Unknown",
                "?": "Unknown",
                "not Hispanic": None,
                "White Hispanic": None,
            },
        ),
    ],
)
def test_only_well_known_words_are_suggested(column, values: dict[str, str | None]) -> None:
    assert suggest_categories(values, column) == values


@pytest.mark.parametrize("category", [*SEX_CATEGORIES, *RACE_CATEGORIES])
def test_the_names_of_the_law_mean_themselves(category: str) -> None:
    column = "sex" if category in SEX_CATEGORIES else "race"
    assert suggest_categories([category], column) == {category: category}


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (["yes", "no"], {}, "not a number in every row"),
        ([1, 2], {"kind": "selection"}, "A selection is 2"),
        ([1.0, float("inf")], {}, "infinite"),
        ([None, None], {}, "No one has a selection or a score"),
        ([1, 0, 1], {}, "'sex' has 2 rows"),
    ],
)
def test_what_cannot_be_audited_is_refused(values, settings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bias_audit(values, ["Male", "Female"], **settings)


def test_settings_are_checked() -> None:
    with pytest.raises(InputError, match="Neither sex nor race"):
        bias_audit([1, 0])
    with pytest.raises(SettingsError, match=r"smallest share is 1\.5"):
        bias_audit([1, 0], ["Male", "Female"], min_share=1.5)
    with pytest.raises(SettingsError, match="Unknown kind 'rank'"):
        bias_audit([1, 0], ["Male", "Female"], kind="rank")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True, None],
        pd.Series([1, 0, 1, None], dtype="Int64"),
        pd.Series([True, False, True, None], dtype="boolean"),
        pd.Series([1.0, 0.0, 1.0, np.nan], index=[7, 8, 9, 10]),
        pd.Categorical([1, 0, 1, None]),
    ],
    ids=["objects", "Int64", "boolean", "floats", "categories"],
)
def test_selections_of_any_type_are_the_same(values) -> None:
    audit = bias_audit(values, pd.Series(["Male", "Female", "Female", "Male"], index=[3, 2, 1, 0]))
    assert audit.kind == "selection"
    assert audit.without_outcome == 1
    assert audit.sex is not None
    assert audit.sex[["n", "selected"]].to_numpy().tolist() == [[1, 1], [2, 1]]
