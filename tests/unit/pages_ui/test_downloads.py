"""Downloads are recorded where several people use an installation, each time that one is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from core.access import LOCAL
from core.catalog import audit
from core.errors import StorageError
from pages._ui import downloads, frame


def test_each_download_is_recorded_before_it_leaves(
    installation: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(st, "download_button", lambda label, data, **options: drawn.append((label, data, options)))
    monkeypatch.setattr(frame, "access", lambda: LOCAL)
    with installation(tmp_path / "home", PROFILE="team"):
        downloads.button("CSV", lambda: b"a,b", file_name="prices.csv", key="x")
        ((label, data, options),) = drawn
        assert (label, options) == ("CSV", {"file_name": "prices.csv", "key": "x"})
        assert audit.find(access=LOCAL) == []
        assert [data(), data()] == [b"a,b", b"a,b"]
        assert [(record.action, record.subject) for record in audit.find(access=LOCAL)] == [
            ("download", "prices.csv"),
            ("download", "prices.csv"),
        ]

        def full(*_: Any, **__: Any) -> None:
            raise StorageError("The disk is full.", "")

        monkeypatch.setattr(audit, "add", full)
        with pytest.raises(StorageError):
            data()
    with installation(tmp_path / "other", PROFILE="local"):
        downloads.button("CSV", b"a,b", file_name="prices.csv")
        assert drawn[-1][1] == b"a,b"
