"""Results of guardrails."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from core.jsonable import JsonObject

__all__ = ["Finding", "Level"]

Level = Literal["passed", "notice", "alert"]


@dataclass(frozen=True)
class Finding:
    """One result of one guardrail.

    Parameters
    ----------
    check : str
        Name of the check, such as "leakage".
    level : {"passed", "notice", "alert"}
        Severity: a notice is worth knowing, with an alert a model would mislead.
    column : str or None
        Name of the column that it is about.
    message : str
        Sentence with the result and its numbers.
    hint : str, default=""
        Instruction: what to do about it.
    values : mapping, default={}
        Numbers of the result, JSON-serializable.
    """

    check: str
    level: Level
    column: str | None
    message: str
    hint: str = ""
    values: JsonObject = field(default_factory=dict)

    def to_dict(self) -> JsonObject:
        """Return the finding as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> Finding:
        """Return the finding from what `to_dict` returned."""
        return cls(**values)
