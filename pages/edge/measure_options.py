"""The advanced settings of a measurement: session, inputs, method."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from core.access import has_feature
from core.edge.latency import LatencySettings, LatencySuiteSettings, providers

__all__ = ["Values", "default", "show"]

Values = dict[str, Any]
"""Values of settings by name; the settings' model checks them."""

_ENGINES = {"loop": "Own loop", "loadgen": "MLPerf LoadGen"}


def default(name: str) -> Any:
    """Return the default of a setting of `LatencySettings`."""
    return LatencySettings.model_fields[name].default


def _choices(name: str) -> tuple[str, ...]:
    return get_args(LatencySettings.model_fields[name].annotation)


def show(*, text: bool, with_data: bool) -> tuple[Values, Values]:
    """Draw the settings; return those of `LatencySettings`, and those of `LatencySuiteSettings`.

    Parameters
    ----------
    text : bool
        Whether the model reads texts.
    with_data : bool
        Whether there are rows to feed it with.
    """
    with st.expander("Advanced settings", key="edge-lab-advanced"):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            st.markdown("**Session**")
            session = _session()
        with middle:
            st.markdown("**Inputs**")
            suite = _inputs(text, with_data)
            if text or not with_data:
                session["sequence_length"] = st.number_input(
                    "Sequence length (tokens)",
                    1,
                    4_096,
                    default("sequence_length"),
                    key="edge-lab-length",
                    placeholder="Longest text of a batch",
                    help="Pads or truncates each text.",
                )
            session["seed"] = st.number_input(
                "Seed", 0, 2**31 - 1, default("seed"), key="edge-lab-seed", help="For arrivals and random inputs."
            )
        with right:
            st.markdown("**Method**")
            session |= _method()
            suite |= _comparisons(with_data=with_data and suite["inputs"] == "data")
    return session, suite


def _session() -> Values:
    values: Values = {
        "graph_optimization": st.selectbox("Graph optimization", _choices("graph_optimization"), key="edge-lab-level"),
        "execution_mode": st.selectbox("Execution mode", _choices("execution_mode"), key="edge-lab-mode"),
        "provider": st.selectbox("Execution provider", providers(), key="edge-lab-provider"),
    }
    if values["execution_mode"] == "parallel":
        values["inter_op_threads"] = st.number_input("Threads between operators", 1, 64, 2, key="edge-lab-inter")
    values["allow_spinning"] = st.checkbox(
        "Spin idle threads",
        default("allow_spinning"),
        key="edge-lab-spin",
        help="Faster without gaps between requests; costs power with them.",
    )
    values["memory_arena"] = st.checkbox("Keep memory between requests", default("memory_arena"), key="edge-lab-arena")
    return values


def _inputs(text: bool, with_data: bool) -> Values:
    if not with_data:
        st.caption("Random tensors in the shapes of the graph: an uploaded file comes without rows.")
        return {"inputs": "random", "preprocessing": False}
    titles = {"data": "Held-out texts, in their own lengths" if text else "Held-out rows", "random": "Random tensors"}
    inputs = st.selectbox("Input data", list(titles), format_func=titles.__getitem__, key="edge-lab-inputs")
    preprocessing = inputs == "data" and st.checkbox(
        "Include tokenization" if text else "Include preprocessing", key="edge-lab-preprocessing"
    )
    return {"inputs": inputs, "preprocessing": preprocessing}


def _method() -> Values:
    return {
        "warmup_s": st.number_input("Warm-up (s)", 0.0, 60.0, default("warmup_s"), key="edge-lab-warmup"),
        "engine": st.selectbox(
            "Engine",
            _choices("engine") if has_feature("load_generator") else [default("engine")],
            format_func=_ENGINES.__getitem__,
            key="edge-lab-engine",
            help="LoadGen is MLPerf's own load generator; its overhead is higher.",
        ),
    }


def _comparisons(*, with_data: bool) -> Values:
    fields = LatencySuiteSettings.model_fields
    values: Values = {}
    if with_data:
        values["native"] = st.checkbox(
            "Compare with the model as it was trained",
            True,
            key="edge-lab-native",
            help="Measures both from raw rows or texts: the model with its own libraries, and the ONNX file.",
        )
    values["profile"] = st.checkbox("Profile operators", fields["profile"].default, key="edge-lab-profile")
    values["roof"] = st.checkbox(
        "Compare with this machine's limits (roofline)", fields["roof"].default, key="edge-lab-roof"
    )
    return values
