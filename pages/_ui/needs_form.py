"""What a run needs of a node, where an engine places it: estimated, and to be overruled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core import jobs
from core.catalog import Dataset
from core.jobs import Needs
from pages._ui import frame, keys, server_facts

__all__ = ["nodes", "show"]

_MOST_NODES = 64
_MB_PER_GB = 1_000_000_000 / 2**20


def nodes(divides: int = 0, *, processors_only: bool = False) -> int:
    """Let the user choose the number of nodes of a run; without a choice, draw nothing and return 1.

    Parameters
    ----------
    divides : int, default=0
        Number that has to be shared evenly by them, such as the texts of a batch; 0 for any number of nodes.
    processors_only : bool, default=False
        Whether the work on several nodes uses their processors alone, so that a node with a GPU does better by itself.
    """
    known = jobs.cluster_nodes() if jobs.divides_work() else None
    able = [] if known is None else [node for node in known.nodes if node.cpus >= 1]
    count = max(1, min(len(able), _MOST_NODES))
    if processors_only and any(node.gpus for node in able):
        return 1
    offered = [number for number in range(1, count + 1) if divides % number == 0]
    if len(offered) == 1:
        return 1
    return st.selectbox(
        "Nodes",
        offered,
        key=keys.key(f"nodes-{divides}"),
        width=160,
        help="The run works on one node, and has others of the cluster help it as far as they are free when it starts.",
    )


def show(task: str, settings: Mapping[str, Any], dataset: Dataset) -> Needs | None:
    """Draw the fields, and return what they say; None where runs work on this machine, and nothing is drawn.

    Parameters
    ----------
    task : str
        Kind of the run.
    settings : mapping
        Its settings as JSON.
    dataset : Dataset
        Table that it works on.
    """
    if jobs.task_spec(task).lane not in jobs.engine_lanes():
        return None
    estimate = jobs.estimate_needs(task, dict(settings), dataset.id, access=frame.access())
    nodes = jobs.cluster_nodes()
    # Keys with the estimate: where it changes, with the table or the settings, the fields follow it.
    name = f"{dataset.id}-{estimate.cpus}-{estimate.gpus}-{estimate.memory_mb}"
    with st.expander(f"Resources: {estimate}", icon=":material/memory:"):
        st.caption("Estimated from the size of the table. The cluster starts the run on a node that has this to spare.")
        first, second, third = st.columns(3, gap="medium")
        with first:
            cpus = st.number_input(
                "CPUs", min_value=1, max_value=1_024, value=estimate.cpus, key=keys.key(f"cpus-{name}")
            )
        with second:
            gpus = st.number_input("GPUs", min_value=0, max_value=64, value=estimate.gpus, key=keys.key(f"gpus-{name}"))
        with third:
            memory_gb = st.number_input(
                "Memory (GB)",
                min_value=0.5,
                max_value=10_000.0,
                value=max(0.5, round(estimate.memory_mb / _MB_PER_GB, 1)),
                step=0.5,
                format="%.1f",
                key=keys.key(f"memory-{name}"),
            )
    needs = Needs(cpus=int(cpus), gpus=int(gpus), memory_mb=round(memory_gb * _MB_PER_GB))
    error = jobs.engine_trouble()
    if error is not None:
        st.warning(frame.plain(server_facts.without(f"{error.message} {error.hint}")), icon=":material/cloud_off:")
    elif nodes is not None and nodes.nodes and not nodes.can_hold(needs):
        st.warning(
            f"No node of the cluster has {needs}. Ask for less, or a node has to be added.", icon=":material/memory:"
        )
    return needs
