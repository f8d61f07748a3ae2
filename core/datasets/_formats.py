"""Tell what a file is by its first bytes, never by its name; refuse what could run code."""

from __future__ import annotations

import pickletools
import warnings
import zipfile
import zlib
from pathlib import Path, PurePath
from typing import Literal

from core.errors import InputError

__all__ = ["Format", "extension_notice", "identify"]

Format = Literal["text", "gzip", "zip", "excel", "parquet", "feather"]

_HEAD_BYTES = 64 * 1024
_READABLE = "Upload CSV, TSV, JSON lines, Excel (.xlsx), Parquet or Feather, or one of them in gzip or zip."
_REFUSED = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old Excel file (.xls) or a protected one", "Save it as plain .xlsx."),
    b"FEA1": ("a Feather file of version 1", "Save it again with a current version of Arrow."),
    b"PARE": ("an encrypted Parquet file", "Save it without encryption."),
    b"BZh": ("compressed with bzip2", "Unpack it, or compress it with gzip."),
    b"\xfd7zXZ\x00": ("compressed with xz", "Unpack it, or compress it with gzip."),
    b"(\xb5/\xfd": ("compressed with Zstandard", "Unpack it, or compress it with gzip."),
    b"\x04\x22M\x18": ("compressed with LZ4", "Unpack it, or compress it with gzip."),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "Unpack it, or compress it with gzip or zip."),
    b"Rar!": ("a RAR archive", "Unpack it, or compress it with gzip or zip."),
    b"\x93NUMPY": ("a NumPy array", _READABLE),
    b"\x89HDF": ("an HDF5 file", _READABLE),
    b"SQLite format 3\x00": ("an SQLite database", "Export the table as CSV."),
    b"%PDF": ("a PDF document", _READABLE),
    b"\x89PNG": ("an image", _READABLE),
    b"\xff\xd8\xff": ("an image", _READABLE),
    b"GIF8": ("an image", _READABLE),
    b"\x7fELF": ("a program", _READABLE),
}
_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "text": (".csv", ".tsv", ".txt", ".tab", ".psv", ".dat", ".data"),
    "json": (".json", ".jsonl", ".ndjson"),
    "excel": (".xlsx", ".xlsm", ".xls"),
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "gzip": (".gz", ".gzip"),
    "zip": (".zip",),
}
_WORDS = {
    "text": "delimited text",
    "json": "JSON",
    "excel": "Excel",
    "parquet": "Parquet",
    "feather": "Feather",
    "gzip": "gzip",
    "zip": "zip",
}


def identify(path: Path) -> Format:
    """Tell the format of a file by its content.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        text (delimited or JSON), gzip, zip, excel, parquet or feather.

    Raises
    ------
    InputError
        When it is empty, a pickle of any kind, or nothing that holds a table.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise InputError("The file is empty.", "Upload a file with a header and at least one row.")
    if _is_pickle(head, complete=len(head) < _HEAD_BYTES):
        raise _pickle_error()
    for magic, (what, hint) in _REFUSED.items():
        if head.startswith(magic):
            raise InputError(f"The file is {what}, which is not read.", hint)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "feather"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _inside_zip(path)
    _refuse_binary(head)
    return "text"


def extension_notice(name: str, formats: list[str]) -> str | None:
    """Return a notice when a file's name promises another format than its content has.

    Parameters
    ----------
    name : str
        What the user called the file.
    formats : list of str
        What was found, the outermost first, such as ["gzip", "text"].

    Examples
    --------
    >>> extension_notice("table.csv", ["parquet"])
    "The name 'table.csv' promises delimited text, but the file is Parquet: it was read as Parquet."
    >>> extension_notice("table.csv.gz", ["gzip", "text"])
    """
    suffixes = [suffix.casefold() for suffix in reversed(PurePath(name).suffixes)]
    for suffix, found in zip(suffixes, formats, strict=False):
        promised = next((known for known, endings in _EXTENSIONS.items() if suffix in endings), None)
        if promised is None:
            return None
        if promised != found:
            got = _WORDS[found]
            return f"The name {name!r} promises {_WORDS[promised]}, but the file is {got}: it was read as {got}."
    return None


def _pickle_error() -> InputError:
    return InputError(
        "The file is a Python pickle, which can run any code when it is opened. It was not read.",
        "Save the table as Parquet (frame.to_parquet) or CSV.",
    )


def _is_pickle(head: bytes, *, complete: bool) -> bool:
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    if head[:1] == b"x":  # joblib compresses with zlib, which has no magic number of its own
        try:
            inner = zlib.decompressobj().decompress(head, 4096)
        except zlib.error:
            return False
        return _is_pickle(inner, complete=False)
    # Protocols 0 and 1 have no magic number either: the file is one if it disassembles to its very end.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes in what is no pickle at all
        return _disassembles(head, complete=complete)


def _disassembles(head: bytes, *, complete: bool) -> bool:
    count = 0
    try:
        for opcode, _, position in pickletools.genops(head):
            count += 1
            if opcode.name == "STOP":
                return complete and count > 2 and not head[(position or 0) + 1 :].strip()
    except (ValueError, IndexError):
        return not complete and count > 1_000
    return False


def _inside_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError("The zip file is damaged or cut off.", "Upload it again.") from error
    if any(name.endswith((".pkl", ".pickle", ".pt", ".pth", ".joblib")) for name in names):
        raise _pickle_error()
    if "xl/workbook.xml" in names:
        return "excel"
    if "xl/workbook.bin" in names:
        raise InputError("The file is a binary Excel file (.xlsb), which is not read.", "Save it as .xlsx.")
    if "mimetype" in names or any(name.startswith(("word/", "ppt/")) for name in names):
        raise InputError("The file is an office document without a readable table.", "Save the table as .xlsx or .csv.")
    return "zip"


def _refuse_binary(head: bytes) -> None:
    """Raise InputError for bytes that are no text in any encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    zeros = head.count(0)
    if zeros and not _alternates(head):
        controls = sum(head.count(code) for code in (*range(1, 9), 11, 12, *range(14, 32)))
        if zeros + controls > len(head) / 1_000:
            raise InputError("The file is neither text nor a table in a known format.", _READABLE)
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27)))
    if controls > len(head) / 20:
        raise InputError("The file is neither text nor a table in a known format.", _READABLE)


def _alternates(head: bytes) -> bool:
    """Whether zeros stand on one side of each pair of bytes, as in UTF-16 of Latin text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) > 0.2 * len(head) / 2 and min(even, odd) < 0.02 * len(head)
