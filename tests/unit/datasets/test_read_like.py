"""Rows that are read like others: the same cells have the same values, whatever stands beside them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets import ReadOptions, ReadReport, Table, read_table

COLUMNS = {
    "flag": ["TRUE", "FALSE", "unknown"],
    "code": ["1.0", "2.0", "x"],
    "sum": ["1.500", "2,5", "12.000"],
    "exponent": ["1E5", "12", "7"],
    "word": ["None", "-", "a"],
    "country": ["NA", "US", "DE"],
    "answer": ["NA", "yes", "often"],
    "state": ["TX", "CA", "NY"],
    "day": ["13/02/2024", "03/04/2024", "01/02/2024"],
    "zip": ["00123", "99999", "12345"],
    "count": ["1", "2", "3"],
    "share": ["10.5%", "3%", "7.25%"],
    "time": ["2024-01-02 03:04", "2024-01-02", "2024-05-06 07:08:09"],
}


def written(folder: Path, frame: pd.DataFrame, **options: object) -> Table:
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / "t.csv", index=False)
    return read_table(folder / "t.csv", workdir=folder / "work", **options)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return written(tmp_path_factory.mktemp("training"), pd.concat([pd.DataFrame(COLUMNS)] * 20))


def test_the_types_of_the_training_table(training: Table) -> None:
    types = {"sum": "number", "day": "date", "count": "integer", "share": "number", "time": "timestamp"}
    assert training.report.types == {name: types.get(name, "text") for name in COLUMNS}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.integers(0, 59), min_size=1, max_size=5),
    columns=st.permutations(list(COLUMNS)).flatmap(
        lambda names: st.integers(1, len(names)).map(lambda count: names[:count])
    ),
)
def test_any_rows_and_columns_have_the_same_values(
    tmp_path: Path, training: Table, rows: list[int], columns: list[str]
) -> None:
    raw = pd.concat([pd.DataFrame(COLUMNS)] * 20, ignore_index=True)
    table = written(tmp_path, raw.loc[rows, columns], like=training)
    assert table.report.undecided == ()
    expected = training.frame.loc[rows, columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(table.frame[columns], expected, check_dtype=False)


def test_cells_that_have_no_such_value_are_missing_and_said_or_stay_text(tmp_path: Path, training: Table) -> None:
    frame = pd.DataFrame({"count": ["4", "many", "5.5"], "sum": ["2,5", "much", "1"], "other": ["1", "2", "3"]})
    table = written(tmp_path, frame, like=training.report.grammar())
    assert table.frame["count"].tolist() == ["4", "many", "5.5"], (
        "whoever scores them says more than that they are missing"
    )
    assert table.frame["sum"].isna().tolist() == [False, True, False]
    assert table.frame["sum"].iloc[0] == 2.5
    assert table.report.lost == {"sum": 1}
    assert table.report.types["other"] == "integer"


def test_what_was_chosen_for_a_table_holds_for_a_newer_file(tmp_path: Path) -> None:
    chosen = ReadOptions(date_order="mdy", missing_values=("", "unknown"), column_types={"size": "number"})
    older = written(
        tmp_path,
        pd.DataFrame({"day": ["01/02/2024", "03/04/2024"], "count": ["1", "unknown"], "size": ["1.5", "large"]}),
        options=chosen,
    )
    assert older.report.lost == {"size": 1}
    report = ReadReport.from_dict(older.report.to_dict())
    newer = pd.DataFrame(
        {
            "new": ["7", "8"],
            "size": ["2.5", "small"],
            "day": ["05/06/2024", "unknown"],
            "count": ["12345678901234567"] * 2,
        }
    )
    table = written(tmp_path / "newer", newer, like=report)
    expected = {"new": "integer", "size": "number", "day": "date", "count": "integer"}
    assert (table.report.types, table.report.undecided) == (expected, ())
    assert table.frame["day"].iloc[0] == pd.Timestamp("2024-05-06")
    assert table.frame["count"].tolist() == [12345678901234567] * 2
    assert table.report.lost == {"size": 1}, "as its cells without a number became missing before"
    given = table.report.given
    assert (given.date_order, given.missing_values) == ("mdy", ("", "unknown"))
    assert given.column_types == {"size": "number", "day": "date:%m/%d/%Y", "count": "integer"}
    again = written(tmp_path / "newer", newer, options=given)
    assert again.fingerprint == table.fingerprint, "what is stored with the dataset reads the file in the same way"


def test_a_choice_for_the_newer_file_comes_first(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": ["01/02/2024", "03/04/2024"]})
    older = written(tmp_path, frame, options=ReadOptions(date_order="mdy", missing_values=("?",)))
    table = written(tmp_path, frame, like=older, options=ReadOptions(column_types={"day": "date:%d/%m/%Y"}))
    assert table.frame["day"].iloc[0] == pd.Timestamp("2024-02-01")
    assert table.report.given.missing_values == ("?",)


BEFORE = [["NA", "US"], ["US", "DE"], ["NA", "Germany"], ["Germany", "often"]]
BESIDE = [["", ""], ["DE", "US"], ["Germany", "US"], ["other", ""], ["NULL", ""]]


@pytest.mark.parametrize("marker", ["NA", "N/A", "null", "nan", "?", "None", "-"])
def test_a_marker_means_what_it_meant_before(tmp_path: Path, marker: str) -> None:
    cases = {f"{before} {beside}": (before, beside) for before in BEFORE for beside in BESIDE}
    older = written(tmp_path, pd.DataFrame({name: before for name, (before, _) in cases.items()}))
    newer = pd.DataFrame({name: [marker, *beside] for name, (_, beside) in cases.items()})
    table = written(tmp_path / "newer", newer, like=ReadReport.from_dict(older.report.to_dict()))
    for name, (before, beside) in cases.items():
        codes = all(len(cell) == 2 for cell in before)
        undecided = "NA" not in before and set(beside) <= {"DE", "US", "NULL", ""}
        if marker in ("None", "-") or (marker == "NA" and (codes or undecided)):
            assert table.frame[name].iloc[0] == marker, name
        else:
            assert table.report.missing_markers[name][marker] == 1, name
    again = written(tmp_path / "newer", newer, options=table.report.given)
    assert again.fingerprint == table.fingerprint


def test_what_na_means_can_be_overruled(tmp_path: Path) -> None:
    codes, words = pd.DataFrame({"name": ["NA", "US"]}), pd.DataFrame({"name": ["NA", "Germany"]})
    value, missing = (ReadOptions(column_types={"name": f"text:NA is {meaning}"}) for meaning in ("a value", "missing"))
    assert written(tmp_path, codes).frame["name"].tolist() == ["NA", "US"]
    assert written(tmp_path, codes, options=missing).report.missing_markers == {"name": {"NA": 1}}
    assert written(tmp_path, words).report.missing_markers == {"name": {"NA": 1}}
    assert written(tmp_path, words, options=value).frame["name"].tolist() == ["NA", "Germany"]
    asked = ReadOptions(missing_values=("NA",))
    assert written(tmp_path, codes, options=asked).report.missing_markers == {"name": {"NA": 1}}, "NA was asked for"


@pytest.mark.parametrize(
    ("cells", "kind"), [(["4", "5.5"], "number"), (["4", "many"], "text"), (["4", "5"], "integer")]
)
def test_a_column_of_integers_may_have_other_numbers_later(tmp_path: Path, cells: list[str], kind: str) -> None:
    older = written(tmp_path, pd.DataFrame({"count": ["1", "2"]}))
    table = written(tmp_path, pd.DataFrame({"count": cells}), like=older)
    assert table.report.types == {"count": kind}
    assert list(map(str, table.frame["count"])) == list(map(str, map(float, cells) if kind == "number" else cells))
