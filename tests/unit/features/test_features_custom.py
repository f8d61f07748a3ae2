"""What the settings say a column is, counts; and free text becomes the weights of its words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from core.automl import AutoMLResult, AutoMLSettings, prepare
from core.datasets import load_sample
from core.edge import TableScorer, export_onnx
from core.errors import InputError, SettingsError
from core.explain.encoded_columns import encoded_columns
from core.features import TableEncoder, TextFeatures, as_dates, as_words


def table():
    return pd.DataFrame(
        {
            "zip": [1001, 1002, 1001, 1003] * 20,
            "size": [1.0, None, 3.0, 5.0] * 20,
            "when": ["2024-01-05", "2023-06-01", None, "2022-12-31"] * 20,
            "note": ["good value", "bad", "good", "not good"] * 20,
            "spare": [1, 2, 3, 4] * 20,
        }
    )


def planned_kinds(**wanted):
    return {item.name: item.kind for item in TableEncoder(column_types=wanted).fit(table()).plan_}


def test_named_types_count_and_others_are_decided_as_always():
    result = planned_kinds(zip="categorical", when="date", note="text", spare="ignore")
    assert result == {"zip": "category", "size": "number", "when": "date", "note": "text", "spare": "left out"}
    assert planned_kinds()["zip"] == "number"


def test_a_number_as_a_category_is_the_same_category_when_cells_are_missing():
    """A column of whole numbers becomes one of fractions as soon as a cell is missing."""
    encoder = TableEncoder(column_types={"zip": "categorical"}).fit(table())
    other = table().astype({"zip": float})
    other.loc[0, "zip"] = None
    names = list(encoder.get_feature_names_out())
    result = pd.DataFrame(encoder.transform(other), columns=names)
    assert result.loc[2, "zip_1001"] == 1
    assert result.loc[0, [name for name in names if name.startswith("zip_")]].sum() == 0


def test_a_date_as_text_has_its_parts():
    encoder = TableEncoder(column_types={"when": "date"}).fit(table())
    result = pd.DataFrame(encoder.transform(table()), columns=encoder.get_feature_names_out())
    assert result.loc[0, "when: month"] == 1
    assert result.loc[3, "when: year"] == 2022


@pytest.mark.parametrize(("how", "value"), [("median", 3.0), ("mean", 3.0), ("zero", 0.0), ("most_frequent", 1.0)])
def test_imputation_is_the_one_asked_for(how, value):
    encoder = TableEncoder(imputation=how).fit(table())
    result = pd.DataFrame(encoder.transform(table()), columns=encoder.get_feature_names_out())
    assert result.loc[1, "size"] == value
    assert result.loc[1, "missingindicator_size"] == 1


def gaps():
    """Return numbers, yes or no, dates and texts with gaps; what stands for each differs from way to way."""
    return pd.DataFrame(
        {
            "size": [1.0, None, 1.0, 5.0, 9.0] * 20,
            "price": [2.0, 2.0, None, 3.0, 50.0] * 20,
            "flag": pd.array([True, None, False, True, True] * 20, dtype="boolean"),
            "job": ["a", None, "b", "c", "a"] * 20,
            "due": pd.to_datetime(["2024-01-05", None, "2023-06-01", "2022-12-31", "2024-01-05"] * 20),
            "whole": [7, 7, 8, 9, 9] * 20,
        }
    )


def test_each_column_is_imputed_as_it_was_asked_for():
    asked = {"price": "zero", "flag": "most_frequent", "due": "most_frequent"}
    encoder = TableEncoder(imputation="mean", column_imputation=asked).fit(gaps())
    names = list(encoder.get_feature_names_out())
    result = pd.DataFrame(encoder.transform(gaps()), columns=names)
    assert len(set(names)) == len(names)
    assert (result.loc[1, "size"], result.loc[2, "price"], result.loc[1, "flag"]) == (4.0, 0.0, 1.0)
    assert (result.loc[1, "due: year"], result.loc[1, "due: month"]) == (2024, 1)
    for name in ("size", "price", "flag"):
        assert result[f"missingindicator_{name}"].tolist() == gaps()[name].isna().tolist()
    # What is given is the same whatever stands for the rest.
    plain = TableEncoder().fit(gaps())
    other = pd.DataFrame(plain.transform(gaps()), columns=plain.get_feature_names_out())
    assert sorted(other.columns) == sorted(names)
    complete = gaps().notna().all(axis=1).to_numpy()
    pd.testing.assert_frame_equal(other.loc[complete, names], result.loc[complete])


@pytest.mark.parametrize(("name", "message"), [("job", "used as category"), ("whole", None), ("none", "left out")])
def test_only_what_becomes_a_number_can_be_imputed_by_one(name, message):
    encoder = TableEncoder(column_types={"none": "ignore"}, column_imputation={name: "zero"})
    frame = gaps().assign(none=1.0)
    if message is None:
        assert encoder.fit(frame).transform(frame).shape[0] == 100
        return
    with pytest.raises(SettingsError, match=f"'{name}' is {message}"):
        encoder.fit(frame)


def test_columns_imputed_in_several_ways_are_exported_and_explained(run_search, tmp_path):
    """One graph answers as the model does where cells are missing, and each feature belongs to its own column."""
    frame = gaps()
    random = np.random.default_rng(0)
    frame["y"] = np.where(frame["price"].fillna(0) + random.normal(size=100) > 2.5, "high", "low")
    settings = {
        "featurization": "custom",
        "max_trials": 2,
        "folds": 2,
        "time_budget_s": None,
        "column_imputation": {"price": "zero", "due": "most_frequent", "flag": "mean"},
    }
    result = run_search(frame, target="y", **settings).result
    assert AutoMLSettings.model_validate(result.settings.model_dump(mode="json")) == result.settings
    actual = export_onnx(result.model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert all(part["largest_difference"] < 1e-5 for part in actual.parity.values())
    columns = [name for name in frame if name != "y"]
    encoder = TableEncoder(column_imputation=settings["column_imputation"]).fit(frame[columns])
    names = encoder.get_feature_names_out()
    for column, places in zip(columns, encoded_columns(encoder, columns), strict=True):
        assert {name.removeprefix("missingindicator_").split(":")[0].split("_")[0] for name in names[places]} == {
            column
        }


def prepared(frame, **types):
    return prepare(frame, AutoMLSettings(target="y", featurization="custom", column_types=types, folds=2))


def odd():
    """Return columns of which each fits some types and not others."""
    rows = 80
    return pd.DataFrame(
        {
            "day": [20240115, 20230601] * 40,
            "year": [2019.0, None] * 40,
            "flag": [True, False] * 40,
            "when": pd.to_datetime(["2024-01-05", "2023-06-01"] * 40),
            "us": ["05/01/2024", "13/02/2024"] * 40,
            "note": ["good", "bad"] * 40,
            "pay": [*["1200", "800.5", "-3", None] * 19, "1200", "n.n.", "900", "900"],
            "seen": [
                *["2024-01-05", "2023-06-01T10:00:00", None, "2022-12-31"] * 19,
                "05/01/2024",
                "soon",
                "2019-01-01",
                None,
            ],
            "y": np.arange(rows) % 2,
        }
    )


@pytest.mark.parametrize(
    ("column", "kind", "message", "hint"),
    [
        (
            "day",
            "date",
            r"'day' is set to date, but its cells are numbers \(20240115, 20230601\)",
            "write the dates as 2024-01-15",
        ),
        ("year", "date", r"cells are numbers \(2019\)", "Leave it a number"),
        ("flag", "date", "cells are true and false", "auto"),
        ("when", "numeric", "cells are dates", "Set it to date"),
        ("us", "date", r"80 of 80 cells cannot be read as dates \('05/01/2024', '13/02/2024'\)", "2024-01-15"),
        ("note", "numeric", r"80 of 80 cells cannot be read as numbers \('good', 'bad'\)", "1234.5"),
    ],
)
def test_a_type_that_does_not_fit_is_refused_with_examples(column, kind, message, hint):
    with pytest.raises(SettingsError, match=message) as caught:
        prepared(odd(), **{column: kind})
    assert hint in caught.value.hint


def test_a_few_cells_that_do_not_fit_are_counted_and_missing():
    result = prepared(odd(), pay="numeric", seen="date", flag="numeric", us="ignore")
    messages = {finding.column: finding for finding in result.findings if finding.check == "unreadable"}
    assert {name: finding.values for name, finding in messages.items()} == {
        "pay": {"cells": 1, "examples": ["n.n."]},
        "seen": {"cells": 2, "examples": ["05/01/2024", "soon"]},
    }
    assert "1 of 61 cells cannot be read as numbers ('n.n.'), so they count as missing" in messages["pay"].message
    encoded = pd.DataFrame(result.encoder.transform(odd()), columns=result.encoder.get_feature_names_out())
    assert encoded["missingindicator_pay"].tolist() == pd.to_numeric(odd()["pay"], errors="coerce").isna().tolist()
    # Dates with and without a time are both read, whichever is first; "05/01/2024" is not guessed at.
    assert encoded["missingindicator_seen: epoch"].sum() == odd()["seen"].isna().sum() + 2
    one = odd().loc[[77]]
    assert one["pay"].item() == "n.n."
    assert np.array_equal(result.encoder.transform(one), encoded.loc[[77]])


def test_dates_of_a_model_from_before_the_check_are_still_read():
    """Other forms are refused for a new search; a model that learned from them works as it did."""
    assert as_dates(pd.Series(["12/31/2024", "02/01/2024", None])).dt.month.tolist()[:2] == [12, 2]


def test_texts_as_numbers_and_dates_are_exported(run_search, tmp_path):
    frame = odd()
    frame = frame.iloc[[77, *range(77), 78, 79, 76]].reset_index(drop=True)  # the first and the last are altered too
    assert (frame["pay"].iloc[0], frame["seen"].iloc[-1]) == ("n.n.", "05/01/2024")
    types = {"pay": "numeric", "seen": "date", "us": "ignore", "year": "ignore"}
    settings = {"featurization": "custom", "column_types": types, "max_trials": 2, "folds": 2, "time_budget_s": None}
    result = run_search(frame, target="y", **settings).result
    actual = export_onnx(result.model, tmp_path / "m.onnx", train=frame, held_out=frame)
    assert all(part["largest_difference"] < 1e-5 for part in actual.parity.values())
    result.save(tmp_path)
    row = frame.head(1).assign(seen="2024-01-05")  # its "pay" is not a number, and there is no other cell
    expected = AutoMLResult.load(tmp_path).model.predict_proba(row)
    assert np.abs(TableScorer(actual.path).outputs(row) - expected).max() < 1e-5
    with pytest.raises(InputError, match="'day' was numeric in training"):
        result.model.predict(row.assign(day="soon"))


def test_a_column_that_is_not_there_is_named():
    for asked in ({"column_types": {"zipp": "categorical"}}, {"column_imputation": {"zipp": "zero"}}):
        settings = AutoMLSettings(target="spare", featurization="custom", **asked)
        with pytest.raises(InputError, match="no column 'zipp'"):
            prepare(table(), settings)


def test_words_are_weighed_as_scikit_learn_does():
    texts = pd.Series(load_sample("product_reviews").frame.select_dtypes("str").iloc[:300].sum(axis=1))
    features = TextFeatures("review", most=50).fit(as_words(texts).to_frame())
    reference = TfidfVectorizer(max_features=50, min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    expected = reference.fit_transform(texts).toarray()
    assert np.allclose(features.transform(as_words(texts).to_frame()), expected, atol=1e-6)
    assert list(features.get_feature_names_out()) == [f"review: {word}" for word in reference.get_feature_names_out()]


@pytest.mark.parametrize("texts", [["", " "], ["one two", "three"], ["?!", None]])
def test_texts_without_a_common_word_are_no_obstacle(texts):
    words = as_words(pd.Series(texts, dtype=object)).to_frame()
    assert np.isfinite(TextFeatures().fit(words).transform(words)).all()


@pytest.fixture(scope="module")
def reviews(run_search):
    """Free text beside a number that says nothing; the words alone tell the class."""
    random = np.random.default_rng(0)
    filler = ["the", "parcel", "came", "on", "monday", "box", "blue", "shop", "again", "it"]
    rows = 300
    good = random.random(rows) < 0.5
    telling = {True: ["great", "love"], False: ["awful", "broke"]}
    texts = [" ".join([*random.permutation(filler)[:7], random.choice(telling[bool(yes)])]) for yes in good]
    frame = pd.DataFrame({"text": texts, "n": random.normal(size=rows), "y": np.where(good, "good", "bad")})
    return run_search(frame, target="y", time_budget_s=None, max_trials=5, folds=3)


def test_text_is_used_in_auto_and_survives_saving(reviews, tmp_path):
    result = reviews.result
    assert result.features == ["text", "n"]
    assert result.test_metrics["roc_auc"].value > 0.95
    result.save(tmp_path)
    loaded = AutoMLResult.load(tmp_path).model
    rows = reviews.frame.head(50).assign(text=lambda frame: frame["text"].str.upper() + "!")
    assert np.array_equal(loaded.predict_proba(rows), result.model.predict_proba(reviews.frame.head(50)))


def test_text_is_exported_with_the_rest(reviews, tmp_path):
    actual = export_onnx(reviews.result.model, tmp_path / "m.onnx", train=reviews.frame, held_out=reviews.frame)
    assert all(part["largest_difference"] < 1e-5 for part in actual.parity.values())
    rows = reviews.frame.head(50).assign(text=lambda frame: frame["text"].str.upper() + "!")
    assert np.abs(TableScorer(actual.path).outputs(rows) - reviews.result.model.predict_proba(rows)).max() < 1e-5
