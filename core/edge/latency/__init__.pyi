from .analyses.native import measure_native
from .analyses.profile import profile_operators
from .analyses.roofline import Roofline, machine_roof, roofline
from .analyses.slo import SloVerdict, measure_slo, slo_duration_s, verdict
from .analyses.suite import run_latency_suite
from .analyses.suite_report import LatencySuiteReport, OperatorProfile, PreprocessingReport, SloReport, SuiteError
from .analyses.suite_settings import AXES, LatencySuiteSettings, LatencySuiteTarget
from .analyses.sweep import pareto, sweep
from .facts import Roof
from .inputs import Cells, RawInputs, Texts
from .measure import measure_latency
from .percentiles import PERCENTS, Percentile
from .report import LatencyReport
from .scenarios import SCENARIOS, Scenario
from .settings import LatencySettings, Limits, Slo, providers

__all__ = [
    "AXES",
    "PERCENTS",
    "SCENARIOS",
    "Cells",
    "LatencyReport",
    "LatencySettings",
    "LatencySuiteReport",
    "LatencySuiteSettings",
    "LatencySuiteTarget",
    "Limits",
    "OperatorProfile",
    "Percentile",
    "PreprocessingReport",
    "RawInputs",
    "Roof",
    "Roofline",
    "Scenario",
    "Slo",
    "SloReport",
    "SloVerdict",
    "SuiteError",
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
