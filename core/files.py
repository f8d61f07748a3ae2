"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_write", "write_text"]


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary file that is renamed to `path` at the end of the block.

    A reader sees either the earlier file or the whole new one. An error in the block leaves nothing behind.

    Parameters
    ----------
    path : path
        File to write; its folder must exist. An existing file is replaced.

    Yields
    ------
    Path
        Temporary file in the same folder, to be written and closed within the block.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "result.json"
    ...     with atomic_write(target) as partial:
    ...         _ = partial.write_text("{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['result.json']
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Parameters
    ----------
    path : path
        File to write; its folder must exist.
    text : str
        Content of the file.
    """
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
