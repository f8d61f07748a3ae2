"""What is in an exported file, and how equal it is to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from pages._ui import frame, numbers, theme

__all__ = ["graph", "parity"]

_PARTS = {"train": "Rows it learned from", "held_out": "Rows held out", "edge_cases": "Made-up rows"}


def parity(found: Mapping[str, Any]) -> None:
    if found["model"] is None:
        st.info("There is no model to compare an uploaded file with.", icon=":material/info:")
        return
    parts = found["model"]["parity"]
    tolerance = next(iter(parts.values()))["tolerance"]
    st.caption(
        f"The fp32 file beside the model that was trained. More than {tolerance:g} apart, or another label where "
        "the two are no tie, and the file would have been refused."
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Rows": _PARTS.get(part, part),
                    "Compared": item["rows"],
                    "Of": item["rows_given"],
                    "Largest difference": f"{item['largest_difference']:.1e}",
                    "Over the tolerance": item["rows_over"],
                    "Other labels": item["label_flips"],
                    "Ties": item["ties"],
                }
                for part, item in parts.items()
            ]
        ),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Compared", "Of", "Over the tolerance", "Other labels", "Ties")
        },
        alt="Differences between the model and its file",
    )
    if "edge_cases" in parts:
        st.caption("Made-up rows: each column missing in turn, words never seen, numbers far out.")


def graph(found: Mapping[str, Any]) -> None:
    made = [item for item in found["variants"] if item["graph"]]
    name = st.radio("Variant", [item["name"] for item in made], horizontal=True, key="edge-graph-variant")
    inside = next(item["graph"] for item in made if item["name"] == name)
    left, right = st.columns(2, gap="medium")
    with left:
        st.table({key: frame.plain(value) for key, value in _facts(inside).items()}, border="horizontal")
    with right:
        table = pd.DataFrame({"operator": list(inside["operators"]), "nodes": list(inside["operators"].values())}).head(
            12
        )
        title = f"{inside['nodes']:,} nodes of {len(inside['operators'])} kinds"
        chart = (
            alt.Chart(table)
            .mark_bar(color=theme.accent(), height={"band": 0.7})
            .encode(
                x=alt.X("nodes:Q", title="Nodes"),
                y=alt.Y("operator:N", sort="-x", title=None, axis=alt.Axis(labelLimit=220)),
                tooltip=["operator:N", alt.Tooltip("nodes:Q", format=",")],
            )
            .properties(height=alt.Step(24), title=title)
        )
        st.altair_chart(chart, alt=title)


def _facts(graph: Mapping[str, Any]) -> dict[str, str]:
    work = graph["work"]
    facts = {
        "Opset": ", ".join(f"{domain} {version}" for domain, version in graph["opsets"].items()),
        "Parameters": f"{graph['parameters']:,}",
        "of them with 8 bits": f"{graph['quantized_parameters']:,}",
        "Trees": f"{graph['trees']:,} with {graph['tree_nodes']:,} nodes" if graph["trees"] else "",
        "Work of one request": f"{numbers.rounded(work['flop'] / 1e6)} MFLOP" if work and work["flop"] > 1e4 else "",
        "Inputs": ", ".join(_port(port) for port in graph["inputs"][:12]) + (" …" if len(graph["inputs"]) > 12 else ""),
        "Outputs": ", ".join(_port(port) for port in graph["outputs"][:12]),
        "Written by": graph["producer"],
    }
    return {key: value for key, value in facts.items() if value and value != "0"}


def _port(port: Mapping[str, Any]) -> str:
    shape = "" if port["shape"] is None else " × ".join("?" if size is None else str(size) for size in port["shape"])
    return f"{port['name']} ({port['type']}{', ' if shape else ''}{shape})"
