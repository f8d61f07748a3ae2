"""Settings of a comparison of mitigations; validated here, stored with its result."""

from __future__ import annotations

from pydantic import Field, field_validator

from core.checked import CheckedSettings
from core.fairness.metrics.options import MIN_GROUP_SIZE
from core.fairness.postprocessing.objectives import CONSTRAINTS
from core.fairness.reductions.techniques import TECHNIQUES
from core.registry import unknown_name

__all__ = ["MitigationSettings"]


class MitigationSettings(CheckedSettings):
    """Settings of `mitigate`.

    Parameters
    ----------
    sensitive_columns : tuple of str
        Columns whose groups are compared; several are intersected.
    constraint : str, default="demographic_parity"
        Name of one of `CONSTRAINTS` that Fairlearn can train with: demographic_parity, true_positive_rate_parity,
        false_positive_rate_parity or equalized_odds.
    techniques : tuple of str, optional
        Names of `TECHNIQUES`; all by default.
    difference_bound : float, default=0.02
        Difference that exponentiated gradient and grid search allow in training.
    iterations : int, default=20
        Maximum iterations of exponentiated gradient's outer loop.
    grid_size : int, default=10
        Number of models that grid search fits.
    bins : int, default=4
        Bins for numeric columns with many values.
    min_group_size : int, default=30
        Smaller groups are left out of the disparity.
    seed : int, default=0
        Seed of the learners.

    Raises
    ------
    SettingsError
        When a value is invalid.

    Examples
    --------
    >>> MitigationSettings(sensitive_columns=("sex",)).constraint
    'demographic_parity'
    """

    sensitive_columns: tuple[str, ...] = Field(min_length=1)
    constraint: str = "demographic_parity"
    techniques: tuple[str, ...] = Field(default_factory=lambda: tuple(TECHNIQUES))
    difference_bound: float = Field(default=0.02, gt=0, le=1)
    iterations: int = Field(default=20, ge=1, le=500)
    grid_size: int = Field(default=10, ge=2, le=200)
    bins: int = Field(default=4, ge=2, le=20)
    min_group_size: int = Field(default=MIN_GROUP_SIZE, ge=0)
    seed: int = Field(default=0, ge=0)

    @field_validator("constraint")
    @classmethod
    def _check_constraint(cls, name: str) -> str:
        known = [key for key, record in CONSTRAINTS.items() if record.fairlearn_moment is not None]
        if name not in known:
            raise ValueError(f"unknown constraint '{name}'. {unknown_name(name, known)}")
        return name

    @field_validator("techniques")
    @classmethod
    def _check_techniques(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("no technique is chosen")
        for name in names:
            if name not in TECHNIQUES:
                raise ValueError(f"unknown technique '{name}'. {unknown_name(name, TECHNIQUES)}")
        return names
