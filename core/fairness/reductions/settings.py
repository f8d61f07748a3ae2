"""What a comparison of mitigations is asked to do; validated here, stored with its result."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from core.checked import CheckedSettings

__all__ = ["TECHNIQUES", "MitigationSettings"]

TECHNIQUES = {
    "reweighing": "Reweighing",
    "correlation_remover": "Correlation remover",
    "exponentiated_gradient": "Exponentiated gradient",
    "grid_search": "Grid search",
}
"""Techniques that train a model anew, with the names people know them by."""


class MitigationSettings(CheckedSettings):
    """Settings of `mitigate`.

    Parameters
    ----------
    sensitive_columns : tuple of str
        Whose groups are compared; several are intersected.
    constraint : str
        demographic_parity, true_positive_rate_parity, false_positive_rate_parity or equalized_odds.
    techniques : tuple of str
        Names from `TECHNIQUES`.
    difference_bound : float
        The difference that exponentiated gradient and grid search allow in training.
    iterations : int
        Most fits of exponentiated gradient's outer loop.
    grid_size : int
        Fits of grid search.
    bins : int
        Groups of a number with many values.
    min_group_size : int
        Smaller groups are left out of the disparity.
    seed : int
        Of the learners.

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
    constraint: Literal[
        "demographic_parity", "true_positive_rate_parity", "false_positive_rate_parity", "equalized_odds"
    ] = "demographic_parity"
    techniques: tuple[str, ...] = tuple(TECHNIQUES)
    difference_bound: float = Field(default=0.02, gt=0, le=1)
    iterations: int = Field(default=20, ge=1, le=500)
    grid_size: int = Field(default=10, ge=2, le=200)
    bins: int = Field(default=4, ge=2, le=20)
    min_group_size: int = Field(default=30, ge=0)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _known(self) -> MitigationSettings:
        unknown = sorted(set(self.techniques) - set(TECHNIQUES))
        if unknown:
            raise ValueError(f"unknown technique {unknown}; choose from {', '.join(TECHNIQUES)}")
        if not self.techniques:
            raise ValueError("no technique is chosen")
        return self
