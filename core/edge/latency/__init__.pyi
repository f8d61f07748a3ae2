from ._inputs import Cells, Texts
from ._measure import measure_latency
from ._percentiles import Percentile
from ._report import LatencyReport
from ._settings import LatencySettings, Limits, Slo, providers
from .analyses.native import measure_native
from .analyses.profile import profile_operators
from .analyses.roofline import Roof, Roofline, machine_roof, roofline
from .analyses.slo import SloVerdict, measure_slo, slo_duration_s, verdict
from .analyses.suite import run_latency_suite
from .analyses.suite_settings import LatencySuiteSettings, LatencySuiteTarget
from .analyses.sweep import pareto, sweep

__all__ = [
    "Cells",
    "LatencyReport",
    "LatencySettings",
    "LatencySuiteSettings",
    "LatencySuiteTarget",
    "Limits",
    "Percentile",
    "Roof",
    "Roofline",
    "Slo",
    "SloVerdict",
    "Texts",
    "machine_roof",
    "measure_latency",
    "measure_native",
    "measure_slo",
    "pareto",
    "profile_operators",
    "providers",
    "roofline",
    "run_latency_suite",
    "slo_duration_s",
    "sweep",
    "verdict",
]
