"""Numbers and dates as people write them: what is decided, what stays open, and what is said of both."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from core.datasets import ReadOptions, Table, read_table


def read(folder: Path, columns: dict[str, list[str]], delimiter: str = ";", **options: object) -> Table:
    """Read a table of these columns; every cell is quoted."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    text = "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return read_table(folder / "t.csv", workdir=folder / "work", options=ReadOptions(**options))


def column(folder: Path, values: list[str], delimiter: str = ";", **options: object) -> Table:
    """Read a column ``v`` beside one of text."""
    return read(folder, {"v": values, "w": ["word"] * len(values)}, delimiter, **options)


@pytest.mark.parametrize(
    ("values", "expected", "said"),
    [
        (["$1,100.50", "$3.25"], [1100.5, 3.25], "'$' was removed"),
        (["1.100,50 €", "3,25 €"], [1100.5, 3.25], "'€' was removed"),
        (["£12", "£1,250.50"], [12, 1250.5], "'£'"),
        (["US$5.50", "US$6.25"], [5.5, 6.25], "'US$'"),
        (["EUR 12.50", "EUR 3.25"], [12.5, 3.25], "'EUR'"),
        (["12,50 CHF", "1'100,25 CHF"], [12.5, 1100.25], "'CHF'"),
        (["10.5%", "11%"], [10.5, 11], "'%'"),
        (["10,5 %", "11,25 %"], [10.5, 11.25], "'%'"),
        (["12 km", "3.5 km"], [12, 3.5], "'km'"),
        (["12kg", "3kg"], [12, 3], "'kg'"),
        (["20.5 °C", "-3.5 °C"], [20.5, -3.5], "'°C'"),
        (["5 m²", "6 m²"], [5, 6], "'m²'"),
        (["1.2k", "900", "3.5M"], [1200, 900, 3_500_000], ""),
        (["$1.2bn", "$900M"], [1.2e9, 9e8], "'$'"),
        (["1 100,5", "2 200,25"], [1100.5, 2200.25], "decimal commas"),
        (["1\u00a0100.5", "2\u202f200.25"], [1100.5, 2200.25], "thousands blanks"),
        (["1'100.5", "2'200"], [1100.5, 2200], "thousands apostrophes"),
        (["1’100.5", "2’200"], [1100.5, 2200], ""),
        (["1,23,100.5", "12,34,567.25"], [123100.5, 1234567.25], "thousands commas"),
        (["(100)", "20.5"], [-100, 20.5], ""),
        (["($1,200.50)", "$20"], [-1200.5, 20], "'$'"),
        (["100-", "20.5"], [-100, 20.5], ""),
        (["\u22125.5", "3"], [-5.5, 3], ""),
        (["-$5.50", "$-3", "$2"], [-5.5, -3, 2], "'$'"),
        (["0,123", "0,456"], [0.123, 0.456], "decimal commas"),
        (["1.234.567", "2.345.678"], [1234567, 2345678], "thousands points"),
        (["$5", "?", "$6"], [5, None, 6], "'$'"),
    ],
)
def test_numbers_are_read_whatever_stands_around_them(
    tmp_path: Path, values: list[str], expected: list[float], said: str
) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == "number"
    assert table.frame["v"].dropna().tolist() == pytest.approx([value for value in expected if value is not None])
    assert table.frame["v"].isna().tolist() == [value is None for value in expected]
    (notice,) = [notice for notice in table.report.notices if "'v'" in notice]
    assert said in notice
    again = read_table(tmp_path / "t.csv", workdir=tmp_path / "again", options=table.report.options)
    assert again.fingerprint == table.fingerprint


