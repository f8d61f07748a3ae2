"""Cells and columns that hold any number of labels, and how they are read."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MultiLabelBinarizer

from core.errors import InputError, SettingsError
from core.finetune import FineTuneSettings, known_label_sets, label_matrix, label_texts, likely_separator
from core.finetune.data import prepare
from core.finetune.label_sets import read_cells, read_columns

SETS = [["news"], ["sport", "news"], ["weather"], ["news", "weather"], ["sport"], ["sport", "weather", "news"]] * 3


def table(cells: list[object], name: str = "topics") -> pd.DataFrame:
    return pd.DataFrame({"text": [f"text number {row}" for row in range(len(cells))], name: cells})


def settings(**values: object) -> FineTuneSettings:
    return FineTuneSettings(**{"text_column": "text", "label_column": "topics", "task": "multilabel"} | values)


@pytest.mark.parametrize(
    ("write", "separator"),
    [
        (", ".join, ","),
        ("|".join, "|"),
        ("; ".join, ";"),
        ("\n".join, "\n"),
        (lambda labels: "[" + ", ".join(f'"{label}"' for label in labels) + "]", "lists"),
        (lambda labels: str(labels), "lists"),
        (list, "lists"),
        (lambda labels: np.array(labels, dtype=object), "lists"),
    ],
)
def test_each_way_to_write_labels_is_read(write, separator):
    cells = [write(labels) for labels in SETS]
    assert likely_separator(cells) == separator
    sets = read_cells(pd.Series(cells, name="topics"), None)
    binarizer = MultiLabelBinarizer()
    assert (sets.y == binarizer.fit_transform(SETS)).all()
    assert sets.names == binarizer.classes_.tolist()
    assert sets.separator == separator


@pytest.mark.parametrize(
    "cells",
    [
        ["Paris, France", "Rome, Italy", "Oslo, Norway"],
        ["good", "bad", "good"],
        ["1,5", "2,5", "3,5", "4,5"],
        ["[unclosed", "[also"],
        [],
        [1, 2, 3],
    ],
)
def test_signs_that_belong_to_labels_are_not_taken_for_separators(cells):
    assert likely_separator(cells) is None


def test_the_separator_that_leaves_fewest_labels_wins():
    cells = ["a, b|c, d", "c, d", "a, b", "a, b|c, d|e, f", "e, f|a, b", "e, f"]
    assert likely_separator(cells) == "|"
    assert read_cells(pd.Series(cells, name="topics"), None).names == ["a, b", "c, d", "e, f"]
    assert read_cells(pd.Series(cells, name="topics"), ",").names != ["a, b", "c, d", "e, f"]


def test_whole_numbers_are_sorted_by_size_and_blanks_and_repetitions_do_not_count():
    sets = read_cells(pd.Series(["10, 2 ,2,", " 2", ",", "[]"], name="ids"), ",")
    assert sets.names == ["2", "10", "[]"]
    assert sets.y.tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert read_cells(pd.Series(["[1, 2]", "[]", "[2]"], name="ids"), None).y.tolist() == [[1, 1], [0, 0], [0, 1]]


def test_columns_of_yes_and_no():
    frame = pd.DataFrame({"a": [0, 1, 1], "b": [True, False, True], "c": ["Yes", "no", "NO"], "d": [1.0, 0.0, 1.0]})
    assert read_columns(frame).y.tolist() == [[0, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 1]]
    with pytest.raises(InputError, match=r"'a' holds '2', which is neither yes nor no"):
        read_columns(pd.DataFrame({"a": [0, 2], "b": [0, 1]}))


def test_what_cannot_be_read_is_named():
    assert read_cells(pd.Series(["a|b", "c"], name="topics"), None).names == ["a", "b", "c"]  # it was asked for
    with pytest.raises(InputError, match="No sign separates labels in 'topics'") as caught:
        read_cells(pd.Series(["a", "b", "c"], name="topics"), None)
    assert "label_separator" in caught.value.hint
    with pytest.raises(InputError, match="'nothing' in 'topics' is not a list"):
        read_cells(pd.Series(['["a", "b"]', "nothing"], name="topics"), "lists")
    with pytest.raises(InputError, match="holds a semicolon"):
        read_cells(pd.Series(["a;b|c", "c"], name="topics"), "|")


@given(st.lists(st.lists(st.sampled_from(["a", "b c", "d, e", "10"]), unique=True), min_size=1))
def test_labels_written_as_one_text_are_read_again(sets):
    names = ["a", "b c", "d, e", "10"]
    y = np.array([[name in labels for name in names] for labels in sets], dtype=np.int8)
    assert (label_matrix(names, label_texts(names, y)) == y).all()


def test_rows_of_a_later_file_are_known_by_their_labels():
    cells = pd.Series(['["a", "b"]', "a|b", "a", None, "c", "b|c", ""], name="topics")
    y, known = known_label_sets(cells, ["a", "b"], None)
    assert known.tolist() == [False, True, True, False, False, False, True]
    assert y[known].tolist() == [[1, 1], [1, 0], [0, 0]]
    assert known_label_sets(cells, ["a", "b"], "lists")[1].tolist() == [True, *[False] * 6]


def test_a_column_that_may_hold_several_labels_says_so_when_it_is_read_as_classes():
    data = prepare(table([", ".join(labels) for labels in SETS]), settings(task="auto"))
    finding = next(item for item in data.findings if item.check == "several_labels")
    assert finding.values == {"separator": ","}
    assert data.task == "multiclass"


def test_how_labels_were_read_is_said():
    cells = [", ".join(labels) for labels in SETS] + ["weather,rare", None]
    data = prepare(table(cells), settings(label_separator=","))
    assert (data.task, data.labels) == ("multilabel", ["news", "rare", "sport", "weather"])
    assert data.y.shape == (19, 4)
    said = {item.check: item.message for item in data.findings}
    assert said["labels_read"].startswith("4 labels, separated by ',': 1.68 per text, at most 3; 0 texts have none")
    assert said["rare_label"].startswith("1 of 4 labels are those of fewer than 8 texts (rare)")
    assert said["missing_label"] == "1 of 20 rows have no 'topics' and are left out."


def test_each_part_of_the_split_has_the_rare_label():
    random = np.random.default_rng(0)
    cells = [
        "often" + (",seldom" if row % 10 == 0 else "") + (",other" if random.random() < 0.5 else "")
        for row in range(400)
    ]
    cells[5] = "other"
    data = prepare(table(cells), settings())
    seldom = data.labels.index("seldom")
    counts = [int(data.y[rows][:, seldom].sum()) for rows in (data.train, data.validation, data.test)]
    assert counts == [28, 4, 8]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["a,b", "a,c", "a", "a,b"] * 5, "'a' is the same for all 20 texts"),
        ([f"l{row},l{row + 1}" for row in range(250)], "has 251 labels; the maximum is 200"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(cells, said):
    with pytest.raises(InputError, match=said):
        prepare(table(cells), settings(label_separator=","))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"label_columns": ("a", "b"), "task": "classification"}, "for a multilabel task"),
        ({"label_columns": ("a",)}, "at least two different columns"),
        ({"label_columns": ("a", "a")}, "at least two different columns"),
        ({"label_columns": ("a", "text")}, "'text' cannot be the text and the label"),
        ({"label_separator": ",", "task": "auto"}, "for a multilabel task whose labels are in one column"),
        ({"second_text_column": "text"}, "cannot be both texts of a pair"),
        ({"second_text_column": "topics"}, "'topics' cannot be the text and the label"),
        ({"metric_for_best_model": "accuracy"}, "does not fit multilabel"),
    ],
)
def test_settings_that_do_not_fit_are_refused(values, said):
    with pytest.raises(SettingsError, match=said):
        settings(**values)
