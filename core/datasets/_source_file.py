"""The file that is read: its first bytes, its text, the members of its zip; each is looked at once."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path

from core.datasets._encoding import Utf8File, to_utf8
from core.datasets._limits import Limits
from core.datasets._options import ReadOptions
from core.datasets._refused import UNREADABLE, is_binary
from core.datasets._unpack import damage_reported

__all__ = ["SourceFile"]

_HEAD_BYTES = 64 * 1024
_SAMPLE_BYTES = 2**20


class SourceFile:
    """A file whose format is to be recognized, and that is then read.

    Parameters
    ----------
    path : Path
        The file.
    scratch : Path
        Folder for temporary files; it is removed when the table is stored.
    limits : Limits
        Bounds on the table, and on what the file unpacks to.
    options : ReadOptions, optional
        Decisions on how the file is read; by default all are made from its content.
    start_only : bool, default=False
        Whether only the start of the table is read.

    Attributes
    ----------
    like : mapping
        Types by column that are used where `options` has none; columns that the file lacks are ignored.
    lossy : collection
        Columns among them that get their type also where cells have no value of it.
    complete : bool
        Whether it is the whole file, not a copy of its start.
    head : bytes
        First 64 KiB.
    is_text : bool
        Whether it may be text; recognizers of text formats ask this before they look at `sample`.
    text : Utf8File
        The content in UTF-8, whatever its encoding.
    sample : str
        First MiB of the text.
    members : list of str
        Names in a zip file; empty for any other file.
    """

    def __init__(
        self,
        path: Path,
        scratch: Path,
        limits: Limits,
        options: ReadOptions | None = None,
        *,
        start_only: bool = False,
    ) -> None:
        self.start_only = start_only
        self.complete = True
        self.options = options or ReadOptions()
        self.like: Mapping[str, str] = {}
        self.lossy: Collection[str] = ()
        self.path = path
        self.scratch = scratch
        self.limits = limits

    @cached_property
    def head(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(_HEAD_BYTES)

    @property
    def is_whole_head(self) -> bool:
        """Whether `head` is the whole file."""
        return len(self.head) < _HEAD_BYTES

    @cached_property
    def is_text(self) -> bool:
        return not (self.head.startswith(tuple(UNREADABLE)) or self.members or is_binary(self.head))

    @cached_property
    def text(self) -> Utf8File:
        return to_utf8(self.path, self.scratch / "text", self.limits, encoding=self.options.encoding)

    @property
    def known_text(self) -> Utf8File | None:
        """The text if it was looked at already; to ask for it would convert a file that is none."""
        return self.__dict__.get("text")

    @cached_property
    def sample(self) -> str:
        with self.text.path.open("rb") as file:
            return file.read(_SAMPLE_BYTES).decode("utf-8", errors="ignore")

    @property
    def is_whole_sample(self) -> bool:
        """Whether `sample` is the whole text."""
        return self.complete and self.text.path.stat().st_size <= _SAMPLE_BYTES

    @cached_property
    def members(self) -> list[str]:
        if not self.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return []
        with damage_reported("zip"), zipfile.ZipFile(self.path) as archive:
            return archive.namelist()
