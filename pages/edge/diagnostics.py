"""The tabs Operators, Roofline and Method of a measurement."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from core.edge.latency import LatencySuiteReport
from pages._ui import frame
from pages.edge import charts, work_charts
from pages.edge.charts import milliseconds

__all__ = ["method", "operators", "roofline"]


def operators(report: LatencySuiteReport) -> None:
    """Draw the time of each operator."""
    profiles = report.profiles
    if not profiles:
        st.caption("Operators were not profiled.")
        return
    name = st.radio("Variant", list(profiles), horizontal=True, key="edge-profile-variant")
    table = pd.DataFrame([asdict(profile) for profile in profiles[name]])
    top = max(profiles[name], key=lambda profile: profile.share)
    left, right = st.columns(2, gap="medium")
    with left:
        work_charts.operators(table, f"{top.operator} takes {top.share:.0%} of the time")
    with right:
        st.dataframe(
            table.assign(share=100 * table["share"]).rename(
                columns={
                    "operator": "Operator",
                    "nodes": "Nodes",
                    "calls": "Calls",
                    "total_ms": "Total (ms)",
                    "share": "Time (%)",
                    "mean_us": "Per call (µs)",
                }
            ),
            hide_index=True,
            column_config={
                "Total (ms)": st.column_config.NumberColumn(format="%.1f"),
                "Time (%)": st.column_config.NumberColumn(format="%.1f"),
                "Per call (µs)": st.column_config.NumberColumn(format="%.1f"),
            },
            alt="Time by operator",
        )
    st.caption("Profiled in a separate run: the profiler costs time, so it is off while latency is measured.")


def roofline(report: LatencySuiteReport) -> None:
    """Draw the variants and the limits of the machine."""
    lines, roof = report.rooflines, report.roof
    if not lines or roof is None:
        st.info(
            "A roofline is for matrix products. Trees compare and look up, so they have none.",
            icon=":material/info:",
        )
        return
    best = max(lines, key=lambda name: lines[name].share)
    work_charts.roofline(roof, lines, f"{best} reaches {lines[best].share:.0%} of this machine's limit")
    st.caption(
        f"Measured on this machine with {roof.threads} thread{'s' * (roof.threads > 1)}: "
        f"{roof.gflops:,.0f} GFLOP/s in float32 and {roof.read_gb_s:.1f} GB/s. "
        "An 8-bit model can reach more than 100%, because the limit is that of float32."
    )


def method(report: LatencySuiteReport) -> None:
    """Draw how the measurement was done."""
    name = st.radio("Variant", list(report.reports), horizontal=True, key="edge-method-variant")
    measured = report.reports[name]
    machine, server = measured.machine, measured.server
    facts = {
        "Load": milliseconds(measured.load_ms),
        "First request": milliseconds(measured.first_ms),
        "Warm-up": f"{measured.warmup.count:,} requests",
        "Three windows": ", ".join(milliseconds(value) for value in measured.windows_ms),
        "Harness floor": f"{measured.harness_floor_us:.1f} µs, on an empty graph",
        "Memory": f"{measured.peak_rss_mb:,.0f} MB at peak, {measured.rss_before_mb:,.0f} MB before the model",
        "Pinned to cores": ", ".join(map(str, machine.pinned)) or "not pinned",
        "Load average before": "–" if machine.load_before is None else f"{machine.load_before:.2f}",
        "Cores used by others": "–" if machine.others_cpu is None else f"{machine.others_cpu:.2f}",
        "Governor": machine.governor or "unknown",
        "Platform": machine.platform,
    }
    if server is not None:
        facts |= {
            "Offered, answered": f"{server.offered_qps:.1f}, {server.achieved_qps:.1f} requests per second",
            "Utilization": f"{server.utilisation:.0%}",
            "Queue at the end": f"{server.queue_at_end:,}",
        }
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal")
    with right:
        charts.windows(measured, "Warm-up; dashed: the three windows after it")
        st.markdown("**Settings**")
        st.json(report.to_dict()["settings"], expanded=False)
    if server is not None and server.probes:
        st.markdown("**Rates that were tried**")
        st.dataframe(
            pd.DataFrame([asdict(probe) for probe in server.probes]).rename(
                columns={
                    "qps": "Requests per second",
                    "requests": "Requests",
                    "p99_ms": "p99 (ms)",
                    "kept_up": "Kept up",
                    "met": "Within the bound",
                }
            ),
            hide_index=True,
            alt="Rates that were tried",
        )