@pytest.mark.parametrize(
    "values",
    [
        ["A12", "B13"],
        ["SKU123", "SKU124"],
        ["12th", "13th"],
        ["4G", "5G"],
        ["12A", "13A"],
        ["12B", "7K"],
        ["12 Main St", "14 Oak Rd"],
        ["1.2.3", "1.2.4"],
        ["12/3", "13/4"],
        ["(12", "13"],
        ["--5", "3"],
        ["007 km", "008 km"],
        ["+491701234567", "+491707654321"],
        ["10E0", "22E1"],
        ["1E5", "12"],
        ["1e400", "2"],
        ["12345678901234567 kg", "2 kg"],
        ["0,000,5", "1"],
        ["192.168.1.1", "10.0.0.1"],
    ],
)
def test_codes_stay_as_they_are(tmp_path: Path, values: list[str]) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == "text"
    assert table.frame["v"].tolist() == values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["$5", "€6"], "has amounts in '$', '€'"),
        (["12 km", "3 mi"], "has amounts in 'km', 'mi'"),
        (["5%", "0.4"], "has '%' after 1 of its 2 numbers"),
        (["1E5", "12"], "may be codes"),
        ([*map(str, range(99)), "many"], "has 1 of 100 values that are not numbers, such as 'many'"),
        ([*(f"2024-01-{day:02}" for day in range(1, 31)), "20201-01-05"], "not dates, such as '20201-01-05'"),
        (["1,234", "5,678"], "could mean 1,234 or 1.234"),
        (["01/02/2020", "03/04/2021"], "day-month or month-day"),
    ],
)
def test_what_is_open_is_listed_and_can_be_decided(tmp_path: Path, values: list[str], said: str) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == "text"
    assert table.frame["v"].tolist() == values
    (item,) = table.report.undecided
    assert item.column == "v"
    assert said in item.evidence
    for candidate in item.candidates:
        chosen = column(tmp_path, values, column_types={"v": candidate})
        assert chosen.report.types["v"] == candidate.split(":")[0]
        assert chosen.frame["v"].isna().sum() == chosen.report.lost.get("v", 0) < len(values) / 2
        if chosen.report.lost:
            assert any("missing now" in notice for notice in chosen.report.notices)


def test_the_decimal_mark_is_decided_once_for_a_file(tmp_path: Path) -> None:
    table = read(tmp_path, {"a": ["1.037", "2.512"], "b": ["1,5", "2,25"]}, "\t")
    assert table.frame["a"].tolist() == [1037, 2512]
    assert [(item.value, item.confidence) for item in table.report.decisions if item.name == "decimal"] == [
        (",", "certain")
    ]
    table = read(tmp_path, {"a": ["1,037", "2,512"], "b": ["1.5", "2.25"]}, "\t")
    assert table.frame["a"].tolist() == [1037, 2512]
    table = read(tmp_path, {"a": ["1,037", "2,512"], "b": ["1,5", "2,25"]}, "\t")
    assert table.frame["a"].tolist() == [1.037, 2.512]


@pytest.mark.parametrize(
    ("values", "delimiter", "expected"),
    [
        (["1.037", "2.512"], ";", [1037, 2512]),
        (["1.037", "2.512"], ",", [1.037, 2.512]),
        (["1.037", "2.512"], "\t", None),
        (["1.037", "2.51"], "\t", [1.037, 2.51]),
        (["1.037", "0.512"], ";", [1.037, 0.512]),
        (["30,000", "31,500"], ",", [30_000, 31_500]),
        (["30,000", "31,500"], "\t", [30_000, 31_500]),
        (["30,000", "31,500"], ";", None),
    ],
)
def test_three_digits_after_a_mark_are_decided_by_the_file(
    tmp_path: Path, values: list[str], delimiter: str, expected: list[float] | None
) -> None:
    table = column(tmp_path, values, delimiter)
    assert table.report.types["v"] == ("text" if expected is None else "number")
    assert table.frame["v"].tolist() == (values if expected is None else expected)
    assert len(table.report.undecided) == (expected is None)
    if all(re.fullmatch(r"[1-9]\d*[.,]\d{3}", value) for value in values):
        for mark, groups in ((".", ","), (",", ".")):
            given = column(tmp_path, values, delimiter, decimal=mark)
            plain = [float(value.replace(groups, "").replace(mark, ".")) for value in values]
            assert given.frame["v"].tolist() == plain


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["10.03.24", "11.03.24"], "2024-03-10"),
        (["31/01/20", "01/02/20"], "2020-01-31"),
        (["3/14/24", "3/10/24"], "2024-03-14"),
        (["10-Mar-2024", "1-jan-2024"], "2024-03-10"),
        (["10-Mar-24", "1-Jan-24"], "2024-03-10"),
        (["Mar 10, 2024", "Jan 1, 2024"], "2024-03-10"),
        (["March 10, 2024", "January 1, 2024"], "2024-03-10"),
        (["10 March 2024", "1 May 2024"], "2024-03-10"),
        (["20240310", "20231231"], "2024-03-10"),
        (["2024.03.10", "2024.12.31"], "2024-03-10"),
        (["2024-3-1", "2024-12-31"], "2024-03-01"),
        (["3/14/2024 1:30 PM", "3/10/2024 11:05 AM"], "2024-03-14T13:30"),
        (["14.03.2024 13:30:15", "10.03.2024 11:05"], "2024-03-14T13:30:15"),
        (["2020-01-31 10:20:30.123456789", "2020-01-31 10:20:30.1"], "2020-01-31T10:20:30.123456"),
        (["2020-01-31", "0000-00-00"], "2020-01-31"),
    ],
)
def test_dates_are_read_as_they_are_written(tmp_path: Path, values: list[str], first: str) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] in ("date", "timestamp")
    assert table.frame["v"].iloc[0] == pd.Timestamp(first)
    assert table.frame["v"].isna().sum() == values.count("0000-00-00")
    again = read_table(tmp_path / "t.csv", workdir=tmp_path / "again", options=table.report.options)
    assert again.fingerprint == table.fingerprint


