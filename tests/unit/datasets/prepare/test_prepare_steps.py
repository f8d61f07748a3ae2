"""Steps do to a table what pandas does, and their effects count what changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.datasets import load_frame
from core.datasets.prepare import STEPS, Prepared, Recipe, Replay, StepError, apply_recipe
from core.errors import SettingsError

TABLE = pd.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 6],
        "city": ["Bern", "bern", None, "Basel", "Bern ", "Basel"],
        "fee": ["$1,200.50", "$80", "n/a", "$3", None, "$3"],
        "age": [31.0, np.nan, 44.0, 28.0, 60.0, 28.0],
        "count": [1, 2, 3, 4, 5, 4],
        "since": ["31.01.2024", "28.02.2024", "01.03.2024", None, "15.04.2024", "x"],
        "day": pd.to_datetime(["2024-01-31", "2024-02-28", None, "2024-03-03", "2024-04-15", "2024-03-03"]),
        "pair": ["a-b-c", "a", None, "a-b", "-", "a-b"],
        "flag": [True, False, True, True, False, True],
    }
)


def prepared(*steps: dict, frame: pd.DataFrame = TABLE, **tables: pd.DataFrame) -> Prepared:
    return apply_recipe(frame, Recipe(steps), tables=tables)


def column(*steps: dict, name: str) -> list:
    values = prepared(*steps).frame[name]
    return [None if pd.isna(value) else value for value in values]


def test_a_table_without_steps_is_the_same() -> None:
    pd.testing.assert_frame_equal(prepared().frame, TABLE, check_dtype=False)


def test_text_becomes_numbers_and_what_is_none_is_counted() -> None:
    result = prepared({"step": "change_type", "column": "fee", "type": "number"})
    assert result.frame["fee"].tolist()[:2] == [1200.5, 80.0]
    assert result.frame["fee"].isna().sum() == 2
    (effect,) = result.effects
    assert effect.changed == {"fee": 5}
    assert effect.lost == {"fee": 1}
    assert result.fitted.steps[0].to_dict()["type"] == "number:1,234.5"


def test_dates_are_read_in_their_format() -> None:
    result = prepared({"step": "change_type", "column": "since", "type": "date"})
    expected = pd.to_datetime(TABLE["since"], format="%d.%m.%Y", errors="coerce")
    assert result.frame["since"].tolist()[:2] == expected.tolist()[:2]
    assert result.effects[0].lost == {"since": 1}


@pytest.mark.parametrize(
    ("name", "type", "expected"),
    [
        ("count", "text", ["1", "2", "3", "4", "5", "4"]),
        ("age", "text", ["31", None, "44", "28", "60", "28"]),
        ("age", "integer", [31, None, 44, 28, 60, 28]),
        ("flag", "integer", [1, 0, 1, 1, 0, 1]),
        ("count", "boolean", [True, None, None, None, None, None]),
        ("day", "date", [*pd.to_datetime(["2024-01-31", "2024-02-28"])]),
    ],
)
def test_typed_columns_change_type(name: str, type: str, expected: list) -> None:
    values = column({"step": "change_type", "column": name, "type": type}, name=name)
    assert values[: len(expected)] == expected


def test_a_type_without_sense_is_refused() -> None:
    with pytest.raises(StepError, match=r"Step 1 \(Read 'flag' as date\): 'flag' is of the type boolean"):
        prepared({"step": "change_type", "column": "flag", "type": "date"})


def test_names_and_columns() -> None:
    result = prepared(
        {"step": "rename", "column": "fee", "to": "Monthly fee"},
        {"step": "drop", "columns": ["id", "flag"]},
        {"step": "rename", "column": "city", "to": "CITY"},
    )
    assert list(result.frame) == ["CITY", "Monthly fee", "age", "count", "since", "day", "pair"]
    assert [effect.summary for effect in result.effects] == ["renames 'fee'", "removes 2 columns", "renames 'city'"]
    with pytest.raises(StepError, match="There is a column 'age' already"):
        prepared({"step": "rename", "column": "fee", "to": "AGE"})


def test_spellings_are_merged() -> None:
    result = prepared({"step": "merge", "column": "city", "values": {"bern": "Bern", "Bern ": "Bern"}})
    assert result.frame["city"].value_counts().to_dict() == {"Bern": 3, "Basel": 2}
    assert result.effects[0].summary == "changes 2 cells"


def test_values_are_replaced() -> None:
    assert column({"step": "replace", "column": "age", "find": "28"}, name="age") == [31, None, 44, None, 60, None]
    assert column({"step": "replace", "column": "pair", "find": "-", "replacement": "+", "part": True}, name="pair")[
        0
    ] == ("a+b+c")
    with pytest.raises(StepError, match="'x' is not a value of 'age', which is of the type number"):
        prepared({"step": "replace", "column": "age", "find": "x"})
    with pytest.raises(StepError, match=r"'1\.5' is not a value of 'count'"):
        prepared({"step": "replace", "column": "count", "find": "1.5"})


@pytest.mark.parametrize(
    ("how", "expected"),
    [("mean", TABLE["age"].mean()), ("median", TABLE["age"].median()), ("most_frequent", TABLE["age"].mode()[0])],
)
def test_missing_cells_are_filled(how: str, expected: float) -> None:
    result = prepared({"step": "fill", "column": "age", "how": how})
    assert result.frame["age"][1] == pytest.approx(expected)
    assert result.effects[0].changed == {"age": 1}
    again = apply_recipe(TABLE.iloc[1:2], result.fitted)
    assert again.frame["age"].tolist() == [pytest.approx(expected)]


def test_a_column_is_split() -> None:
    result = prepared({"step": "split", "column": "pair", "separator": "-", "into": ["first", "rest"]})
    assert result.frame["first"].tolist()[:2] == ["a", "a"]
    assert result.frame["rest"].tolist()[0] == "b-c"
    assert result.frame["rest"].isna().tolist() == [False, True, True, False, True, False]
    assert "pair" not in result.frame
    assert list(result.frame)[-3:] == ["first", "rest", "flag"]


def test_rows_are_filtered_as_pandas_does() -> None:
    result = prepared({"step": "filter", "condition": 'age < 50 and city != "Basel"'})
    expected = TABLE.query('age < 50 and city != "Basel"')
    assert result.frame["id"].tolist() == expected[expected["city"].notna()]["id"].tolist()
    assert "2 of the removed rows" in result.effects[0].notes[0]
    with pytest.raises(StepError, match="No row fulfills the condition"):
        prepared({"step": "filter", "condition": "age > 100"})


def test_copies_are_removed_and_the_first_is_kept() -> None:
    rows = pd.concat([TABLE, TABLE.iloc[[1, 3]], TABLE.iloc[[2]]], ignore_index=True)
    assert prepared({"step": "remove_duplicates"}, frame=rows).frame["id"].tolist() == [1, 2, 3, 4, 5, 6]
    result = prepared({"step": "remove_duplicates", "columns": ["city"]}, frame=rows)
    assert result.frame["id"].tolist() == rows.drop_duplicates("city")["id"].tolist()
    assert result.effects[0].summary == "removes 4 rows"


def test_a_sample_keeps_the_order_and_repeats() -> None:
    rows = pd.DataFrame({"n": np.arange(1_000)})
    draws = [prepared({"step": "sample", "rows": 100, "seed": seed}, frame=rows).frame["n"] for seed in (0, 0, 1)]
    assert draws[0].tolist() == draws[1].tolist() == sorted(draws[0])
    assert len(set(draws[0])) == 100
    assert draws[0].tolist() != draws[2].tolist()
    assert abs(draws[0].mean() - 499.5) < 4 * 288.7 / 10  # four standard errors


def test_columns_are_derived() -> None:
    result = prepared(
        {"step": "derive", "column": "double", "expression": "age * 2 + `count`"},
        {"step": "derive", "column": "month", "expression": "month(day)"},
        {"step": "derive", "column": "age", "expression": "1 / (age - 28)"},
    )
    frame = result.frame
    np.testing.assert_allclose(frame["double"], TABLE["age"] * 2 + TABLE["count"])
    assert frame["month"].tolist()[:2] == [1, 2]
    assert frame["age"].isna().sum() == 3  # missing, and twice a division by zero
    assert result.effects[2].lost == {"age": 2}


def test_join_adds_columns_and_never_multiplies_rows_unasked() -> None:
    cities = pd.DataFrame({"name": ["Basel", "Bern", "Genf"], "people": [178, 134, 203]})
    step = {"step": "join", "dataset": "d", "keys": {"city": "name"}}
    result = prepared(step, d=cities)
    expected = TABLE.merge(cities, how="left", left_on="city", right_on="name")
    np.testing.assert_array_equal(result.frame["people"], expected["people"])
    assert result.frame["id"].tolist() == TABLE["id"].tolist()
    assert result.effects[0].notes == ("3 of 6 rows have no match in the other dataset.",)
    inner = prepared({**step, "kind": "inner"}, d=cities)
    assert inner.frame["id"].tolist() == [1, 4, 6]

    twice = pd.concat([cities, pd.DataFrame({"name": ["Bern"], "people": [1]})])
    with pytest.raises(StepError, match="1 keys are in several rows"):
        prepared(step, d=twice)
    assert prepared({**step, "repeated": "first"}, d=twice).frame["people"].tolist()[0] == 134
    many = prepared({**step, "repeated": "all"}, d=twice)
    assert many.frame["id"].tolist() == [1, 1, 2, 3, 4, 5, 6]
    assert many.frame["people"].tolist()[:2] == [134, 1]
    assert "6 rows became 7" in many.effects[0].notes[1]


def test_rows_of_another_dataset_are_appended() -> None:
    newer = pd.DataFrame({"id": [7], "count": [2.5], "flag": [False], "extra": ["x"]})
    result = prepared({"step": "append", "dataset": "d"}, d=newer)
    assert result.frame["id"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert result.frame["count"].tolist()[-1] == 2.5
    assert pd.isna(result.frame["city"].tolist()[-1])
    assert result.effects[0].summary == "adds 1 row"
    assert [note.split(":")[0] for note in result.effects[0].notes] == [
        "The other dataset lacks 'city', 'fee', 'age', 'since', 'day'",
        "Only the other dataset has 'extra'",
    ]
    with pytest.raises(StepError, match="'flag' is of the type boolean here, and of the type text"):
        prepared({"step": "append", "dataset": "d"}, d=newer.assign(flag=["yes"]))
    with pytest.raises(StepError, match="There is no dataset 'gone'"):
        prepared({"step": "append", "dataset": "gone"})


def test_one_row_at_a_time_gives_what_all_rows_gave() -> None:
    steps = [
        {"step": "change_type", "column": "fee", "type": "number"},
        {"step": "change_type", "column": "since", "type": "date"},
        {"step": "merge", "column": "city", "values": {"bern": "Bern"}},
        {"step": "fill", "column": "age", "how": "mean"},
        {"step": "split", "column": "pair", "separator": "-", "into": ["one", "two"]},
        {"step": "derive", "column": "kind", "expression": 'if_else(age > 40, "old", bins(age, [30]))'},
    ]
    whole = prepared(*steps)
    parts = [apply_recipe(TABLE.iloc[[row]].astype(TABLE.dtypes), whole.fitted).frame for row in (5, 3, 1, 0)]
    single = pd.concat(parts).sort_values("id")
    expected = whole.frame.iloc[[0, 1, 3, 5]]
    for name in expected:
        assert single[name].astype("string").tolist() == expected[name].astype("string").tolist(), name


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("number", ["1.5", "2.5", "1,5", "1 234", "$5", "007", "?", "1.234"]),
        ("number", ["1.234,5", "2,5", "2.5", "1.234", "x"]),
        ("date", ["2024-01-02", "2024-02-03", "03/04/2024", "3.4.24"]),
        ("date", ["31/01/2024", "02/03/2024", "2024-05-06", "12/31/2024"]),
        ("timestamp", ["2024-01-02 10:00", "2024-01-02T10:00:00Z", "03/04/2024 10:00"]),
        ("boolean", ["true", "FALSE", "yes", "1"]),
        ("integer", ["1", "2", "1,000", "3.0"]),
    ],
)
def test_a_fitted_type_reads_each_cell_as_in_the_whole_table(kind: str, cells: list[str]) -> None:
    frame = pd.DataFrame({"x": cells * 3})
    whole = apply_recipe(frame, Recipe([{"step": "change_type", "column": "x", "type": kind}]))
    replay = Replay(whole.fitted, {"x": "VARCHAR"})
    for row, cell in enumerate(cells):
        alone = replay.apply(pd.DataFrame({"x": [cell]})).frame["x"].iloc[0]
        assert pd.isna(alone) if pd.isna(whole.frame["x"].iloc[row]) else alone == whole.frame["x"].iloc[row], cell


def test_rows_that_were_prepared_already_stay_as_they_are() -> None:
    steps = [
        {"step": "split", "column": "pair", "separator": "-", "into": ["first", "second"], "keep": True},
        {"step": "derive", "column": "twice", "expression": "n * 2"},
        {"step": "rename", "column": "old", "to": "new"},
    ]
    frame = pd.DataFrame({"pair": ["a-b", "c"], "n": [1.0, 2.0], "old": ["x", "y"]})
    prepared = apply_recipe(frame, Recipe(steps))
    replay = Replay(prepared.fitted, {"pair": "VARCHAR", "n": "DOUBLE", "old": "VARCHAR"})
    for rows in (frame, prepared.frame, prepared.frame.assign(old=frame["old"])):
        done = replay.apply(rows).frame
        assert done[["first", "second", "twice", "new"]].equals(prepared.frame[["first", "second", "twice", "new"]])


def test_odd_names_are_columns_like_others() -> None:
    names = ['a "quoted" one', "row", "file_row_number", "step_1", "Zürich; DROP TABLE x", "c0"]
    frame = pd.DataFrame({name: [2, 1, 2] for name in names})
    result = prepared(
        {"step": "derive", "column": "sum", "expression": " + ".join(f"`{name}`" for name in names)},
        {"step": "remove_duplicates"},
        {"step": "change_type", "column": "c0", "type": "text"},
        {"step": "change_type", "column": "c0", "type": "number"},
        frame=frame,
    )
    assert result.frame["sum"].tolist() == [12, 6]
    assert list(result.frame) == [*names, "sum"]


def test_every_kind_of_step_is_described_and_kept_in_yaml() -> None:
    examples = [
        {"step": "change_type", "column": "a", "type": "number:1.234,5"},
        {"step": "rename", "column": "a", "to": "b: c"},
        {"step": "drop", "columns": ["a"]},
        {"step": "merge", "column": "a", "values": {"No": "no", "yes ": "yes"}},
        {"step": "replace", "column": "a", "find": "é"},
        {"step": "fill", "column": "a", "how": "median"},
        {"step": "split", "column": "a", "separator": ", ", "into": ["b", "c"]},
        {"step": "derive", "column": "a", "expression": "b > 1"},
        {"step": "filter", "condition": "a == 'x'"},
        {"step": "remove_duplicates"},
        {"step": "sample", "rows": 10},
        {"step": "join", "dataset": "ab", "keys": {"a": "b"}},
        {"step": "append", "dataset": "ab"},
    ]
    recipe = Recipe(examples)
    assert [step.name for step in recipe.steps] == list(STEPS)
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert [step.to_dict() for step in recipe.steps] == examples
    assert all(step.describe() and step.title and step.help for step in recipe.steps)
    assert [step.name for step in recipe.row_wise().steps] == list(STEPS)[:8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("- 1", "not a recipe"),
        ("recipe: 2\nsteps: []", "version 2"),
        ("recipe: 1\nsteps: []\nrun: rm", "no 'run'"),
        ("recipe: 1\nsteps:\n- step: drp", "Step 1: Unknown step 'drp'"),
        ("recipe: 1\nsteps:\n- step: drop", "Step 1: columns: Field required"),
        ("recipe: 1\nsteps:\n- {step: drop, columns: [a], all: yes}", "Step 1: all: Extra inputs"),
        ("recipe: 1\nsteps: [&a [x], *a]", "alias"),
        ("recipe: 1\nsteps: [!!python/object/apply:os.system [ls]]", "not YAML"),
        ("[" * 5_000, "deeply nested"),
    ],
)
def test_a_recipe_that_is_none_says_why(text: str, message: str) -> None:
    with pytest.raises(Exception, match=message) as error:
        Recipe.from_yaml(text)
    assert isinstance(error.value, SettingsError) or hasattr(error.value, "hint")


def test_the_result_is_stored_as_tables_are() -> None:
    result = prepared({"step": "drop", "columns": ["id"]})
    pd.testing.assert_frame_equal(load_frame(result.path), result.frame)
