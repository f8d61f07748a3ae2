"""Settings of the latency suite, and the model it measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from core.checked import CheckedSettings
from core.edge.latency.inputs import RawInputs
from core.edge.latency.settings import LatencySettings, Limits, Slo

__all__ = ["AXES", "LatencySuiteSettings", "LatencySuiteTarget"]

AXES = {
    "intra_op_threads": "Threads",
    "batch_size": "Batch size",
    "graph_optimization": "Graph optimization",
    "sequence_length": "Sequence length (tokens)",
}
"""Settings that a sweep can vary, with their titles."""


class LatencySuiteSettings(CheckedSettings):
    """Settings of `run_latency_suite`.

    Parameters
    ----------
    variants : tuple of str
        Names of the variants, measured one after the other with the same settings.
    latency : LatencySettings, default=LatencySettings()
        Settings of each measurement.
    inputs : {"data", "random"}, default="data"
        "data": rows or texts that the model was not trained on. "random": tensors in the shapes of the graph.
    preprocessing : bool, default=False
        Whether the building of inputs, or tokenization, is included in the timed part.
    native : bool, default=False
        Whether the model is also measured as it was trained, preprocessing included in both.
    profile : bool, default=True
        Whether operators are profiled.
    roof : bool, default=True
        Whether the variants are compared with this machine's limits.
    slo : Slo, optional
        An objective to judge; each variant is measured at its rate as well.
    sweep : dict of list, default={}
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
    sweep: dict[str, list[int | float | str]] = Field(default_factory=dict)

    @field_validator("sweep")
    @classmethod
    def _known_axes(cls, axes: dict[str, list[int | float | str]]) -> dict[str, list[int | float | str]]:
        unknown = [name for name in axes if name not in AXES]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is not an axis of a sweep; choose from {', '.join(AXES)}")
        return {name: values for name, values in axes.items() if values}

    @property
    def measurements(self) -> int:
        """Number of measurements."""
        combinations = prod(map(len, self.sweep.values())) if self.sweep else 0
        return len(self.variants) * (1 + combinations + (self.slo is not None)) + self.native


@dataclass(frozen=True)
class LatencySuiteTarget:
    """The model that a suite measures.

    Parameters
    ----------
    variants : dict of Path
        Files by the name of the variant.
    inputs : DataFrame, Texts or None, default=None
        Rows that the model was not trained on; None where there are none.
    native : Path, optional
        The folder of the model as it was trained.
    accuracy : dict of float, default={}
        Accuracy by variant, on held-out rows.
    limits : Limits, default=Limits()
        Limits of the measuring process.
    """

    variants: dict[str, Path]
    inputs: RawInputs | None = None
    native: Path | None = None
    accuracy: dict[str, float] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
