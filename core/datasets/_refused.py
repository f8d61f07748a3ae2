"""Recognition of files that are never read: pickles, which could run code, and formats without a reader."""

from __future__ import annotations

import pickletools
import warnings
import zlib
from collections.abc import Iterable

from core.errors import InputError

__all__ = ["UNREADABLE", "is_binary", "is_pickle", "pickle_error", "refuse_office_zip"]

UNREADABLE = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old Excel file (.xls) or a protected one", "Save it as plain .xlsx."),
    b"FEA1": ("a Feather file of version 1", "Save it again with a current version of Arrow."),
    b"PARE": ("an encrypted Parquet file", "Save it without encryption."),
    b"BZh": ("compressed with bzip2", "Unpack it, or compress it with gzip."),
    b"\xfd7zXZ\x00": ("compressed with xz", "Unpack it, or compress it with gzip."),
    b"(\xb5/\xfd": ("compressed with Zstandard", "Unpack it, or compress it with gzip."),
    b"\x04\x22M\x18": ("compressed with LZ4", "Unpack it, or compress it with gzip."),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "Unpack it, or compress it with gzip or zip."),
    b"Rar!": ("a RAR archive", "Unpack it, or compress it with gzip or zip."),
    b"\x93NUMPY": ("a NumPy array", ""),
    b"\x89HDF": ("an HDF5 file", ""),
    b"RDX": ("a file of R (.RData)", "Write the table as CSV in R: write.csv(table, file)."),
    b"RDA": ("a file of R (.RData)", "Write the table as CSV in R: write.csv(table, file)."),
    b"X\n\x00": ("a file of R (.rds)", "Write the table as CSV in R: write.csv(table, file)."),
    b"MATLAB 5.0": ("a file of MATLAB", "Write the table as CSV: writetable(table, file)."),
    b"SIMPLE  =": ("an image or table of astronomy (FITS)", "Save the table as CSV."),
    b"CDF\x01": ("a NetCDF file", "Save the table as CSV."),
    b"%PDF": ("a PDF document", ""),
    b"\x89PNG": ("an image", ""),
    b"\xff\xd8\xff": ("an image", ""),
    b"GIF8": ("an image", ""),
    b"\x7fELF": ("a program", ""),
}
"""First bytes of formats that have no reader: what the file is, and a hint where there is a special one."""


def pickle_error() -> InputError:
    """Return the error that refuses a pickle."""
    return InputError(
        "The file is a Python pickle, which can run any code when it is opened. It was not read.",
        "Save the table as Parquet (frame.to_parquet) or CSV.",
    )


def refuse_office_zip(names: Iterable[str]) -> None:
    """Raise InputError for a zip file that is not an archive of a table, judged by the names of its members."""
    names = list(names)
    if any(name.endswith((".pkl", ".pickle", ".pt", ".pth", ".joblib")) for name in names):
        raise pickle_error()
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        raise InputError("The file is a binary Excel file (.xlsb), which is not read.", "Save it as .xlsx.")
    if "mimetype" in names and "content.xml" in names:
        return
    if "mimetype" in names or any(name.startswith(("word/", "ppt/")) for name in names):
        raise InputError("The file is an office document without a readable table.", "Save the table as .xlsx or .csv.")


def is_pickle(head: bytes, *, complete: bool) -> bool:
    """Return whether bytes begin a pickle of any protocol; `complete` when they are the whole file."""
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    if head[:1] == b"x":  # joblib compresses with zlib, which has no magic number of its own
        try:
            inner = zlib.decompressobj().decompress(head, 4096)
        except zlib.error:
            return False
        return is_pickle(inner, complete=False)
    # Protocols 0 and 1 have no magic number either: the file is one if it disassembles to its very end.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes in bytes that are not a pickle
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


def is_binary(head: bytes) -> bool:
    """Return whether bytes are not text in any encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    zeros = head.count(0)
    if zeros and not _alternates(head):
        controls = sum(head.count(code) for code in (*range(1, 9), 11, 12, *range(14, 32)))
        if zeros + controls > len(head) / 1_000 and not (controls == 0 and _is_padded(head)):
            return True
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27)))
    return controls > len(head) / 20


def _is_padded(head: bytes) -> bool:
    """Return whether bytes are lines of text in UTF-8 once the zeros between them are left out."""
    text = head.replace(b"\0", b"")
    try:
        text[: len(text) - 4].decode()
    except UnicodeDecodeError as error:
        if error.start < len(text) - 8:  # a character that is cut off
            return False
    return len(text) * 10 > len(head) and b"\n" in text


def _alternates(head: bytes) -> bool:
    """Return whether zeros occupy one side of each pair of bytes, as in UTF-16 of Latin text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) > 0.2 * len(head) / 2 and min(even, odd) < 0.02 * len(head)
