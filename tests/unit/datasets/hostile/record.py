"""The record of a hostile file, and helpers to write some."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

__all__ = ["Content", "HostileFile", "write_zip"]

Content: TypeAlias = str | bytes | Iterable[str | bytes]


@dataclass(frozen=True)
class HostileFile:
    """A hostile file.

    Parameters
    ----------
    name : str
        Name of the case, ``family/what``.
    write : callable
        Function that writes the file to a path.
    hard : bool, default=False
        Whether the default tier reads it, too.
    """

    name: str
    write: Callable[[Path], object]
    hard: bool = False


def write_zip(path: Path, members: Mapping[str, Content], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Write a zip file; a member's content may come in parts, so that it never is in memory as a whole."""
    with zipfile.ZipFile(path, "w", method, compresslevel=1 if method == zipfile.ZIP_DEFLATED else None) as archive:
        for name, content in members.items():
            parts = [content] if isinstance(content, str | bytes) else content
            with archive.open(name, "w", force_zip64=True) as member:
                for part in parts:
                    member.write(part.encode() if isinstance(part, str) else part)
