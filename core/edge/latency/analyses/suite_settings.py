"""What is measured in one visit to the latency lab, and of which model."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from core.checked import CheckedSettings
from core.edge.latency._settings import LatencySettings, Limits, Slo

__all__ = ["AXES", "LatencySuiteSettings", "LatencySuiteTarget"]

AXES = ("intra_op_threads", "batch_size", "graph_optimization", "sequence_length")
"""Settings that a sweep varies."""


class LatencySuiteSettings(CheckedSettings):
    """What is measured in one visit.

    Parameters
    ----------
    variants : tuple of str
        Names of the variants, measured one after the other with the same settings.
    latency : LatencySettings
        How.
    inputs : str
        data: rows or texts that the model did not learn from; random: tensors by the graph's shapes.
    preprocessing : bool
        Whether the building of inputs, or tokenising, is in the timed part.
    native : bool
        Measure the model as it was trained, too, pre-processing in both.
    profile : bool
        Which operators the time goes to.
    roof : bool
        How near to this machine's limits it is.
    slo : Slo or None
        An objective to judge; each variant is measured at its rate as well.
    sweep : dict of list
        Values by the name of a setting (`AXES`); all combinations are measured for all variants.

    Raises
    ------
    SettingsError
        When a value, or a combination, is invalid.

    Examples
    --------
    >>> LatencySuiteSettings(variants=("fp32",), sweep={"batch_size": [1, 8]}).measurements
    3
    """

    variants: tuple[str, ...] = Field(min_length=1)
    latency: LatencySettings = LatencySettings()
    inputs: Literal["data", "random"] = "data"
    preprocessing: bool = False
    native: bool = False
    profile: bool = True
    roof: bool = True
    slo: Slo | None = None
    sweep: dict[str, list[Any]] = Field(default_factory=dict)

    @field_validator("sweep")
    @classmethod
    def _known(cls, axes: dict[str, list[Any]]) -> dict[str, list[Any]]:
        unknown = [name for name in axes if name not in AXES]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is no axis; there is {', '.join(AXES)}")
        return {name: values for name, values in axes.items() if values}

    @property
    def measurements(self) -> int:
        """How many measurements that makes."""
        combinations = prod(map(len, self.sweep.values())) if self.sweep else 0
        return len(self.variants) * (1 + combinations + (self.slo is not None)) + self.native


@dataclass(frozen=True)
class LatencySuiteTarget:
    """The model that is measured.

    Parameters
    ----------
    variants : dict of Path
        Files by name.
    inputs : DataFrame, Texts or None
        Rows that it did not learn from; None where there are none.
    native : Path or None
        The folder of the model as it was trained.
    accuracy : dict of float
        By variant, of the rows held out.
    limits : Limits
        Of the measuring process.
    """

    variants: dict[str, Path]
    inputs: Any = None
    native: Path | None = None
    accuracy: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
