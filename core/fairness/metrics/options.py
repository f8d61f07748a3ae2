"""Options of metrics by group that do not change the counts."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import SettingsError
from core.fairness.metrics.arrays import Label
from core.fairness.metrics.labels import PositiveLabel

__all__ = ["MIN_GROUP_SIZE", "Options"]

MIN_GROUP_SIZE = 30
"""Rows below which a group is flagged as small, unless the caller says otherwise."""


@dataclass(frozen=True)
class Options:
    """Options of `GroupMetrics`; `group_metrics` describes each of them."""

    metrics: tuple[str, ...] | None = None
    confidence: float = 0.95
    n_boot: int = 2000
    min_group_size: int = MIN_GROUP_SIZE
    random_state: int = 0
    reference_group: Label | None = None
    positive: PositiveLabel | None = None

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise SettingsError(f"The confidence is {self.confidence}.", "Give a number between 0 and 1.")
        if self.n_boot < 100:
            raise SettingsError(f"{self.n_boot} permutations are too few for a test.", "Use 100 or more.")
        if self.min_group_size < 0:
            raise SettingsError(f"The minimum group size is {self.min_group_size}.", "Use 0 or more.")
