"""What is left out, what is held out, and what is said about it."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, SettingsError
from core.finetune.data import prepare


def checks(data):
    return {finding.check: finding for finding in data.findings}


def test_parts_are_disjoint_whole_and_stratified(reviews, settings_of):
    data = prepare(reviews, settings_of())
    parts = [data.train, data.validation, data.test]
    assert sorted(np.concatenate(parts)) == list(range(300))
    assert [len(part) for part in parts] == [210, 30, 60]
    shares = [data.y[part].mean() for part in parts]
    assert np.ptp(shares) < 0.05


def test_empty_texts_and_missing_labels_are_counted(reviews, settings_of):
    frame = reviews.copy()
    frame.loc[[3, 9], "text"] = ["", "  \n"]
    frame.loc[[4], "text"] = None
    frame.loc[[3, 5], "sentiment"] = None
    data = prepare(frame, settings_of())
    findings = checks(data)
    assert findings["empty_text"].values["rows"] == 3
    assert findings["missing_label"].values["rows"] == 1
    assert not {3, 4, 5, 9} & set(data.rows)
    assert len(data.texts) == 296


def test_rows_are_positions_whatever_the_index(reviews, settings_of):
    data = prepare(reviews.set_index(pd.Index(range(1000, 1300))), settings_of())
    assert data.texts[7] == reviews["text"].iloc[data.rows[7]]


def test_duplicates_across_the_split_are_a_leak(reviews, settings_of):
    frame = pd.concat([reviews, reviews.assign(text=reviews["text"].str.upper() + " ")], ignore_index=True)
    finding = checks(prepare(frame, settings_of()))["duplicates_across_split"]
    assert finding.level == "alert"
    assert finding.values["test"] > 50
    assert "duplicates_across_split" not in checks(prepare(reviews, settings_of()))


def test_class_of_one_row_stays_in_training(reviews, settings_of):
    frame = reviews.copy()
    frame.loc[17, "sentiment"] = "unheard of"
    data = prepare(frame, settings_of())
    assert 17 in data.rows[data.train]
    assert checks(data)["lonely_class"].values["classes"] == ["unheard of"]


def test_too_many_classes_are_refused(settings_of):
    frame = pd.DataFrame({"text": ["a b"] * 10_000, "sentiment": [f"label {i}" for i in range(10_000)]})
    with pytest.raises(InputError, match="10,000 classes"):
        prepare(frame, settings_of())


def test_garbled_texts_are_noted(reviews, settings_of):
    frame = reviews.copy()
    frame.loc[2, "text"] = "CafÃ© was goodâ€™s"
    assert checks(prepare(frame, settings_of()))["mixed_encodings"].values["rows"] == 1


@pytest.mark.parametrize(
    ("labels", "task", "names"),
    [
        ([True, False], "binary", ["False", "True"]),
        ([1.0, 2.0, 10.0], "multiclass", ["1", "2", "10"]),
        (["b", "a", "c"], "multiclass", ["a", "b", "c"]),
        ([0.5, 1.5, 2.25], "regression", None),
    ],
)
def test_labels_and_task_follow_from_the_column(labels, task, names, settings_of):
    n = 60
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(n)], "sentiment": (labels * n)[:n]})
    data = prepare(frame, settings_of())
    assert (data.task, data.labels) == (task, names)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text_column": "tekst"}, "Did you mean 'text'"),
        ({"text_column": "rating"}, "does not hold texts"),
        ({"sensitive_columns": ("age",)}, "no column 'age'"),
        ({"task": "regression"}, "not a number"),
    ],
)
def test_columns_that_do_not_fit_are_named(reviews, settings_of, values, said):
    with pytest.raises(InputError, match=said):
        prepare(reviews, settings_of(**values))


def test_one_label_is_refused(reviews, settings_of):
    with pytest.raises(InputError, match="only one value"):
        prepare(reviews.assign(sentiment="good"), settings_of())


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int16"])
def test_ids_of_many_classes_are_asked_about_and_never_guessed(dtype, settings_of):
    frame = pd.DataFrame({"text": [f"text {i}" for i in range(1_500)], "sentiment": np.arange(1_500) % 150})
    frame = frame.astype({"sentiment": dtype})
    with pytest.raises(SettingsError, match=r"'sentiment' holds 150 whole numbers: they may be the ids of classes"):
        prepare(frame, settings_of())
    classes = prepare(frame, settings_of(task="classification"))
    assert classes.labels == [str(number) for number in range(150)]
    assert prepare(frame, settings_of(task="regression")).labels is None


def test_numbers_that_cannot_be_ids_are_not_asked_about(settings_of):
    texts = [f"text {i}" for i in range(1_500)]
    for numbers in (np.arange(1_500), np.arange(1_500) % 150 + 0.5, np.arange(1_500) % 7):
        task = prepare(pd.DataFrame({"text": texts, "sentiment": numbers}), settings_of()).task
        assert task == ("multiclass" if numbers.max() == 6 else "regression")
