"""Text files as a bundle reads them: UTF-8, or UTF-16 with its mark; others are refused, and nothing is guessed."""

from __future__ import annotations

import codecs
from pathlib import Path

__all__ = ["CellError", "read_text"]

_SHOWN = 20


class CellError(ValueError):
    """A file, or a cell of it, that cannot be used."""


def read_text(path: str | Path) -> str:
    """Return the content of a file of text, with its ends of lines as they are.

    Raises
    ------
    CellError
        When its encoding is not UTF-8 and it does not say which one it is, or it is not text.
    """
    name, content = Path(path).name, Path(path).read_bytes()
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"  # what Excel calls "Unicode text"
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise CellError(
                f"{name} is not text in {encoding.upper()}, as its first bytes say. Save it anew."
            ) from None
        before = content[max(error.start - _SHOWN, 0) : error.start].decode("ascii", "replace")
        raise CellError(
            f"{name} is not text in UTF-8: byte {error.start:,} is 0x{content[error.start]:02x}, after {before!r}. "
            "Save it as CSV in UTF-8 (in Excel: CSV UTF-8)."
        ) from None
    if "\0" in text:
        raise CellError(f"{name} is not a file of text: it holds zero bytes. Save it as CSV in UTF-8.")
    return text
