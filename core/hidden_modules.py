"""Importing a library without what it would load besides, and can do without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["hidden_modules"]


@contextmanager
def hidden_modules(*names: str) -> Iterator[None]:
    """Let imports within the block find none of these modules, unless they are loaded already.

    Parameters
    ----------
    *names : str
        Names of modules.

    Examples
    --------
    >>> with hidden_modules("wave"):
    ...     import wave
    Traceback (most recent call last):
    ModuleNotFoundError: import of wave halted; None in sys.modules
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: it cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
