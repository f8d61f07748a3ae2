"""What a person decides and types for a bias audit; it is stored with the dataset, so that a reload keeps it."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any, TypeVar

import streamlit as st

from core.catalog import Dataset, Run, datasets
from pages._ui import address, frame

__all__ = ["AuditStudy"]

V = TypeVar("V")

_MAX_TEXT = 4_000


class AuditStudy:
    """Stored values of an audit, the widgets that show them, and what these change.

    Parameters
    ----------
    dataset : Dataset
        The table.
    run : Run or None
        The run whose model is audited; None for the table's own decisions.
    """

    def __init__(self, dataset: Dataset, run: Run | None) -> None:
        self._dataset, self._audited = dataset, "" if run is None else run.id
        self._stored: dict[str, Any] = dataset.audits.get(self._audited, {})
        self._values: dict[str, Any] = copy.deepcopy(self._stored)

    def category(self, column: str, value: str) -> str | None:
        """Return the category that was chosen for a value of a column; None where the suggestion stands."""
        chosen = self._stored.get("categories", {}).get(column, {}).get(value)
        return None if chosen is None else str(chosen)

    def keep_category(self, column: str, value: str, category: str | None) -> None:
        """Keep the category of a value, None for the suggested one."""
        if category is not None:
            self._values.setdefault("categories", {}).setdefault(column, {})[value] = category
        elif self.category(column, value) is not None:
            del self._values["categories"][column][value]

    def text(self, name: str, label: str, *, default: str = "") -> str:
        """Draw a line of text."""
        key = self._follow(name, default)
        return self._keep(name, st.text_input(label, max_chars=_MAX_TEXT, key=key), default)

    def long_text(self, name: str, label: str, *, placeholder: str = "") -> str:
        """Draw a text of several lines."""
        key = self._follow(name, "")
        return self._keep(name, st.text_area(label, max_chars=_MAX_TEXT, placeholder=placeholder, key=key), "")

    def toggle(self, name: str, label: str, *, default: bool, help_text: str) -> bool:
        """Draw a switch."""
        key = self._follow(name, default)
        return self._keep(name, st.toggle(label, help=help_text, key=key), default)

    def date(self, name: str, label: str) -> dt.date | None:
        """Draw a date that may be left empty."""
        key, stored = self._key(name), self._stored.get(name)
        address.follow(None if stored is None else dt.date.fromisoformat(stored), key)
        chosen = st.date_input(label, value=None, key=key)
        day = chosen if isinstance(chosen, dt.date) else None
        self._keep(name, None if day is None else day.isoformat(), None)
        return day

    def store(self) -> None:
        """Store what was changed."""
        if self._values != self._stored:
            datasets.set_audit(self._dataset.id, self._audited, self._values, access=frame.access())

    def _key(self, name: str) -> str:
        return f"fairness-audit-{name}-{self._dataset.id}-{self._audited}"

    def _follow(self, name: str, default: str | bool) -> str:
        key = self._key(name)
        address.follow(self._stored.get(name, default), key)
        return key

    def _keep(self, name: str, value: V, default: V) -> V:
        if value == default:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        return value
