"""An export: what became of the model, variant by variant, and the way into the lab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import Run
from pages._ui import frame, numbers, tabs
from pages.edge import charts, compare, figures, inside, lab

__all__ = ["show"]

_TITLES = {"accuracy": "Accuracy", "roc_auc": "ROC AUC", "r2": "R²", "rmse": "RMSE"}


def show(run: Run) -> None:
    """Draw a finished export."""
    found = figures.export(run)
    st.subheader(frame.plain(_finding(found)))
    st.caption(_proof(found))
    tabs.show(
        {
            "Variants": lambda: _variants(found),
            "Parity": lambda: inside.parity(found),
            "Graph": lambda: inside.graph(found),
            "Measure": lambda: lab.show(run, found),
            "Measurements": lambda: compare.show(run),
        },
        key="edge-tabs",
    )


def _finding(found: Mapping[str, Any]) -> str:
    first, *others = found["variants"]
    made = [item for item in others if item["file"]]
    if not made:
        trees = first["graph"]["trees"]
        why = (
            f"Its {trees:,} trees have no weights to quantise: it is small as it is."
            if trees
            else "Nothing is smaller."
        )
        return f"The model is one file of {numbers.size(first['size_bytes'])}. {why if others else ''}".strip()
    smallest = min(made, key=lambda item: item["size_bytes"])
    shrunk = f"{smallest['name']} is {first['size_bytes'] / smallest['size_bytes']:.1f} times smaller than fp32"
    compared = smallest["comparison"]
    if compared is None:
        return f"{shrunk}; what it costs in quality is unknown without rows to compare on."
    gain = compared["gains"][found["metric"]]
    title = _TITLES[found["metric"]]
    change = f"{gain['value']:+.3f} {numbers.interval(gain['low'], gain['high'])}"
    if gain["low"] <= 0 <= gain["high"]:
        return f"{shrunk}; {compared['n']:,} held-out rows show no certain change of {title.lower()} ({change})."
    return f"{shrunk}, and changes {title.lower()} by {change}."


def _proof(found: Mapping[str, Any]) -> str:
    source = found["source"]
    if found["model"] is None:
        return (
            f"{frame.plain(source['filename'])}, looked at before anything ran it · SHA-256 `{source['sha256'][:16]}`"
        )
    parity = found["model"]["parity"]
    rows = sum(part["rows"] for part in parity.values())
    worst = max(part["largest_difference"] for part in parity.values())
    return (
        f"The file answers as the model does on {rows:,} rows, by at most {worst:.1g} apart and with the same label on "
        f"each · opset {found['model']['opset']}"
    )


def _variants(found: Mapping[str, Any]) -> None:
    first = found["variants"][0]
    made = [item for item in found["variants"] if item["file"]]
    names = list(first["metrics"])
    table = pd.DataFrame(
        [
            {
                "Variant": item["name"],
                "Size": item["size_bytes"] / 1e6,
                "Times smaller": first["size_bytes"] / item["size_bytes"],
                **{_TITLES.get(name, name): item["metrics"][name]["value"] for name in names},
                "Same labels": _same_labels(item),
                "Largest difference": None if item["comparison"] is None else item["comparison"]["largest_difference"],
            }
            for item in made
        ]
    )
    table = table.dropna(axis="columns", how="all")
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            "Size": st.column_config.NumberColumn("Size (MB)", format="%.2f"),
            "Times smaller": st.column_config.NumberColumn(format="%.1f"),
            "Same labels": st.column_config.NumberColumn("Same labels as fp32 (%)", format="%.1f"),
            "Largest difference": st.column_config.NumberColumn(
                format="%.3f", help="Of a probability, or of a predicted number, from what fp32 answers."
            ),
        }
        | {_TITLES.get(name, name): st.column_config.NumberColumn(format="%.3f") for name in names},
        alt="Variants with their size and quality",
    )
    if names and len(made) > 1:
        percent = found["metric"] == "accuracy"
        n = first["metrics"][found["metric"]]["n"]
        st.markdown(f"**What each gains over fp32 on {n:,} rows held out, with 95 % intervals**")
        charts.gains(found["variants"], found["metric"], _TITLES[found["metric"]], percent=percent)
    refused = [item for item in found["variants"] if not item["file"]]
    by_reason: dict[str, list[str]] = {}
    for item in refused:
        by_reason.setdefault(item["reason"], []).append(item["name"])
    for reason, these in by_reason.items():
        st.info(frame.plain(reason), title=f"Not made: {frame.plain(', '.join(these))}", icon=":material/info:")


def _same_labels(item: Mapping[str, Any]) -> float | None:
    compared = item["comparison"]
    if compared is None or compared["equal_labels"] is None:
        return None
    return 100 * float(compared["equal_labels"]["value"])
