"""The tab Measure: variants, scenario, objective, sweep, Start."""

from __future__ import annotations

import os

import streamlit as st

from core.catalog import Run
from core.edge import ExportRecord
from core.edge.latency import (
    AXES,
    PERCENTS,
    SCENARIOS,
    LatencySettings,
    LatencySuiteSettings,
    Scenario,
    Slo,
    slo_duration_s,
)
from core.tasks import latency
from pages._ui import address, frame, numbers
from pages.edge import measure_options
from pages.edge.measure_options import Values, default

__all__ = ["show"]

_OVERHEAD_S = 4.0  # a process and a session for each measurement
_RATES = {"given": "Fixed rate", "highest": "Highest rate within a bound"}


def show(run: Run, record: ExportRecord) -> None:
    """Draw the form; Start queues the measurement and opens it.

    Parameters
    ----------
    run : Run
        The export.
    record : ExportRecord
        Its record.
    """
    names = [variant.name for variant in record.made]
    chosen = st.multiselect("Variants", names, default=names, key="edge-lab-variants", width=560)
    scenario = SCENARIOS[
        st.radio(
            "Scenario",
            list(SCENARIOS),
            format_func=lambda name: SCENARIOS[name].title,
            horizontal=True,
            key="edge-lab-scenario",
            help="Scenarios of MLPerf.",
        )
    ]
    st.caption(scenario.help)
    latency_values = _load(scenario)
    has_slo, slo = _objective(int(latency_values["intra_op_threads"] or 1))
    sweep = _sweep(record.kind)
    session, suite = measure_options.show(text=record.kind == "text", with_data=record.model is not None)
    if not chosen:
        st.caption("Choose at least one variant.")
        return
    settings = LatencySuiteSettings(
        variants=tuple(name for name in names if name in chosen),
        latency=LatencySettings(**latency_values | session),
        slo=slo,
        sweep=sweep,
        **suite,
    )
    st.caption(f"{settings.measurements:,} measurements, one after the other, about {_duration(settings)}.")
    if st.button(
        "Measure", type="primary", icon=":material/timer:", key="edge-lab-start", disabled=has_slo and slo is None
    ):
        address.go(run=latency.submit(run, settings, access=frame.access()))


def _load(scenario: Scenario) -> Values:
    """Draw the settings of the scenario."""
    values: Values = {"scenario": scenario.name}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["duration_s"] = st.number_input(
            "Seconds per measurement",
            1.0,
            600.0,
            default("duration_s"),
            1.0,
            key="edge-lab-seconds",
            width=190,
            help="MLPerf asks for 600; shorter measurements are marked.",
        )
        values["intra_op_threads"] = st.number_input(
            "Threads", 1, os.cpu_count() or 1, default("intra_op_threads"), key="edge-lab-threads", width=120
        )
        if "target_qps" in scenario.settings:
            values |= _rate()
        if "batch_size" in scenario.settings:
            values["batch_size"] = st.number_input(
                "Batch size", 1, 4_096, scenario.batch_size, key=f"edge-lab-batch-{scenario.name}", width=150
            )
    return values


def _rate() -> Values:
    choice = st.selectbox("Rate", list(_RATES), format_func=_RATES.__getitem__, key="edge-lab-rate", width=230)
    if choice == "given":
        return {"target_qps": st.number_input("Requests per second", 0.1, 1e5, 50.0, key="edge-lab-qps", width=170)}
    return {"latency_bound_ms": st.number_input("p99 within (ms)", 0.01, 1e5, 50.0, key="edge-lab-bound", width=150)}


def _objective(threads: int) -> tuple[bool, Slo | None]:
    has_slo = st.toggle(
        "Test an objective",
        key="edge-lab-slo",
        help="Is this percentile within the bound at this rate of requests?",
    )
    if not has_slo:
        return False, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        percentile = st.selectbox(
            "Percentile",
            PERCENTS,
            index=PERCENTS.index(Slo.model_fields["percentile"].default),
            key="edge-slo-percentile",
            width=120,
            format_func=lambda value: f"p{value:g}",
        )
        bound = st.number_input("Within (ms)", 0.01, 1e5, 50.0, key="edge-slo-bound", width=140)
        rate = st.number_input("At requests per second", 0.1, 1e5, 20.0, key="edge-slo-qps", width=180)
    return True, Slo(bound_ms=bound, qps=rate, percentile=percentile, threads=threads)


def _sweep(kind: str) -> dict[str, list[int | float | str]]:
    cores = os.cpu_count() or 1
    axes: dict[str, list[int | float | str]] = {
        "batch_size": [1, 2, 4, 8, 16, 32, 64, 128, 256],
        "intra_op_threads": [count for count in (1, 2, 4, 8, 16, 32, 64) if count <= cores],
        "graph_optimization": ["none", "basic", "extended", "all"],
    }
    if kind != "table":
        axes["sequence_length"] = [16, 32, 64, 128, 256, 512]
    if not st.toggle("Sweep over settings", key="edge-lab-sweep", help="Measures all combinations, for each variant."):
        return {}
    columns = st.columns(len(axes), gap="small")
    chosen: dict[str, list[int | float | str]] = {}
    for column, (name, values) in zip(columns, axes.items(), strict=True):
        picked = column.multiselect(
            AXES[name],
            values,
            default=[1, 8, 32] if name == "batch_size" else [],
            key=f"edge-sweep-{name}",
            placeholder="As above",
        )
        if picked:
            chosen[name] = sorted(picked, key=values.index)
    return chosen


def _duration(settings: LatencySuiteSettings) -> str:
    one = settings.latency.duration_s + settings.latency.warmup_s + _OVERHEAD_S
    objectives = 0 if settings.slo is None else len(settings.variants)
    seconds = (settings.measurements - objectives) * one
    if settings.slo is not None:
        seconds += objectives * (slo_duration_s(settings.slo) + _OVERHEAD_S)
    if settings.latency.latency_bound_ms is not None:
        seconds += len(settings.variants) * 8 * one  # the search for the highest rate
    return numbers.duration(seconds)
