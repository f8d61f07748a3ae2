"""The tab Graph: what an exported file is made of."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from core.edge import ExportRecord, Graph, Port
from pages._ui import frame, numbers, theme

__all__ = ["show"]

_MAX_PORTS = 12
_MAX_OPERATORS = 12


def show(record: ExportRecord) -> None:
    """Draw the graph of each variant."""
    graphs = {variant.name: variant.graph for variant in record.made if variant.graph is not None}
    name = st.radio("Variant", list(graphs), horizontal=True, key="edge-graph-variant")
    graph = graphs[name]
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in _facts(graph).items()}, border="horizontal")
    with right:
        table = pd.DataFrame({"operator": list(graph.operators), "nodes": list(graph.operators.values())})
        title = f"{graph.nodes:,} nodes of {len(graph.operators)} types"
        chart = (
            alt.Chart(table.head(_MAX_OPERATORS))
            .mark_bar(color=theme.accent(), height={"band": 0.7})
            .encode(
                x=alt.X("nodes:Q", title="Nodes"),
                y=alt.Y("operator:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
                tooltip=["operator:N", alt.Tooltip("nodes:Q", format=",")],
            )
            .properties(height=alt.Step(24), title=title)
        )
        st.altair_chart(chart, alt=title)


def _facts(graph: Graph) -> dict[str, str]:
    work = graph.work
    facts = {
        "Opset": ", ".join(f"{domain} {version}" for domain, version in graph.opsets.items()),
        "Parameters": f"{graph.parameters:,}",
        "8-bit parameters": f"{graph.quantized_parameters:,}",
        "Trees": f"{graph.trees:,} with {graph.tree_nodes:,} nodes" if graph.trees else "",
        "Work per request": f"{numbers.rounded(work.flop / 1e6)} MFLOP" if work and work.flop > 1e4 else "",
        "Inputs": ", ".join(map(_describe, graph.inputs[:_MAX_PORTS]))
        + (" …" if len(graph.inputs) > _MAX_PORTS else ""),
        "Outputs": ", ".join(map(_describe, graph.outputs[:_MAX_PORTS])),
        "Written by": graph.producer,
    }
    return {key: value for key, value in facts.items() if value and value != "0"}


def _describe(port: Port) -> str:
    shape = "" if port.shape is None else " × ".join("?" if size is None else str(size) for size in port.shape)
    return f"{port.name} ({port.type}{', ' if shape else ''}{shape})"
