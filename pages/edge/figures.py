"""What exports and measurements have stored, read once and kept by content; and their figures as tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core import exports
from core.catalog import Run
from core.tasks import latency
from pages._ui import artifacts

__all__ = ["NATIVE", "PERCENTILES", "export", "measurement", "samples", "summary"]

PERCENTILES = ("50", "90", "95", "99", "99.9")
NATIVE = "as trained"
_PARTS = {"": "value", "low_": "low", "high_": "high"}


def export(run: Run) -> dict[str, Any]:
    """Return an export's ``edge.json``."""
    return artifacts.json_of(run, exports.EDGE)


def measurement(run: Run) -> dict[str, Any]:
    """Return a measurement's ``latency.json``."""
    return artifacts.json_of(run, latency.LATENCY)


def samples(run: Run) -> pd.DataFrame:
    """Return every request of a measurement: variant, ms."""
    return artifacts.table_of(run, latency.SAMPLES)


def summary(found: dict[str, Any]) -> pd.DataFrame:
    """Return one row a variant, with what people compare; percentiles without enough samples are empty."""
    rows = []
    named = found["reports"] | ({} if found["native"] is None else {NATIVE: found["native"]})
    for name, report in named.items():
        row: dict[str, Any] = {"variant": name, "scenario": report["settings"]["scenario"]}
        for percent in PERCENTILES:
            item = report["percentiles"][percent]
            row |= {f"p{percent}_{key}ms": item[name] for key, name in _PARTS.items()}
        row |= {
            "samples": report["requests"],
            "throughput_a_second": report["throughput"],
            "cpu_ms_an_inference": 1000 * report["cpu_s_per_inference"],
            "peak_memory_mb": report["peak_rss_mb"],
            "load_ms": report["load_ms"],
            "first_ms": report["first_ms"],
            "stable": report["stable"],
            "busy_machine": report["machine"]["busy"],
            "preprocessing": report["preprocessing"],
            "size_mb": report["size_bytes"] / 1e6,
        }
        rows.append(row)
    return pd.DataFrame(rows)
