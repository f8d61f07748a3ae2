"""Every format reads to the same table, told by its content."""

from __future__ import annotations

import datetime
import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from core.datasets import read_table

FRAME = pd.DataFrame(
    {
        "name": ["Ann", "Bob", None, "Zoë"],
        "count": [1, 2, 3, 2**53 - 1],
        "share": [0.5, None, -1.25, 1e-3],
        "ok": [True, False, True, True],
        "day": pd.to_datetime(["2020-01-02", "2021-03-04", "1999-12-31", "2000-02-29"]),
        "code": ["00123", "04567", "00001", "99999"],
    }
)


def write(folder: Path, kind: str) -> Path:
    path = folder / f"table.{kind}"
    text = FRAME.to_csv(index=False)
    if kind == "csv":
        path.write_text(text, encoding="utf-8")
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/table.csv", text)
            archive.writestr("__MACOSX/._table.csv", b"junk")
    elif kind == "parquet":
        FRAME.to_parquet(path, index=False)
    elif kind == "feather":
        FRAME.to_feather(path)
    elif kind == "jsonl":
        path.write_text(FRAME.to_json(orient="records", lines=True, date_format="iso"), encoding="utf-8")
    elif kind == "json":
        path.write_text(FRAME.to_json(orient="records", date_format="iso"), encoding="utf-8")
    elif kind == "xlsx":
        FRAME.to_excel(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "zip", "parquet", "feather", "jsonl", "json", "xlsx"])
def test_each_format_gives_the_same_table(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    table = read_table(path, workdir=tmp_path / "work")
    assert table.rows == 4
    assert table.columns == list(FRAME.columns)
    assert table.report.skipped == 0
    frame = table.frame.assign(day=pd.to_datetime(table.frame["day"]).dt.tz_localize(None))
    pd.testing.assert_frame_equal(frame, FRAME, check_dtype=False)
    assert sorted(item.name for item in (tmp_path / "work").iterdir()) == ["table.parquet"]


@pytest.mark.parametrize(
    ("kind", "name", "promised", "got"),
    [
        ("parquet", "table.csv", "delimited text", "Parquet"),
        ("csv", "table.xlsx", "Excel", "delimited text"),
        ("csv", "table.parquet", "Parquet", "delimited text"),
        ("jsonl", "table.csv", "delimited text", "JSON"),
        ("csv.gz", "table.csv", "delimited text", "gzip"),
        ("xlsx", "table.zip", "zip", "Excel"),
    ],
)
def test_a_wrong_extension_is_read_by_content_with_a_notice(
    tmp_path: Path, kind: str, name: str, promised: str, got: str
) -> None:
    path = write(tmp_path, kind)
    table = read_table(path, name=name, workdir=tmp_path / "work")
    assert table.rows == 4
    assert table.name == "table"
    assert (
        f"The name {name!r} promises {promised}, but the file is {got}: it was read as {got}." in table.report.notices
    )


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "zip", "parquet", "feather", "jsonl", "json", "xlsx"])
def test_a_right_extension_gives_no_notice(tmp_path: Path, kind: str) -> None:
    assert not read_table(write(tmp_path, kind), workdir=tmp_path / "work").report.notices


def test_json_keys_that_come_late_or_are_odd_are_kept(tmp_path: Path) -> None:
    lines = [{"a b": 1, "x/y~z": "t"} for _ in range(30_000)]
    lines.append({"late": 2.5, "a b": None, "": "e", "n": {"k": [1]}})  # type: ignore[dict-item]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n{broken\n[1]\n\n", encoding="utf-8")
    table = read_table(path, workdir=tmp_path / "work")
    assert table.rows == 30_001
    assert table.columns == ["a b", "x/y~z", "late", "column_4", "n"]
    assert table.frame["late"].iloc[-1] == 2.5
    assert table.frame["n"].iloc[-1] == '{"k":[1]}'
    assert [(row.line, row.reason) for row in table.report.skipped_rows] == [
        (30_002, "not valid JSON"),
        (30_003, "not a JSON object"),
    ]
    assert any("'n' holds objects or lists" in notice for notice in table.report.notices)


def test_json_strings_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"v": "1.10", "d": "2020-01-01", "b": true}\n{"v": "1.9", "d": "2020-01-02", "b": false}\n')
    table = read_table(path, workdir=tmp_path / "work")
    assert table.report.types == {"v": "text", "d": "date", "b": "boolean"}
    assert table.frame["v"].tolist() == ["1.10", "1.9"]


