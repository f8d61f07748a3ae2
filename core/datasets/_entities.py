"""XML that declares entities is refused: spreadsheet programs write none, and decompression bombs are made of them."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from core.errors import InputError

__all__ = ["refuse_entities"]

_BLOCK = 1 << 16


class _RootReached(Exception):
    """The first element begins: no document type may follow."""


def refuse_entities(archive: zipfile.ZipFile, title: str) -> None:
    """Raise InputError where a part of a workbook has a document type, wherever it stands before the first element.

    Parameters
    ----------
    archive : ZipFile
        The workbook.
    title : str
        Name of its format in the message.
    """
    for member in archive.infolist():
        if member.filename.endswith((".xml", ".rels")) and _declares(archive, member):
            raise InputError(f"The {title} file declares XML entities.", "Save it again with a spreadsheet program.")


def _declares(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    declared = False

    def doctype(*_: object) -> None:
        nonlocal declared
        declared = True
        raise _RootReached

    def element(*_: object) -> None:
        raise _RootReached

    parser = expat.ParserCreate()  # it knows the encoding, comments and how long they may be
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, element
    with archive.open(member) as part:
        try:
            while block := part.read(_BLOCK):
                parser.Parse(block, False)
        except (_RootReached, expat.ExpatError):  # a part that is not XML is the reader's to refuse, if it is read
            pass
    return declared
