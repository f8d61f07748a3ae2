"""Every CSV that people download: what begins like a formula is text, and numbers are what they were."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edge.portable.cells import csv_text, read_csv, safe
from core.fairness import FairnessReport, bias_audit, group_metrics
from core.models.search_download import ScoredDownload
from core.spreadsheet import spreadsheet_text, to_csv, write_csv

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = ["=1+1", "+1-1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0", "-"]
FORMULAS += ["＝1+1", "＋1", "－1", "＠A1"]
HARMLESS = ["a", "1", "-1", "+1.5", "-1e-05", "a=b", "'=1", " =1", "a\r=1", "x,y", 'say "hi"', "two\nlines", ""]
TABLE = pd.DataFrame({"=name": [*FORMULAS, *HARMLESS], "n": range(-13, len(HARMLESS)), "x": -0.5})
STARTS = tuple("=+-@\t\r\n＝＋－＠")
WRITERS = {}


def writer(function):
    WRITERS[function.__name__] = function
    return function


@writer
def frame(table: pd.DataFrame, folder: Path) -> str:
    return to_csv(table)


@writer
def stored_table(table: pd.DataFrame, folder: Path) -> str:
    table.to_parquet(folder / "t.parquet", index=False)
    return write_csv(folder / "t.parquet", folder / "t.csv").read_bytes().decode()


@writer
def model_download(table: pd.DataFrame, folder: Path) -> str:
    ScoredDownload(table).to_csv(folder / "t.csv")
    return (folder / "t.csv").read_bytes().decode()


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def is_inert(cell: str) -> bool:
    """Return whether a spreadsheet runs nothing of a cell: a number as a whole is only read."""
    try:
        float(cell)
    except ValueError:
        return not cell.startswith(STARTS)
    return cell.strip() == cell


@pytest.mark.parametrize("name", WRITERS)
def test_texts_and_names_are_inert_and_numbers_stay(tmp_path: Path, name: str) -> None:
    header, *rows = cells(WRITERS[name](TABLE, tmp_path))
    assert header == ["'=name", "n", "x"]
    assert [row[0] for row in rows] == ["'" + text for text in FORMULAS] + HARMLESS
    assert [int(row[1]) for row in rows] == TABLE["n"].tolist()
    assert {float(row[2]) for row in rows} == {-0.5}


@settings(max_examples=60)
@given(st.text(max_size=8), st.sampled_from(["", *STARTS]))
def test_the_bundles_code_has_the_same_rule(text: str, start: str) -> None:
    assert safe(start + text) == spreadsheet_text(start + text)
    assert is_inert(safe(start + text)) or not (start + text).isascii()
    assert safe(start + text).removeprefix("'") == (start + text).removeprefix("'")


def test_what_a_bundle_writes_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(csv_text([[safe(name) for name in TABLE], *TABLE.to_numpy().tolist()]).encode())
    read = read_csv(path, ["=name", "n"])
    # Within cells, lines end in one way, as in a table that is read.
    assert read["=name"] == [name.replace("\r\n", "\n").replace("\r", "\n") for name in TABLE["=name"]]
    both = tmp_path / "both.csv"
    both.write_text("=a,'=a\n1,2\n")
    assert read_csv(both, ["=a"]) == {"=a": ["1"], "'=a": ["2"]}


def test_a_fairness_reports_tables_are_inert() -> None:
    groups = np.repeat(["=1+1", "@SUM(A1)", "－1"], 100)
    truth = np.tile([0, 1], 150)
    metrics = group_metrics(truth, truth[::-1], pd.Series(groups, name="=group"))
    with zipfile.ZipFile(io.BytesIO(FairnessReport("T", {}, metrics).to_zip())) as archive:
        tables = [cells(archive.read(name).decode()) for name in archive.namelist()]
    written = [cell for table in tables for row in table for cell in row]
    assert {"'=1+1", "'@SUM(A1)", "'=group"} <= set(written)
    assert [cell for cell in written if not is_inert(cell)] == []


def test_a_bias_audits_table_is_inert() -> None:
    people = np.repeat(["=1+1", "@SUM(A1)"], 50)
    written = [cell for row in cells(bias_audit(np.tile([0, 1], 50), sex=people).to_csv()) for cell in row]
    assert {"'=1+1", "'@SUM(A1)"} <= set(written)
    assert [cell for cell in written if not is_inert(cell)] == []
