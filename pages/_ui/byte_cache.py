"""A cache for what pages share, bounded by the bytes of its values and not by their number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from core.process_memory import give_back, is_high

__all__ = ["ByteCache"]

T = TypeVar("T")


class ByteCache:
    """Values by key, of which those that were not used for longest are dropped once all are too large.

    Streamlit's caches count entries, and `st.cache_data` makes a copy of a value each time. These values are shared:
    callers must not change them. A value that is larger than the limit alone is returned and not kept. Where the
    process would have too much memory while a value is made, all others are dropped first.

    Parameters
    ----------
    max_bytes : int
        Size of all values together.

    Examples
    --------
    >>> cache = ByteCache(10)
    >>> cache.get("a", lambda: "text", len), cache.get("a", lambda: "another", len)
    ('text', 'text')
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all values."""
        with self._lock:
            return sum(size for _, size in self._values.values())

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._values.clear()

    def get(self, key: Hashable, make: Callable[[], T], size_of: Callable[[T], int], needed_mb: float = 0.0) -> T:
        """Return the value of a key, which is made where there is none.

        Parameters
        ----------
        key : hashable
            Key of the value.
        make : callable
            Function that makes it.
        size_of : callable
            Function that returns the bytes of a value.
        needed_mb : float, default=0
            Memory that making it needs for a moment (MB).
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                value: T = self._values[key][0]
                return value
        if is_high(needed_mb):
            self.clear()
            give_back()
        value = make()  # two sessions may do so at once: neither waits for the other
        size = size_of(value)
        if needed_mb:
            give_back()
        if size <= self.max_bytes:
            with self._lock:
                self._values[key] = value, size
                self._values.move_to_end(key)
                total = sum(size for _, size in self._values.values())
                while total > self.max_bytes:
                    _, (_, dropped) = self._values.popitem(last=False)
                    total -= dropped
        return value