def test_excel_with_titles_gaps_and_several_sheets(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "empty"
    sheet = book.create_sheet("data")
    sheet.append(["Report of the year"])
    sheet.append([])
    sheet.append(["who", "when", "much", "yes"])
    sheet.append(["Ann", datetime.datetime(2020, 1, 2, 3, 4), 1.5, True])
    sheet.append([])
    sheet.append(["Bob", datetime.datetime(2020, 1, 3), 2, None])
    book.create_sheet("notes").append(["nothing"])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", workdir=tmp_path / "work")
    assert table.report.types == {"who": "text", "when": "timestamp", "much": "number", "yes": "boolean"}
    assert table.frame["much"].tolist() == [1.5, 2.0]
    assert table.frame["yes"].isna().tolist() == [False, True]
    assert any("The sheet 'data' was read" in notice for notice in table.report.notices)
    assert any("The row before the table was left out" in notice for notice in table.report.notices)


def test_parquet_types_are_kept_without_loss_or_said(tmp_path: Path) -> None:
    table = pa.table(
        {
            "big": pa.array([2**64 - 1, 5], pa.uint64()),
            "small": pa.array([7, None], pa.int8()),
            "nan": pa.array([float("nan"), 1.5]),
            "list": pa.array([[1, 2], []]),
            "cat": pa.array(["x", "y"]).dictionary_encode(),
            "bytes": pa.array([b"\x00\xff", None]),
            "zone": pa.array([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)] * 2),
            "ns": pa.array([1, 2_000], pa.timestamp("ns")),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet", workdir=tmp_path / "work")
    frame = read.frame
    assert frame["big"].tolist() == ["18446744073709551615", "5"]
    assert frame["small"].iloc[0] == 7
    assert np.isnan(frame["nan"].iloc[0])
    assert frame["list"].tolist() == ["[1,2]", "[]"]
    assert frame["cat"].tolist() == ["x", "y"]
    assert frame["bytes"].iloc[0] == "00FF"
    assert read.report.missing_markers == {"nan": {"NaN": 1}}
    said = " ".join(read.report.notices)
    assert all(f"'{name}'" in said for name in ("big", "list", "bytes", "ns"))


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_of_several_batches_with_dictionaries(tmp_path: Path, compression: str) -> None:
    frame = pd.DataFrame({"a": range(1_000), "c": pd.Categorical(["x", "y"] * 500)})
    feather.write_feather(frame, tmp_path / "t.feather", compression=compression, chunksize=100)
    table = read_table(tmp_path / "t.feather", workdir=tmp_path / "work")
    assert table.frame["a"].tolist() == list(range(1_000))
    assert table.frame["c"].tolist() == ["x", "y"] * 500


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252", "latin-1"]
)
def test_western_encodings(tmp_path: Path, encoding: str) -> None:
    text = "città,größe\nMünchen,1\nÅrhus,2\nSão Paulo,3\nça va,4\n" + "plain,5\n" * 20
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert table.columns == ["città", "größe"]
    assert table.frame["città"].tolist()[:4] == ["München", "Århus", "São Paulo", "ça va"]
    assert table.report.encoding is not None


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("windows-1251", ["Москва и область", "Санкт-Петербург город", "Новосибирск река", "Екатеринбург улица"]),
        (
            "windows-1250",
            ["Łódź jest miastem", "Kraków żółty dom", "Gdańsk źródło", "Wrocław święto", "Zażółć gęślą jaźń"],
        ),
        ("shift_jis", ["東京都は日本の首都です", "大阪市の人口は多い", "名古屋城を見る", "札幌の冬は寒い"]),
        ("gb18030", ["北京是中国的首都", "上海市的人口很多", "广州的天气很热", "深圳的发展很快"]),
    ],
)
def test_other_encodings(tmp_path: Path, encoding: str, words: list[str]) -> None:
    text = "city,n\n" + "".join(f"{word},{i}\n" for i in range(20) for word in words)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert table.frame["city"].tolist()[: len(words)] == words
    assert any("was taken to be" in notice for notice in table.report.notices)


def test_a_foreign_byte_far_down_does_not_lose_the_row(tmp_path: Path) -> None:
    content = b"name,n\n" + b"plain text,1\n" * 400_000 + b"caf\xe9,2\n"
    (tmp_path / "t.csv").write_bytes(content)
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert (table.rows, table.report.skipped, table.report.encoding) == (400_001, 0, "windows-1252")
    assert table.frame["name"].iloc[-1] == "café"
    damaged = "name,n\n" + "Füße,1\n" * 100
    (tmp_path / "t.csv").write_bytes(damaged.encode() + b"F\xfc\xdfe,2\n")
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert table.frame["name"].iloc[0] == "Füße"
    assert any("not valid UTF-8" in notice for notice in table.report.notices)


@pytest.mark.parametrize("valid", [1, 3, 500])
@pytest.mark.parametrize("line", [2, 40, 70_000])
def test_one_invalid_byte_leaves_the_rest_as_it_is(tmp_path: Path, valid: int, line: int) -> None:
    lines = [f"{i},caf\u00e9 {i}" if i < valid else f"{i},tea {i}" for i in range(80_000)]
    rows = [text.encode() for text in ["n,drink", *lines]]
    rows[line - 1] = rows[line - 1].split(b",")[0] + b",a\xffb"
    (tmp_path / "t.csv").write_bytes(b"\n".join(rows))
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    drinks = [text.split(",")[1] for text in lines]
    drinks[line - 2] = "a\ufffdb"
    if valid == 1 and line == 2:  # nothing but that byte is beyond ASCII
        assert table.report.encoding == "windows-1252"
        return
    assert table.report.encoding == "utf-8"
    assert table.frame["drink"].tolist() == drinks
    assert any(f"the first in line {line:,};" in notice for notice in table.report.notices)
