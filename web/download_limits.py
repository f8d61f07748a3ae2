"""A limit on the files for download and images that are held in memory until no open page names them."""

from __future__ import annotations

from typing import Any

from streamlit.runtime import Runtime
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from core.errors import LimitError

__all__ = ["held_downloads", "limit_downloads"]

_MB = 2**20


def limit_downloads(limit_mb: int, storage: MemoryMediaFileStorage | None = None) -> None:
    """Let the store of a server refuse files for which it has no memory left.

    Parameters
    ----------
    limit_mb : int
        Size of all files together (MB).
    storage : MemoryMediaFileStorage, optional
        Store; by default that of the server of this process.
    """
    store = storage or _storage()
    add = store.load_and_get_id

    def limited(path_or_data: str | bytes, *args: Any, **values: Any) -> str:
        if isinstance(path_or_data, bytes) and held_downloads(store) + len(path_or_data) > limit_mb * _MB:
            raise LimitError(
                f"The file was not made: files for download fill the memory that they may take ({limit_mb:,} MB).",
                "Try again in a few minutes.",
            )
        return add(path_or_data, *args, **values)

    store.load_and_get_id = limited  # type: ignore[method-assign]


def held_downloads(storage: MemoryMediaFileStorage | None = None) -> int:
    """Return the bytes of files for download and of images in memory."""
    store = storage or _storage()
    return sum(file.content_size for file in list(store._files_by_id.values()))


def _storage() -> MemoryMediaFileStorage:
    storage = Runtime.instance().media_file_mgr._storage
    assert isinstance(storage, MemoryMediaFileStorage)
    return storage
