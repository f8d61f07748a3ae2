"""Files that appear whole or not at all, and what is said where the system does not write or read them."""

from __future__ import annotations

import contextlib
import errno
import secrets
from collections.abc import Iterator
from pathlib import Path

from core.errors import StorageError

__all__ = ["atomic_write", "os_errors_explained", "write_text"]


@contextlib.contextmanager
def os_errors_explained(action: str) -> Iterator[None]:
    """Turn errors of the system on files into StorageError, with what to do.

    Parameters
    ----------
    action : str
        Words for what the block does, with which the message begins.

    Examples
    --------
    >>> from core.errors import StorageError
    >>> try:
    ...     with os_errors_explained("Storing a file"):
    ...         raise OSError(errno.ENOSPC, "No space left on device")
    ... except StorageError as error:
    ...     print(error)
    Storing a file: the disk is full. Free some space or move PLUMBLINE_HOME, then try again.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise StorageError(
            f"{action}: the file is missing.", "It may have been removed by hand. Create it again."
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"{action}: the disk is full.", "Free some space or move PLUMBLINE_HOME, then try again."
            ) from error
        raise StorageError(
            f"{action}: {error.strerror or error}.", "Check the folder or the URL of the storage."
        ) from error


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
