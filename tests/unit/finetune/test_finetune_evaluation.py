"""Figures against scikit-learn, rows in their order, and what is stored."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from core.errors import InputError, StorageError
from core.finetune import FineTuneResult, encode_texts, load_text_model, text_model_outputs


def test_test_metrics_are_scikit_learns(plain):
    result, test = plain.result, plain.result.test
    y = test["sentiment"]
    probability = test[["p(negative)", "p(positive)"]].to_numpy()
    expected = {
        "accuracy": sk.accuracy_score(y, test["prediction"]),
        "f1_macro": sk.f1_score(y, test["prediction"], average="macro"),
        "f1_weighted": sk.f1_score(y, test["prediction"], average="weighted"),
        "log_loss": sk.log_loss(y, probability, labels=["negative", "positive"]),
    }
    assert {name: estimate.value for name, estimate in result.test_metrics.items()} == pytest.approx(expected)
    for estimate in result.test_metrics.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.n == 60
    assert result.confusion == sk.confusion_matrix(y, test["prediction"]).tolist()


def test_metrics_of_a_number_are_scikit_learns(number):
    test = number.result.test
    metrics = {name: item.value for name, item in number.result.test_metrics.items()}
    assert metrics["r2"] == pytest.approx(sk.r2_score(test["rating"], test["prediction"]))
    assert metrics["mae"] == pytest.approx(sk.mean_absolute_error(test["rating"], test["prediction"]))
    assert number.result.per_class == []
    assert number.result.confusion is None


def test_classes_are_scikit_learns_report(plain):
    test = plain.result.test
    report = sk.classification_report(test["sentiment"], test["prediction"], output_dict=True, zero_division=0.0)
    for row in plain.result.per_class:
        own = report[row["label"]]
        assert row["precision"] == pytest.approx(own["precision"])
        assert row["recall"] == pytest.approx(own["recall"])
        assert row["f1"] == pytest.approx(own["f1-score"])
        assert row["support"] == own["support"]


def test_predictions_belong_to_their_rows(plain):
    """Batches of like lengths must not reorder what is joined to the table by position."""
    for table in (plain.result.test, plain.result.validation):
        rows = plain.frame.iloc[table["row_id"]]
        assert table["sentiment"].tolist() == rows["sentiment"].tolist()
        assert table["group"].tolist() == rows["group"].tolist()
        one_by_one = pd.concat([plain.result.predict([text]) for text in rows["text"]], ignore_index=True)
        assert table["prediction"].tolist() == one_by_one["label"].tolist()
        assert np.allclose(table["p(positive)"], one_by_one["p(positive)"], atol=1e-6)


def test_outputs_keep_the_order_of_texts_of_all_lengths(plain):
    model, tokenizer = load_text_model(plain.result.model_dir)
    texts = ["word " * n for n in (9, 1, 30, 3, 17, 2)]
    encoded = encode_texts(tokenizer, texts, 48)
    together = text_model_outputs(model, tokenizer, encoded, 2)
    alone = np.vstack([text_model_outputs(model, tokenizer, [item], 1) for item in encoded])
    assert np.allclose(together, alone, atol=1e-6)
    assert together.sum(axis=1) == pytest.approx(1.0)


def test_evaluation_while_training_agrees_with_the_end(plain):
    best = max(line["accuracy"] for line in plain.result.history if "accuracy" in line)
    validation = plain.result.validation
    assert (validation["prediction"] == validation["sentiment"]).mean() == pytest.approx(best)


def test_baselines_are_compared_on_the_same_rows(plain):
    result = plain.result
    assert list(result.baseline_metrics) == ["majority", "tfidf"]
    for name, gain in result.differences.items():
        own = result.test_metrics["accuracy"].value - result.baseline_metrics[name]["accuracy"].value
        assert gain.value == pytest.approx(own)
        assert gain.low <= gain.value <= gain.high
    train = plain.frame["sentiment"].drop(index=[*result.test["row_id"], *result.validation["row_id"]])
    expected = (result.test["sentiment"] == train.mode()[0]).mean()
    assert result.baseline_metrics["majority"]["accuracy"].value == pytest.approx(expected)
    assert result.baseline_metrics["tfidf"]["accuracy"].value > 0.5
    assert "guessing" in result.verdict
    assert "TF-IDF with logistic regression" in result.verdict


def test_errors_are_the_most_confident_first(plain):
    errors, test = plain.result.errors, plain.result.test
    assert errors.columns.tolist() == ["row_id", "text", "label", "predicted", "confidence"]
    assert len(errors) == (test["prediction"] != test["sentiment"]).sum()
    assert errors["confidence"].is_monotonic_decreasing
    assert (errors["label"] != errors["predicted"]).all()
    assert errors["text"].tolist() == plain.frame["text"].iloc[errors["row_id"]].tolist()


def test_errors_of_a_number_are_the_largest_first(number):
    errors = number.result.errors
    assert (errors["label"] - errors["predicted"]).abs().is_monotonic_decreasing
    assert errors["confidence"].isna().all()


def test_predict_takes_any_texts(plain):
    predictions = plain.result.predict(["good", "", "x" * 5_000])
    assert predictions.columns.tolist() == ["label", "p(negative)", "p(positive)"]
    assert len(plain.result.predict([])) == 0
    with pytest.raises(InputError, match="is not a text"):
        plain.result.predict(["good", None])


def test_attribution_is_what_a_word_takes_with_it(plain):
    text = "this works very well , not bad"
    weights = plain.result.attribution(text, "positive")
    assert weights["token"].tolist() == text.split()
    full = plain.result.predict([text])["p(positive)"][0]
    without = plain.result.predict(["this works very , not bad".replace("very ,", "very  ,")])["p(positive)"][0]
    assert weights["weight"][3] == pytest.approx(full - without, abs=1e-6)
    other = plain.result.attribution(text, "negative")
    assert np.allclose(weights["weight"], -other["weight"], atol=1e-6)
    with pytest.raises(InputError, match="Unknown label 'neutral'"):
        plain.result.attribution(text, "neutral")


def test_no_test_no_verdict(train):
    result = train(epochs=1, test_fraction=0.0).result
    assert result.test_metrics == {}
    assert result.verdict.startswith("No verdict")
    assert len(result.test) == 0
    json.dumps(result.to_dict(), allow_nan=False)


def test_saved_is_what_is_loaded(plain, tmp_path):
    plain.result.save(tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"result.json", "train.py", "test.parquet", "validation.parquet", "errors.parquet"} <= names
    assert {"model/model.safetensors", "model/config.json", "model/tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    loaded = FineTuneResult.load(tmp_path)
    assert loaded.to_dict() == plain.result.to_dict()
    assert loaded.test.equals(plain.result.test)
    texts = plain.frame["text"].head(20).tolist()
    assert np.allclose(loaded.predict(texts)["p(positive)"], plain.result.predict(texts)["p(positive)"])
    assert loaded.settings == plain.result.settings
    assert math.isfinite(loaded.samples_a_second)


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(StorageError, match="not hold a saved result"):
        FineTuneResult.load(tmp_path)


def test_the_config_names_the_labels(plain):
    config = json.loads((plain.result.model_dir / "config.json").read_text())
    assert config["id2label"] == {"0": "negative", "1": "positive"}
