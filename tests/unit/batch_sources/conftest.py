"""Settings of an installation, and a private PostgreSQL server where its programs are installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.catalog.conftest import postgresql

__all__ = ["postgresql", "use"]

Use = Callable[..., Path]


@pytest.fixture
def use(installation: Any, tmp_path: Path) -> Iterator[Use]:
    """``use(PROFILE="team")`` uses an installation with these settings, and returns its folder."""
    with contextlib.ExitStack() as stack:

        def begin(**settings: object) -> Path:
            values = {name: str(value) for name, value in settings.items()}
            home: Path = stack.enter_context(installation(tmp_path / "home", **values))
            return home

        yield begin
