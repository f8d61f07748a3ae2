"""A measurement: the result, its limitations, percentiles, and where the time goes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run
from core.edge import FULL_PRECISION
from core.edge.latency import SCENARIOS, LatencyReport, LatencySuiteReport, Percentile, Slo
from pages._ui import address, badges, frame, lookups, numbers, tabs
from pages._ui import artifacts as files
from pages._ui.badges import Badge
from pages.edge import charts, diagnostics, download, stored, sweep
from pages.edge.charts import milliseconds
from pages.edge.smallest import TAB

__all__ = ["show"]

_VERDICTS = {
    "met": Badge("Met", "green", ":material/check_circle:"),
    "not met": Badge("Not met", "red", ":material/cancel:"),
    "not enough samples": Badge("Not enough samples", "orange", ":material/hourglass_empty:"),
}


def show(run: Run) -> None:
    """Draw a finished measurement."""
    report = stored.suite_report(run)
    st.subheader(frame.plain(_finding(report)))
    st.caption(_conditions(report))
    _limitations(report)
    if report.slo:
        _objective(run, report)
    sweep_tab = {"Sweep": lambda: sweep.show(report)} if report.sweep else {}
    tabs.show(
        {
            "Latency": lambda: _latency(run, report),
            **sweep_tab,
            "Operators": lambda: diagnostics.operators(report),
            "Roofline": lambda: diagnostics.roofline(report),
            "Method": lambda: diagnostics.method(report),
        },
        key="edge-latency-tabs",
    )


def _finding(report: LatencySuiteReport) -> str:
    reports = report.reports
    best = min(reports, key=lambda name: reports[name].median_ms)
    fastest = reports[best]
    if SCENARIOS[fastest.settings.scenario].headline == "throughput":
        text = f"{best} answers {numbers.rounded(fastest.throughput)} rows per second"
    elif _max_qps(fastest):
        best = max(reports, key=lambda name: _max_qps(reports[name]))
        bound = milliseconds(fastest.settings.latency_bound_ms)
        text = f"{best} serves {numbers.rounded(_max_qps(reports[best]))} requests per second within {bound}"
    else:
        text = f"{best} answers in {milliseconds(fastest.median_ms)} (median)"
    if report.native is not None and report.with_preprocessing is not None:
        ratio = report.native.median_ms / report.with_preprocessing.report.median_ms
        text += f"; from raw input, ONNX is {ratio:.1f} times as fast as the model as it was trained"
    elif best != FULL_PRECISION and FULL_PRECISION in reports:
        ratio = reports[FULL_PRECISION].median_ms / reports[best].median_ms
        text += f", {ratio:.1f} times as fast as {FULL_PRECISION}"
    return text + "."


def _max_qps(report: LatencyReport) -> float:
    return (report.server.max_qps or 0.0) if report.server is not None else 0.0


def _conditions(report: LatencySuiteReport) -> str:
    first = next(iter(report.reports.values()))
    settings, machine = first.settings, first.machine
    threads = f"{settings.threads} thread{'s' * (settings.threads > 1)}"
    rate = f" at {settings.target_qps:g} requests per second" if settings.target_qps else ""
    text = (
        f"{SCENARIOS[settings.scenario].title}{rate} · batch size {settings.batch_size:,} · {threads} of "
        f"{machine.cores} cores · {machine.cpu} · ONNX Runtime {machine.onnxruntime}"
    )
    return frame.plain(f"{text} · {first.shortened_text}" if first.shortened else text)


def _objective(run: Run, report: LatencySuiteReport) -> None:
    """Draw for each variant whether it meets the objective."""
    slo = report.settings.slo
    if slo is None:
        return
    with st.container(border=True, gap="small"):
        st.markdown(
            f"**Objective: p{slo.percentile:g} within {milliseconds(slo.bound_ms)} at {slo.qps:g} "
            f"requests per second, on {slo.threads} thread{'s' * (slo.threads > 1)}**"
        )
        for name, judged in report.slo.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                badges.show(_VERDICTS[judged.verdict.verdict])
                st.markdown(f"**{frame.plain(name)}** {frame.plain(judged.verdict.reason)}", width="content")
        _next_step(run, report, slo)


def _next_step(run: Run, report: LatencySuiteReport, slo: Slo) -> None:
    """Draw what to do next: take along the smallest variant that meets the objective, or find one that does."""
    exported = lookups.existing_run(run.settings["export"])
    if exported is None:
        return
    record = stored.export_record(exported)
    met = [name for name, judged in report.slo.items() if judged.verdict.verdict == "met"]
    if met:
        name = min(met, key=lambda name: record.variant(name).size_bytes or 0)
        if record.model is not None:
            st.markdown(
                f"**Next** Take {frame.plain(name)} along: it is the smallest of those that meet the objective."
            )
            download.show_variant(exported, record, name, key="edge-met")
        return
    steps = list(dict.fromkeys(judged.verdict.next_step for judged in report.slo.values() if judged.verdict.next_step))
    if steps:
        st.markdown(f"**Next** {frame.plain(' '.join(steps))}")
    if st.button("Find a variant that meets it", icon=":material/search_check:", key="edge-find-smallest"):
        address.go(
            run=exported.id,
            tab=TAB,
            within=f"{slo.bound_ms:g}",
            percentile=f"{slo.percentile:g}",
            scenario="server",
            rate=f"{slo.qps:g}",
        )


def _limitations(report: LatencySuiteReport) -> None:
    """Draw what limits the trust in the values, above the values."""
    others = [measured.machine.others_cpu or 0.0 for measured in report.reports.values() if measured.machine.busy]
    unstable = [name for name, measured in report.reports.items() if measured.stable is False]
    sentences = ["It was stopped before everything was measured."] if report.stopped else []
    if others:
        sentences.append(f"Other processes used up to {max(others):.1f} cores at the same time.")
    if unstable:
        sentences.append(f"The medians of three windows differ by more than 10% ({', '.join(unstable)}).")
    if others or unstable:
        sentences.append("Repeat it when the machine is quiet.")
    if sentences:
        st.warning(frame.plain(" ".join(sentences)), title="Limitations", icon=":material/warning:")
    for error in report.errors:
        st.error(frame.plain(f"{error.message} {error.hint}"), title=frame.plain(error.doing), icon=":material/error:")


def _latency(run: Run, report: LatencySuiteReport) -> None:
    st.dataframe(_percentile_table(report), hide_index=True, alt="Percentiles of each variant with 95% intervals")
    st.caption("Milliseconds with 95% intervals. A percentile without enough samples says how many it needs.")
    left, right = st.columns(2, gap="medium")
    with left:
        charts.percentiles(report.reports, "Percentiles with 95% intervals")
    with right:
        samples = stored.samples(run)
        charts.distribution(samples.frame, f"Latency of {samples.total:,} requests")
        if note := files.sample_note(samples, "requests"):
            st.caption(note)
    if report.native is not None and report.with_preprocessing is not None:
        exported = report.with_preprocessing
        charts.percentiles(
            {exported.variant: exported.report, stored.NATIVE: report.native},
            "From raw input: ONNX and the model as it was trained",
        )
    tokens = next((measured.tokenisation for measured in report.reports.values() if measured.tokenisation), None)
    if tokens is not None:
        st.caption(
            f"Tokenization of a text takes {milliseconds(tokens.median.value)} (median), timed apart; texts have "
            f"{tokens.tokens_median:.0f} tokens (median), {tokens.tokens_max:.0f} at most."
        )


def _percentile_table(report: LatencySuiteReport) -> pd.DataFrame:
    rows = []
    for name, measured in report.reports.items():
        row = {"Variant": name}
        row |= {f"p{percent:g}": _format(percentile) for percent, percentile in measured.percentiles.items()}
        row |= {
            "Samples": f"{measured.requests:,}",
            "Rows per second": numbers.rounded(measured.throughput),
            "CPU ms per row": f"{1000 * measured.cpu_s_per_inference:.3g}",
            "Peak memory (MB)": f"{measured.peak_rss_mb:,.0f}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _format(percentile: Percentile) -> str:
    if percentile.value is None or percentile.low is None or percentile.high is None:
        return f"needs {percentile.needed:,} samples"
    return f"{percentile.value:.3g} [{percentile.low:.3g}, {percentile.high:.3g}]"
