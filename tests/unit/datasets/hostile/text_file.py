"""A hostile text, written part by part."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.unit.datasets.hostile.record import Content, HostileFile

__all__ = ["MB", "ROWS", "SMALL", "text_file"]

ROWS = "".join(f"{i},name {i},{i / 7}\n" for i in range(200))
SMALL = f"id,name,value\n{ROWS}"
MB = 2**20


def _write(path: Path, parts: Callable[[], Content] | Content) -> None:
    content = parts() if callable(parts) else parts
    with path.open("wb") as file:
        for part in [content] if isinstance(content, str | bytes) else content:
            file.write(part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part)


def text_file(name: str, parts: Callable[[], Content] | Content, *, hard: bool = False) -> HostileFile:
    """Return a file with this content, which may be made when it is written."""
    return HostileFile(name, partial(_write, parts=parts), hard)
