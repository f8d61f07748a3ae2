"""Latency testing that does not lie: each measurement in a process of its own, with its doubts beside its figures.

Importing this package is cheap: ONNX Runtime loads in the measuring process only, never in the caller's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.edge.latency._settings import LatencySettings, Limits, Slo, providers

if TYPE_CHECKING:
    from core.edge.latency._inputs import Cells, Texts
    from core.edge.latency._measure import measure_latency
    from core.edge.latency._native import measure_native
    from core.edge.latency._percentiles import Percentile
    from core.edge.latency._profile import profile_operators
    from core.edge.latency._report import LatencyReport
    from core.edge.latency._roof import Roof, Roofline, machine_roof, roofline
    from core.edge.latency._slo import SloVerdict, measure_slo, verdict
    from core.edge.latency._sweep import pareto, sweep

__all__ = [
    "Cells",
    "LatencyReport",
    "LatencySettings",
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
    "sweep",
    "verdict",
]

_HOMES = {
    "Cells": "_inputs",
    "LatencyReport": "_report",
    "Percentile": "_percentiles",
    "Roof": "_roof",
    "Roofline": "_roof",
    "SloVerdict": "_slo",
    "Texts": "_inputs",
    "machine_roof": "_roof",
    "measure_latency": "_measure",
    "measure_native": "_native",
    "measure_slo": "_slo",
    "pareto": "_sweep",
    "profile_operators": "_profile",
    "roofline": "_roof",
    "sweep": "_sweep",
    "verdict": "_slo",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