def test_the_order_of_day_and_month_is_decided_once_for_a_file(tmp_path: Path) -> None:
    open_dates, later = ["01/02/2020", "03/04/2021"], ["13/02/2020", "03/04/2021"]
    table = read(tmp_path, {"a": open_dates, "b": later})
    assert table.frame["a"].tolist() == [pd.Timestamp("2020-02-01"), pd.Timestamp("2021-04-03")]
    table = read(tmp_path, {"a": open_dates, "b": ["02/13/2020", "04/03/2021"]})
    assert table.frame["a"].tolist() == [pd.Timestamp("2020-01-02"), pd.Timestamp("2021-03-04")]
    table = column(tmp_path, open_dates, date_order="mdy")
    assert table.frame["v"].iloc[0] == pd.Timestamp("2020-01-02")


@pytest.mark.parametrize(
    ("spec", "values", "expected", "lost"),
    [
        ("text", ["1", "2"], ["1", "2"], 0),
        ("number", ["1", "x", "2.5"], [1, None, 2.5], 1),
        ("integer", ["1", "1.5", "3"], [1, None, 3], 1),
        ("number:1.234,5", ["1.234,5", "7"], [1234.5, 7], 0),
        ("boolean", ["true", "yes", "FALSE"], [True, None, False], 1),
        ("date", ["2024-01-05", "soon"], [pd.Timestamp("2024-01-05"), None], 1),
        ("date:%d/%m/%Y", ["01/02/2020"], [pd.Timestamp("2020-02-01")], 0),
    ],
)
def test_a_type_that_is_given_holds_and_what_it_costs_is_counted(
    tmp_path: Path, spec: str, values: list[str], expected: list[object], lost: int
) -> None:
    table = column(tmp_path, values, column_types={"v": spec})
    assert table.report.types["v"] == spec.split(":")[0]
    got = table.frame["v"].astype(object).where(table.frame["v"].notna(), None).tolist()
    assert got == expected
    assert table.report.lost.get("v", 0) == lost


def test_missing_values_that_are_given_are_the_only_ones(tmp_path: Path) -> None:
    table = column(tmp_path, ["1", "-9", "2"], missing_values=("-9",))
    assert table.frame["v"].isna().tolist() == [False, True, False]
    assert table.report.missing_markers["v"] == {"-9": 1}
    table = column(tmp_path, ["x", "?", "NA"], missing_values=("-9",))
    assert table.frame["v"].tolist() == ["x", "?", "NA"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1:30 PM", "11:05 AM"], "times of day"),
        (["13:30:05", "09:00:00"], "times of day"),
        (["1h 30m", "45m 10s"], "durations"),
        (["00:45:10", "30:00:00"], "durations"),
        (["1 days 02:00:00", "0 days 00:30:00"], "durations"),
        (["PT1H30M", "P2D"], "durations"),
        (["one", "two"], ""),
    ],
)
def test_times_of_day_and_durations_stay_text_and_are_said_to(tmp_path: Path, cells: list[str], said: str) -> None:
    (tmp_path / "t.csv").write_text("n,v\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells * 10)))
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert table.report.types["v"] == "text"
    assert table.frame["v"].tolist() == cells * 10
    assert [notice for notice in table.report.notices if said] == (
        [f"Column 'v' holds {said}; it is kept as text."] * bool(said)
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_durations_of_columns_become_seconds(tmp_path: Path, unit: str, suffix: str) -> None:
    frame = pd.DataFrame(
        {"d": pd.to_timedelta([90, 3_600, None], unit="s").astype(f"timedelta64[{unit}]"), "n": [1, 2, 3]}
    )
    getattr(frame, f"to_{suffix}")(tmp_path / "t")
    table = read_table(tmp_path / "t", workdir=tmp_path / "work")
    pd.testing.assert_series_equal(table.frame["d"], frame["d"].dt.total_seconds())
    assert table.report.types == {"d": "number", "n": "integer"}
    assert "Column 'd' holds durations; it has their seconds." in table.report.notices
