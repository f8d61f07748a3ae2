"""What somebody said a column is, counts; and free text becomes the weights of its words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from core.automl import AutoMLResult, AutoMLSettings
from core.automl._features import TableEncoder
from core.automl._prepare import prepare
from core.automl._text import TextFeatures, as_words
from core.datasets import load_sample
from core.edge import TableScorer, export_onnx
from core.errors import InputError


def table():
    return pd.DataFrame({
        "zip": [1001, 1002, 1001, 1003] * 20,
        "size": [1.0, None, 3.0, 5.0] * 20,
        "when": ["2024-01-05", "2023-06-01", None, "2022-12-31"] * 20,
        "note": ["good value", "bad", "good", "not good"] * 20,
        "spare": [1, 2, 3, 4] * 20,
    })  # fmt: skip


def kinds(**wanted):
    return {item.name: item.kind for item in TableEncoder(column_types=wanted).fit(table()).plan_}


def test_named_types_count_and_others_are_decided_as_always():
    found = kinds(zip="categorical", when="date", note="text", spare="ignore")
    assert found == {"zip": "category", "size": "number", "when": "date", "note": "text", "spare": "left out"}
    assert kinds()["zip"] == "number"


def test_a_number_as_a_category_is_the_same_category_when_cells_are_missing():
    """A column of whole numbers becomes one of fractions as soon as a cell is missing."""
    encoder = TableEncoder(column_types={"zip": "categorical"}).fit(table())
    other = table().astype({"zip": float})
    other.loc[0, "zip"] = None
    names = list(encoder.get_feature_names_out())
    found = pd.DataFrame(encoder.transform(other), columns=names)
    assert found.loc[2, "zip_1001"] == 1
    assert found.loc[0, [name for name in names if name.startswith("zip_")]].sum() == 0


def test_a_date_as_text_has_its_parts():
    encoder = TableEncoder(column_types={"when": "date"}).fit(table())
    found = pd.DataFrame(encoder.transform(table()), columns=encoder.get_feature_names_out())
    assert found.loc[0, "when: month"] == 1
    assert found.loc[3, "when: year"] == 2022


@pytest.mark.parametrize(("how", "value"), [("median", 3.0), ("mean", 3.0), ("zero", 0.0), ("most_frequent", 1.0)])
def test_imputation_is_the_one_asked_for(how, value):
    encoder = TableEncoder(imputation=how).fit(table())
    found = pd.DataFrame(encoder.transform(table()), columns=encoder.get_feature_names_out())
    assert found.loc[1, "size"] == value
    assert found.loc[1, "missingindicator_size"] == 1


def test_what_is_no_number_is_said():
    with pytest.raises(InputError, match="'note' was a number"):
        TableEncoder(column_types={"note": "numeric"}).fit(table())


def test_a_column_that_is_not_there_is_named():
    settings = AutoMLSettings(target="spare", featurization="custom", column_types={"zipp": "categorical"})
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
    found = export_onnx(reviews.result.model, tmp_path / "m.onnx", train=reviews.frame, held_out=reviews.frame)
    assert all(part["largest_difference"] < 1e-5 for part in found.parity.values())
    rows = reviews.frame.head(50).assign(text=lambda frame: frame["text"].str.upper() + "!")
    assert np.abs(TableScorer(found.path).outputs(rows) - reviews.result.model.predict_proba(rows)).max() < 1e-5
