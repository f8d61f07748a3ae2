"""The rest of a measurement's settings, with sound defaults: session, inputs, what is measured beside."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.edge.latency import providers

__all__ = ["show"]

_LEVELS = ("all", "extended", "basic", "none")


def show(*, text: bool, with_data: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw them; return the settings of the latency, and those of the visit to the lab."""
    with st.expander("Advanced: session, inputs, comparisons", key="edge-lab-advanced"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            st.markdown("**Session**")
            session: dict[str, Any] = {
                "graph_optimization": st.selectbox("Graph optimisation", _LEVELS, key="edge-lab-level"),
                "execution_mode": st.selectbox("Execution", ("sequential", "parallel"), key="edge-lab-mode"),
                "provider": st.selectbox("Provider", providers(), key="edge-lab-provider"),
            }
            if session["execution_mode"] == "parallel":
                session["inter_op_threads"] = st.number_input(
                    "Threads between operators", 1, 64, 2, key="edge-lab-inter"
                )
            session["allow_spinning"] = st.checkbox(
                "Idle threads spin",
                key="edge-lab-spin",
                help="Quicker without gaps between requests; costs power with them.",
            )
            session["memory_arena"] = st.checkbox("Keep memory between requests", True, key="edge-lab-arena")
        with middle:
            st.markdown("**Inputs**")
            beside: dict[str, Any] = {"inputs": _inputs(text, with_data)}
            beside["preprocessing"] = beside["inputs"] == "data" and st.checkbox(
                "Time tokenising too" if text else "Time the building of inputs too", key="edge-lab-preprocessing"
            )
            if text or not with_data:
                length = st.number_input(
                    "Tokens a text",
                    1,
                    4_096,
                    None,
                    key="edge-lab-length",
                    placeholder="As long as it is",
                    help="Pads or cuts each text.",
                )
                session["sequence_length"] = length
            session["seed"] = st.number_input(
                "Seed", 0, 2**31 - 1, 0, key="edge-lab-seed", help="Of arrivals and samples."
            )
        with right:
            st.markdown("**Method**")
            session["warmup_s"] = st.number_input("Warm-up (s)", 0.0, 60.0, 1.0, key="edge-lab-warmup")
            session["engine"] = st.selectbox(
                "Engine",
                ("loop", "loadgen"),
                format_func={"loop": "Own loop", "loadgen": "MLPerf LoadGen"}.__getitem__,
                key="edge-lab-engine",
                help="LoadGen is MLPerf's own load generator; its own cost is higher.",
            )
            if with_data and beside["inputs"] == "data":
                beside["native"] = st.checkbox(
                    "Time the model as it was trained",
                    True,
                    key="edge-lab-native",
                    help="With its own libraries, from raw rows or texts; the ONNX file beside it likewise.",
                )
            beside["profile"] = st.checkbox("Profile operators", True, key="edge-lab-profile")
            beside["roof"] = st.checkbox("Compare with this machine's roof", True, key="edge-lab-roof")
    return session, beside


def _inputs(text: bool, with_data: bool) -> str:
    if not with_data:
        st.caption("Random tensors in the shapes of the graph: of an uploaded file there are no rows.")
        return "random"
    kinds = {"data": "Texts held out, in their real lengths" if text else "Rows held out", "random": "Random tensors"}
    return str(st.selectbox("Fed with", list(kinds), format_func=kinds.__getitem__, key="edge-lab-inputs"))
