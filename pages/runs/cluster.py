"""The cluster: its nodes and what is used of them, the runs that work on each, and those that wait."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import jobs
from core.catalog import Run, RunState, runs
from core.jobs import Node
from pages._ui import badges, frame, numbers

__all__ = ["show"]

_EVERY = "2s"


def show() -> None:
    """Draw the cluster, again every two seconds."""
    st.fragment(frame.guarded(_cluster), run_every=_EVERY)()


def _cluster() -> None:
    jobs.tick()
    title = jobs.engine_title()
    if title:
        st.caption(f"Long runs work on {frame.plain(title)}. Pipelines, and what takes seconds, work on this server.")
    nodes = jobs.cluster_nodes()
    error = jobs.engine_trouble()
    if error is not None:
        st.error(frame.plain(f"{error.message} {error.hint}"), icon=":material/cloud_off:")
    unfinished = [run for run in runs.unfinished() if run.lane in jobs.engine_lanes()]
    working = [run for run in unfinished if run.state is not RunState.QUEUED]
    waiting = sorted((run for run in unfinished if run.state is RunState.QUEUED), key=lambda run: run.queued_at)
    if nodes is not None:
        _nodes(list(nodes.nodes), working, grows=nodes.grows)
    st.subheader("Working")
    _runs(working, "No run works on the cluster.", waits=False)
    st.subheader("Waiting")
    _runs(waiting, "No run waits.", waits=True)


def _nodes(nodes: list[Node], working: list[Run], *, grows: bool) -> None:
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    used = sum(node.used_cpus or 0 for node in nodes)
    with st.container(horizontal=True):
        st.metric("Nodes", f"{len(nodes):,}", border=True, width="stretch")
        st.metric("CPUs in use", f"{used:,.0f} of {cpus:,.0f}", border=True, width="stretch")
        if gpus:
            st.metric("GPUs", f"{gpus:,.0f}", border=True, width="stretch")
        memory = numbers.size(int(sum(node.memory_mb for node in nodes) * 2**20))
        st.metric("Memory", memory, border=True, width="stretch")
    if grows:
        st.caption("The cluster may add nodes by itself.")
    if not nodes:
        st.info("The cluster has no nodes at the moment. Runs wait until it has.", icon=":material/dns:")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Node": [node.name for node in nodes],
                "CPUs": [_share(node.used_cpus, node.cpus) for node in nodes],
                **({"GPUs": [_share(node.used_gpus, node.gpus) for node in nodes]} if gpus else {}),
                "Memory (GB)": [_share(_gb(node.used_memory_mb), _gb(node.memory_mb) or 0) for node in nodes],
                "Runs": [sum(run.node == node.name for run in working) for node in nodes],
            }
        ),
        hide_index=True,
        key="runs-nodes",
    )


def _gb(megabytes: float | None) -> float | None:
    return None if megabytes is None else megabytes * 2**20 / 1e9


def _share(used: float | None, total: float) -> str:
    number = f"{total:,.1f}".removesuffix(".0")
    return number if used is None else f"{used:,.1f}".removesuffix(".0") + f" of {number}"


def _runs(listed: list[Run], none: str, *, waits: bool) -> None:
    """Draw runs; those of other workspaces are counted among them, and what they are is not shown."""
    if not listed:
        st.caption(none)
        return
    own = frame.access().workspace
    table = pd.DataFrame(
        {
            "Run": [run.title if run.workspace == own else "A run of another workspace" for run in listed],
            "State": [_state(run) for run in listed],
            "Computer": [run.node or "–" for run in listed],
            "CPUs": [run.cpus for run in listed],
            "GPUs": [run.gpus for run in listed],
            "Memory": [numbers.size(run.needs_mb * 2**20) for run in listed],
            "Attempt": [run.attempt for run in listed],
            "Duration": [numbers.duration(run.elapsed_s) for run in listed],
            "Since": [numbers.when(run.queued_at if waits else run.started_at or run.queued_at) for run in listed],
        }
    )
    table = table.drop(columns=["Computer", "Duration"] if waits else [])
    if not table["GPUs"].any():
        table = table.drop(columns="GPUs")
    columns = {"Since": st.column_config.DatetimeColumn(format="D MMM, HH:mm:ss")}
    if waits:
        st.dataframe(table, hide_index=True, key="runs-waiting", column_config=columns)
    else:
        st.dataframe(table, hide_index=True, key="runs-working", column_config=columns)


def _state(run: Run) -> str:
    if run.state is RunState.QUEUED:
        return "In the queue" if run.placed_at is None else "Waiting for a node"
    return badges.of_run(run).label
