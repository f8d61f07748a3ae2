"""Order of versions."""

from __future__ import annotations

import re

__all__ = ["version_key"]


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts versions by their numbers, not as texts.

    Examples
    --------
    >>> sorted(["10", "9", "1.10", "1.9", "1.9-beta"], key=version_key)
    ['1.9-beta', '1.9', '1.10', '9', '10']
    """
    parts = re.split(r"[.\-_+]", version)
    numbered = [
        (1, int(part), "") if part.isascii() and part.isdigit() and len(part) < 100 else (-1, 0, part) for part in parts
    ]
    return (*numbered, (0, 0, ""))
