"""Memory of a process that lives long: what was freed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import sys
from collections.abc import Callable
from functools import lru_cache

import psutil

__all__ = ["give_back", "is_high", "keep_below", "settle", "use_system_allocator"]

_POOL = "ARROW_DEFAULT_MEMORY_POOL"
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD
_ARENAS = 2
_MB = 2**20
_high_mb = math.inf
_settled = 0


def use_system_allocator() -> None:
    """Let Arrow allocate from the system, which takes freed memory back: Arrow's own pool keeps it.

    Readers of Parquet use the pool that the library had when it was loaded, so this comes before anything imports it.
    """
    given = os.environ.get(_POOL)
    os.environ[_POOL] = "system"
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    if given is None:  # runs, which are started from here, use what suits them
        del os.environ[_POOL]
    else:
        os.environ[_POOL] = given
    set_option = _function("mallopt")
    if set_option is not None:
        set_option(_ARENA_MAX, _ARENAS)  # each thread of a session would have one of its own, which keeps what it freed
        set_option(_MMAP_THRESHOLD, _MB)  # what is larger goes back as soon as it is freed


def keep_below(megabytes: float) -> None:
    """Set the memory (MB) above which `is_high` says that there is too much."""
    global _high_mb
    _high_mb = megabytes


def is_high(needed_mb: float = 0.0) -> bool:
    """Return whether this process would have more memory than `keep_below` says; never where that was not called.

    Parameters
    ----------
    needed_mb : float, default=0
        Memory that is needed for a moment (MB).
    """
    used_mb: float = psutil.Process().memory_info().rss / _MB
    return used_mb + needed_mb > _high_mb


def settle() -> None:
    """Let the garbage collector pass over what a server has loaded; elsewhere nothing happens.

    Streamlit collects after each run of a script, which looks at every object. Most are of modules, which stay:
    they are set aside whenever more modules have been loaded.
    """
    global _settled
    loaded = len(sys.modules)
    if math.isinf(_high_mb) or loaded == _settled:
        return
    _settled = loaded
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Give memory that is free within the process back to the system, after much was used for a moment."""
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


@lru_cache(maxsize=8)
def _function(name: str) -> Callable[..., int] | None:
    """Return a function of glibc, or None where the system has another C library."""
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return function
