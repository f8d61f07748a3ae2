"""A measurement: the finding, what to doubt about it, percentiles, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Run
from pages._ui import badges, frame, numbers, tabs
from pages._ui.badges import Badge
from pages.edge import behind, charts, figures, sweeps
from pages.edge.charts import milliseconds

__all__ = ["show"]

_VERDICTS = {
    "met": Badge("Met", "green", ":material/check_circle:"),
    "not met": Badge("Not met", "red", ":material/cancel:"),
    "not enough samples": Badge("Not enough samples", "orange", ":material/hourglass_empty:"),
}
_SCENARIOS = {"single_stream": "Single stream", "server": "Server", "offline": "Offline"}


def show(run: Run) -> None:
    """Draw a finished measurement."""
    found = figures.measurement(run)
    st.subheader(frame.plain(_finding(found)))
    st.caption(_how(found))
    _doubts(found)
    if found["slo"]:
        _objective(found)
    sweep = {"Sweep": lambda: _sweep(found)} if found["sweep"] else {}
    tabs.show(
        {
            "Latency": lambda: _latency(run, found),
            **sweep,
            "Operators": lambda: behind.operators(found),
            "Roofline": lambda: behind.roofline(found),
            "Method": lambda: behind.method(found),
        },
        key="edge-latency-tabs",
    )


def _sweep(found: Mapping[str, Any]) -> None:
    sweeps.show(pd.DataFrame(found["sweep"]), list(found["settings"]["sweep"]), found["metric"])


def _finding(found: Mapping[str, Any]) -> str:
    reports = found["reports"]
    best = min(reports, key=lambda name: _median(reports[name]))
    report = reports[best]
    if report["settings"]["scenario"] == "offline":
        fast = f"{best} answers {numbers.rounded(report['throughput'])} rows a second"
    elif (report["server"] or {}).get("max_qps"):
        bound = milliseconds(report["server"]["latency_bound_ms"])
        best = max(reports, key=lambda name: (reports[name]["server"] or {}).get("max_qps") or 0.0)
        fast = f"{best} serves {numbers.rounded(reports[best]['server']['max_qps'])} requests a second within {bound}"
    else:
        fast = f"{best} answers in {milliseconds(_median(report))} at the median"
    native = found["native"]
    beside = found["with_preprocessing"]
    if native is not None and beside is not None:
        times = _median(native) / _median(beside)
        fast += f"; from raw input, ONNX is {times:.1f} times as fast as the model as it was trained"
    elif len(reports) > 1 and best != "fp32" and "fp32" in reports:
        fast += f", {_median(reports['fp32']) / _median(reports[best]):.1f} times as fast as fp32"
    return fast + "."


def _median(report: Mapping[str, Any]) -> float:
    value = report["percentiles"]["50"]["value"]
    return float(report["mean_ms"] if value is None else value)


def _how(found: Mapping[str, Any]) -> str:
    first = next(iter(found["reports"].values()))
    settings, machine = first["settings"], first["machine"]
    threads = settings["intra_op_threads"]
    rows = settings["batch_size"]
    scenario = _SCENARIOS[settings["scenario"]]
    rate = settings["target_qps"]
    return frame.plain(
        f"{scenario}{f' at {rate:g} requests a second' if rate else ''} · {rows:,} row{'s' * (rows > 1)} a request · "
        f"{threads} thread{'s' * (threads > 1)} of {machine['cores']} cores · {machine['cpu']} · "
        f"ONNX Runtime {machine['onnxruntime']}"
    ) + (f" · {frame.plain(first['shortened_text'])}" if first["shortened"] else "")


def _objective(found: Mapping[str, Any]) -> None:
    """Say of each variant whether it meets the objective."""
    asked = found["settings"]["slo"]
    with st.container(border=True, gap="small"):
        threads = asked["threads"]
        st.markdown(
            f"**Objective: p{asked['percentile']:g} within {milliseconds(asked['bound_ms'])} at {asked['qps']:g} "
            f"requests a second, on {threads} thread{'s' * (threads > 1)}**"
        )
        for name, item in found["slo"].items():
            with st.container(horizontal=True, vertical_alignment="center"):
                badges.show(_VERDICTS[item["verdict"]["verdict"]])
                st.markdown(f"**{frame.plain(name)}** {frame.plain(item['verdict']['reason'])}", width="content")


def _doubts(found: Mapping[str, Any]) -> None:
    """Say what speaks against the figures, above the figures."""
    reports = found["reports"]
    busy = [report for report in reports.values() if report["machine"]["busy"]]
    shaky = [name for name, report in reports.items() if report["stable"] is False]
    doubts = ["It was stopped before all was measured."] if found["stopped"] else []
    if busy:
        others = max(report["machine"]["others_cpu"] or 0.0 for report in busy)
        doubts.append(f"Other work took up to {others:.1f} cores meanwhile.")
    if shaky:
        doubts.append(f"The medians of three windows differ by more than 10 % ({', '.join(shaky)}).")
    if doubts:
        st.warning(
            frame.plain(" ".join(doubts) + (" Repeat it when the machine is quiet." if busy or shaky else "")),
            title="What to doubt",
            icon=":material/warning:",
        )
    for error in found["errors"]:
        st.error(
            frame.plain(f"{error['message']} {error['hint']}"),
            title=frame.plain(error["doing"]),
            icon=":material/error:",
        )


def _latency(run: Run, found: Mapping[str, Any]) -> None:
    st.dataframe(
        _percentile_table(found),
        hide_index=True,
        alt="Percentiles of each variant with their 95 % intervals",
    )
    st.caption("Milliseconds with 95 % intervals. A percentile without enough samples says how many it needs.")
    left, right = st.columns(2, gap="medium")
    with left:
        charts.percentiles(found["reports"], "Percentiles with 95 % intervals")
    with right:
        samples = figures.samples(run)
        charts.distribution(samples, f"Latency of {len(samples):,} requests")
    if found["native"] is not None:
        beside = found["with_preprocessing"]
        charts.percentiles(
            {beside["variant"]: beside, figures.NATIVE: found["native"]},
            "From raw input: ONNX beside the model as it was trained",
        )
    tokens = next((r["tokenisation"] for r in found["reports"].values() if r["tokenisation"]), None)
    if tokens:
        st.caption(
            f"Tokenising a text takes {milliseconds(tokens['percentiles']['50']['value'])} at the median, timed apart; "
            f"texts have {tokens['tokens_median']:.0f} tokens at the median, {tokens['tokens_max']:.0f} at most."
        )


def _percentile_table(found: Mapping[str, Any]) -> pd.DataFrame:
    rows = []
    for name, report in found["reports"].items():
        row = {"Variant": name}
        for percent, item in report["percentiles"].items():
            row[f"p{percent}"] = (
                f"{item['value']:.3g} [{item['low']:.3g}, {item['high']:.3g}]"
                if item["enough"] and item["high"] is not None
                else f"needs {item['needed']:,} samples"
            )
        row |= {
            "Samples": f"{report['requests']:,}",
            "Rows a second": numbers.rounded(report["throughput"]),
            "CPU ms each": f"{1000 * report['cpu_s_per_inference']:.3g}",
            "Peak MB": f"{report['peak_rss_mb']:,.0f}",
        }
        rows.append(row)
    return pd.DataFrame(rows)
