"""A document type is found wherever it may stand in XML, in any encoding, and nowhere else."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from core.datasets import read_table
from core.errors import InputError
from core.query import connect

DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
HEAD = '<?xml version="1.0" encoding="{}"?>'
BEFORE = {
    "at once": DOCTYPE,
    "below 4 kB of blanks": " " * 5_000 + DOCTYPE,
    "below a comment of 1 MB": "<!--" + "x" * 1_000_000 + "-->" + DOCTYPE,
    "below many comments": "<!-- <x> -->" * 20_000 + DOCTYPE,
    "below an instruction": "<?x " + "y" * 100_000 + "?>" + DOCTYPE,
}


@pytest.fixture(scope="module")
def workbook() -> bytes:
    """A sound workbook."""
    buffer = io.BytesIO()
    pd.DataFrame({"a": ["one", "two"], "b": [1, 2]}).to_excel(buffer, index=False)
    return buffer.getvalue()


def changed(workbook: bytes, path: Path, before: str, encoding: str = "utf-8", part: str = "sheet1.xml") -> Path:
    """Write a workbook with a text before the first element of a part."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith(part):
                text = content.decode()
                *_, rest = text.rpartition("?>") if "?>" in text[:200] else ("", "", text)
                content = (HEAD.format(encoding) + before + rest).encode(encoding)
            target.writestr(member, content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("where", BEFORE)
def test_a_document_type_is_refused(workbook: bytes, tmp_path: Path, where: str, encoding: str) -> None:
    path = changed(workbook, tmp_path / "t.xlsx", BEFORE[where], encoding)
    with pytest.raises(InputError, match="The Excel file declares XML entities"):
        read_table(path, workdir=tmp_path / "work")


def test_words_that_look_like_one_are_not(workbook: bytes, tmp_path: Path) -> None:
    path = changed(workbook, tmp_path / "t.xlsx", f"<!-- {DOCTYPE.replace('--', '')} -->")
    assert read_table(path, workdir=tmp_path / "work").frame["a"].tolist() == ["one", "two"]
    buffer = io.BytesIO()
    pd.DataFrame({"a": [DOCTYPE, "two"]}).to_excel(buffer, index=False)
    path.write_bytes(buffer.getvalue())
    assert read_table(path, workdir=tmp_path / "work").frame["a"].tolist() == [DOCTYPE, "two"]


def test_temporary_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=8 * 2**20))
    with connect(tmp_path) as connection:
        connection.execute("SET memory_limit = '40MB'; SET threads = 1")
        with pytest.raises(Exception, match="max_temp_directory_size"):
            connection.execute(
                "CREATE TABLE t AS SELECT repeat(md5(range::text), 4) AS a FROM range(1000000) ORDER BY a"
            )
        used = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert used <= 8 * 2**20
