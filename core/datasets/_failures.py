"""Errors of parsers, of the memory and of the disk, as errors of the tree."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from core.datasets._limits import Limits
from core.datasets._unpack import is_of_the_disk
from core.errors import InputError, LimitError, PlumblineError, StorageError, lack_of_memory

__all__ = ["failures_reported"]


@contextmanager
def failures_reported(title: str, limits: Limits) -> Iterator[None]:
    """Turn whatever a parser of bytes from outside raises into an error of the tree; the original is in the log."""
    try:
        yield
    except PlumblineError:
        raise
    except Exception as error:
        if "max_temp_directory_size" in str(error):
            raise LimitError(
                f"The {title} file needs more temporary space on the disk than there is for it.",
                "Free some space, or upload it in parts.",
            ) from error
        out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException"  # of DuckDB
        if refused := lack_of_memory(MemoryError() if out_of_memory else error, limits.memory_mb):
            raise refused from error
        if out_of_memory:
            raise LimitError(
                f"The {title} file needs more than {limits.memory_mb:,} MB of memory.",
                "Upload it in parts, or raise PLUMBLINE_READ_MEMORY_MB.",
            ) from error
        if is_of_the_disk(error):
            raise StorageError(f"The table cannot be stored: {error}.", "Free space on the disk.") from error
        traceback.print_exc()
        raise InputError(
            f"The {title} file is damaged, or unlike any that is read ({type(error).__name__}: {str(error)[:200]}).",
            "Save it again, or in another format. If other programs read it, please report it with the file.",
        ) from error
