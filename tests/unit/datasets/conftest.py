"""Tests of what is read do without a process for each file; those of limits ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import get_settings


@pytest.fixture(autouse=True, scope="session")
def reading_in_this_process() -> Iterator[None]:
    """Set no limits on memory and processor time, as `Limits(memory_mb=0)` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_READ_MEMORY_MB", "0")
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()
