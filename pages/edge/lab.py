"""Setting a measurement up: variants, scenario, objective, sweep, Start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.catalog import Run
from core.edge.latency import LatencySettings, LatencySuiteSettings, Slo, slo_duration_s
from core.tasks import latency
from pages._ui import address, numbers
from pages.edge import options

__all__ = ["show"]

_SCENARIOS = {
    "single_stream": ("Single stream", "The next request waits for the last answer: the time of one request."),
    "server": ("Server", "Requests arrive at random and queue: what users of a service wait for."),
    "offline": ("Offline", "All rows are there at once, in batches: throughput."),
}
_OVERHEAD_S = 4.0  # a process and a session for each measurement


def show(run: Run, found: Mapping[str, Any]) -> None:
    """Draw the form; Start queues the measurement and opens it."""
    made = [item["name"] for item in found["variants"] if item["file"]]
    chosen = st.multiselect("Variants", made, default=made, key="edge-lab-variants", width=560)
    scenario = st.radio(
        "Scenario",
        list(_SCENARIOS),
        format_func=lambda name: _SCENARIOS[name][0],
        horizontal=True,
        key="edge-lab-scenario",
        help="By MLPerf's names.",
    )
    st.caption(_SCENARIOS[scenario][1])
    values: dict[str, Any] = {"scenario": scenario}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["duration_s"] = st.number_input(
            "Seconds each",
            1.0,
            600.0,
            5.0,
            1.0,
            key="edge-lab-seconds",
            width=150,
            help="MLPerf asks for 600; shorter ones are marked so.",
        )
        values["intra_op_threads"] = st.number_input(
            "Threads", 1, os.cpu_count() or 1, 1, key="edge-lab-threads", width=120
        )
        if scenario == "server":
            values |= _rate()
        else:
            first = 32 if scenario == "offline" else 1
            values["batch_size"] = st.number_input(
                "Rows a request", 1, 4_096, first, key=f"edge-lab-batch-{scenario}", width=150
            )
    asked, slo = _objective(values["intra_op_threads"])
    with_data = found["model"] is not None
    sweep = _sweep(found["kind"])
    rest, beside = options.show(text=found["kind"] == "text", with_data=with_data)
    if not chosen:
        st.caption("Choose at least one variant.")
        return
    settings = LatencySuiteSettings(
        variants=tuple(name for name in made if name in chosen),
        latency=LatencySettings(**values | rest),
        slo=slo,
        sweep=sweep,
        **beside,
    )
    st.caption(f"{settings.measurements:,} measurements, one after the other, about {_time(settings)}.")
    if st.button(
        "Measure", type="primary", icon=":material/timer:", key="edge-lab-start", disabled=asked and slo is None
    ):
        address.go(run=latency.submit(run, settings))


def _rate() -> dict[str, Any]:
    rates = {"given": "A given rate", "highest": "The highest within a bound"}
    how = st.selectbox("Rate", list(rates), format_func=rates.__getitem__, key="edge-lab-rate", width=230)
    if how == "given":
        return {"target_qps": st.number_input("Requests a second", 0.1, 1e5, 50.0, key="edge-lab-qps", width=170)}
    return {"latency_bound_ms": st.number_input("p99 within (ms)", 0.01, 1e5, 50.0, key="edge-lab-bound", width=150)}


def _objective(threads: int) -> tuple[bool, Slo | None]:
    asked = st.toggle(
        "Judge an objective", key="edge-lab-slo", help="Is this percentile within the bound at this rate of requests?"
    )
    if not asked:
        return False, None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        percentile = st.selectbox(
            "Percentile",
            [50, 90, 95, 99, 99.9],
            index=3,
            key="edge-slo-percentile",
            width=120,
            format_func=lambda value: f"p{value:g}",
        )
        bound = st.number_input("within (ms)", 0.01, 1e5, 50.0, key="edge-slo-bound", width=140)
        rate = st.number_input("at requests a second", 0.1, 1e5, 20.0, key="edge-slo-qps", width=180)
    return True, Slo(bound_ms=bound, qps=rate, percentile=percentile, threads=threads)


def _sweep(kind: str) -> dict[str, list[Any]]:
    cores = os.cpu_count() or 1
    axes: dict[str, tuple[str, list[Any]]] = {
        "batch_size": ("Rows a request", [1, 2, 4, 8, 16, 32, 64, 128, 256]),
        "intra_op_threads": ("Threads", [count for count in (1, 2, 4, 8, 16, 32, 64) if count <= cores]),
        "graph_optimization": ("Graph optimisation", ["none", "basic", "extended", "all"]),
    }
    if kind != "table":
        axes["sequence_length"] = ("Tokens a text", [16, 32, 64, 128, 256, 512])
    if not st.toggle("Sweep over settings", key="edge-lab-sweep", help="Measures all combinations, for each variant."):
        return {}
    columns = st.columns(len(axes), gap="small")
    chosen: dict[str, list[Any]] = {}
    for column, (name, (title, values)) in zip(columns, axes.items(), strict=True):
        default = [1, 8, 32] if name == "batch_size" else []
        picked = column.multiselect(title, values, default=default, key=f"edge-sweep-{name}", placeholder="As above")
        if picked:
            chosen[name] = sorted(picked, key=values.index)
    return chosen


def _time(settings: LatencySuiteSettings) -> str:
    each = settings.latency.duration_s + settings.latency.warmup_s + _OVERHEAD_S
    objectives = 0 if settings.slo is None else len(settings.variants)
    seconds = (settings.measurements - objectives) * each
    if settings.slo is not None:
        seconds += objectives * (slo_duration_s(settings.slo) + _OVERHEAD_S)
    if settings.latency.latency_bound_ms is not None:
        seconds += len(settings.variants) * 8 * each  # the search for the highest rate
    return numbers.duration(seconds)
