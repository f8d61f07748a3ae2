"""Behind a measurement: operators, the roof, and how it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages._ui import frame
from pages.edge import charts, work_charts
from pages.edge.charts import milliseconds

__all__ = ["method", "operators", "roofline"]


def operators(found: Mapping[str, Any]) -> None:
    profiles = found["profiles"]
    if not profiles:
        st.caption("Nothing was profiled.")
        return
    name = st.radio("Variant", list(profiles), horizontal=True, key="edge-profile-variant")
    rows = profiles[name]
    top = max(rows, key=lambda row: row["share"])
    left, right = st.columns(2, gap="medium")
    with left:
        work_charts.operators(rows, f"{top['operator']} takes {top['share']:.0%} of the time")
    with right:
        table = pd.DataFrame(rows).assign(share=lambda part: 100 * part["share"])
        st.dataframe(
            table.rename(
                columns={
                    "operator": "Operator",
                    "nodes": "Nodes",
                    "calls": "Calls",
                    "total_ms": "Total (ms)",
                    "share": "Time (%)",
                    "mean_us": "A call (µs)",
                }
            ),
            hide_index=True,
            column_config={
                "Total (ms)": st.column_config.NumberColumn(format="%.1f"),
                "Time (%)": st.column_config.NumberColumn(format="%.1f"),
                "A call (µs)": st.column_config.NumberColumn(format="%.1f"),
            },
            alt="Time by operator",
        )
    st.caption("Profiled in a run of its own: the profiler costs time, so no latency above is from it.")


def roofline(found: Mapping[str, Any]) -> None:
    lines = found["rooflines"]
    if not lines:
        st.info(
            "A roof is for matrix products. Trees compare and look up, so there is none for them.",
            icon=":material/info:",
        )
        return
    roof = found["roof"]
    best = max(lines, key=lambda name: lines[name]["share"])
    work_charts.roofline(roof, lines, f"{best} reaches {lines[best]['share']:.0%} of this machine's roof")
    st.caption(
        f"Measured on this machine with {roof['threads']} thread{'s' * (roof['threads'] > 1)}: "
        f"{roof['gflops']:,.0f} GFLOP/s in float32 and {roof['read_gb_s']:.1f} GB/s. "
        "Above 100 % an 8-bit model computes what float32 could not."
    )


def method(found: Mapping[str, Any]) -> None:
    reports = found["reports"]
    name = st.radio("Variant", list(reports), horizontal=True, key="edge-method-variant")
    report = reports[name]
    machine, server = report["machine"], report["server"]
    facts = {
        "Load": milliseconds(report["load_ms"]),
        "First request": milliseconds(report["first_ms"]),
        "Warm-up": f"{report['warmup']['count']:,} requests",
        "Three windows": ", ".join(milliseconds(value) for value in report["windows_ms"]),
        "Harness floor": f"{report['harness_floor_us']:.1f} µs, on a graph that does nothing",
        "Memory": f"{report['peak_rss_mb']:,.0f} MB at most, {report['rss_before_mb']:,.0f} MB before the model",
        "Pinned to cores": ", ".join(map(str, machine["pinned"] or [])) or "not pinned",
        "Load before": f"{machine['load_before']:.2f}",
        "Cores that others took": "–" if machine["others_cpu"] is None else f"{machine['others_cpu']:.2f}",
        "Governor": machine["governor"] or "unknown",
        "Platform": machine["platform"],
    }
    if server is not None:
        facts |= {
            "Offered, answered": f"{server['offered_qps']:.1f}, {server['achieved_qps']:.1f} requests a second",
            "Utilisation": f"{server['utilisation']:.0%}",
            "Waiting at the end": f"{server['queue_at_end']:,}",
        }
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal")
    with right:
        charts.windows(report, "Warm-up; dashed: the three windows after it")
        st.markdown("**Settings**")
        st.json(found["settings"], expanded=False)
    if server is not None and server["probes"]:
        st.markdown("**Rates that were tried**")
        st.dataframe(pd.DataFrame(server["probes"]), hide_index=True, alt="Rates that were tried")
