"""`LatencySuiteReport`: everything that a suite measured, as it is stored in ``latency.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import JsonValue, PlainSerializer, PlainValidator, TypeAdapter

from core.edge.latency.analyses.roofline import Roofline
from core.edge.latency.analyses.slo import SloVerdict
from core.edge.latency.analyses.suite_settings import LatencySuiteSettings
from core.edge.latency.facts import Roof
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LatencySuiteReport", "OperatorProfile", "PreprocessingReport", "SloReport", "SuiteError", "SweepValue"]

SweepValue = bool | int | float | str | None


@dataclass(frozen=True)
class OperatorProfile:
    """The time of one operator, as `profile_operators` has it.

    Parameters
    ----------
    operator : str
        Type of the operator.
    nodes : int
        Nodes of the optimized graph.
    calls : int
        Number of times they ran.
    total_ms : float
        Milliseconds in all.
    share : float
        Share of the time of all operators.
    mean_us : float
        Microseconds per call.
    """

    operator: str
    nodes: int
    calls: int
    total_ms: float
    share: float
    mean_us: float


@dataclass(frozen=True)
class PreprocessingReport:
    """A variant measured with preprocessing, to compare with the model as it was trained."""

    variant: str
    report: LatencyReport

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report, with the variant's name."""
        return {"variant": self.variant, **self.report.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue] | PreprocessingReport) -> PreprocessingReport:
        """Read what `to_dict` wrote."""
        if isinstance(values, PreprocessingReport):
            return values
        return cls(str(values["variant"]), LatencyReport.from_dict(values))


@dataclass(frozen=True)
class SloReport:
    """A variant measured at the rate of an objective, and whether it meets it."""

    verdict: SloVerdict
    report: LatencyReport


@dataclass(frozen=True)
class SuiteError:
    """A part of the suite that failed.

    Parameters
    ----------
    of : str
        The variant, or the part.
    doing : str
        The step that failed.
    message, hint : str
        The error, and what the user can do about it.
    """

    of: str
    doing: str
    message: str
    hint: str


def _stored_settings(values: Mapping[str, Any] | LatencySuiteSettings) -> LatencySuiteSettings:
    """Return the settings of a stored report, whether or not this machine could run them."""
    if isinstance(values, LatencySuiteSettings):
        return values
    plain = LatencySuiteSettings(**{**values, "latency": LatencySettings()})
    return plain.model_copy(update={"latency": LatencySettings.from_stored(values["latency"])})


def _dump_settings(settings: LatencySuiteSettings) -> dict[str, JsonValue]:
    return settings.model_dump(mode="json")


@dataclass(frozen=True)
class LatencySuiteReport:
    """The result of a latency suite.

    Parameters
    ----------
    settings : LatencySuiteSettings
        Settings of the suite.
    reports : dict of LatencyReport
        Measurements by variant.
    native : LatencyReport, optional
        Measurement of the model as it was trained.
    with_preprocessing : PreprocessingReport, optional
        Measurement of the first variant with preprocessing, to compare with `native`.
    profiles : dict of list of OperatorProfile
        Operators by variant, the longest first.
    roof : Roof, optional
        Limits of the machine.
    rooflines : dict of Roofline
        Comparison with these limits, by variant; models without matrix products (trees) have none.
    slo : dict of SloReport
        Whether the objective is met, by variant.
    sweep : list of dict
        One row per combination: variant, the axes, the columns of `sweep`, and ``pareto``.
    errors : list of SuiteError
        Parts that failed.
    stopped : bool, default=False
        Whether the rest was skipped because the suite was stopped.
    export, metric : str, optional
        The run of the export, and the metric of `accuracy` in the sweep; a run of the suite adds them.

    See Also
    --------
    run_latency_suite : Measures.
    """

    settings: Annotated[LatencySuiteSettings, PlainValidator(_stored_settings), PlainSerializer(_dump_settings)]
    reports: dict[str, LatencyReport] = field(default_factory=dict)
    native: LatencyReport | None = None
    with_preprocessing: (
        Annotated[
            PreprocessingReport,
            PlainValidator(PreprocessingReport.from_dict),
            PlainSerializer(PreprocessingReport.to_dict),
        ]
        | None
    ) = None
    profiles: dict[str, list[OperatorProfile]] = field(default_factory=dict)
    roof: Roof | None = None
    rooflines: dict[str, Roofline] = field(default_factory=dict)
    slo: dict[str, SloReport] = field(default_factory=dict)
    sweep: list[dict[str, SweepValue]] = field(default_factory=list)
    errors: list[SuiteError] = field(default_factory=list)
    stopped: bool = False
    export: str | None = None
    metric: str | None = None

    def samples(self) -> pd.DataFrame:
        """Return the latency of every request, columns variant and ms; empty when read from JSON."""
        import numpy as np
        import pandas as pd

        counts = [len(report.samples_ms) for report in self.reports.values()]
        samples = [report.samples_ms for report in self.reports.values()]
        return pd.DataFrame(
            {
                "variant": np.repeat(np.array(list(self.reports), dtype=object), counts),
                "ms": np.concatenate(samples).round(6) if samples else np.empty(0),
            }
        )

    def to_dict(self) -> dict[str, JsonValue]:
        """Return everything but the samples as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> LatencySuiteReport:
        """Read what `to_dict` wrote; the samples are not included."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[LatencySuiteReport]:
    return TypeAdapter(LatencySuiteReport)
