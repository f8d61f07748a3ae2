"""One result of one check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Finding", "Level"]

Level = Literal["passed", "notice", "alert"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    check : str
        The check: missing_target, constant, identifier, duplicate_rows, missing, high_cardinality, imbalance,
        small_classes, dates_as_text, leakage, near_duplicates, sensitive.
    level : str
        passed, notice (worth knowing) or alert (a model would mislead).
    column : str or None
        The column it is about.
    message : str
        What was found, with the figures.
    hint : str
        What to do about it.
    values : mapping
        The figures, JSON-serialisable.
    """

    check: str
    level: Level
    column: str | None
    message: str
    hint: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain, JSON-serialisable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Finding:
        """Return the finding that `to_dict` described."""
        return cls(**values)
