"""What a search for the smallest variant tries: variants, threads, batch sizes, lengths; and how it measures."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from core.edge import VARIANT_FORMS, ExportRecord
from core.edge.latency import SCENARIOS
from core.edge.smallest import SmallestSettings
from pages._ui import address, model_fields

__all__ = ["Values", "show"]

Values = dict[str, Any]
"""Values of settings by name; the settings' model checks them."""


def show(record: ExportRecord) -> Values:
    """Draw the options; return values of `SmallestSettings`."""
    is_text = record.kind == "text"
    cores = os.cpu_count() or 1
    names = [name for name, form in VARIANT_FORMS.items() if is_text or not form.prunes_vocabulary]
    with st.expander("What is tried", key="edge-smallest-options"):
        forms = st.multiselect(
            "Variants",
            names,
            default=names,
            format_func=lambda name: VARIANT_FORMS[name].title,
            key="edge-smallest-forms",
            help="\n\n".join(f"**{VARIANT_FORMS[name].title}**: {VARIANT_FORMS[name].help}" for name in names),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            counts = [count for count in (1, 2, 4, 8, 16, 32, 64) if count <= cores]
            threads = st.multiselect(
                "Threads", counts, default=counts[:2], key="edge-smallest-threads", placeholder="1", width=200
            )
            batches = st.multiselect(
                "Batch sizes",
                [1, 2, 4, 8, 16, 32, 64, 128, 256],
                default=[1],
                key="edge-smallest-batches",
                placeholder="1",
                width=220,
                help="Rows per request. The limit is for a request, whatever its size.",
            )
            lengths = _lengths(record) if is_text else []
        values: Values = {
            "forms": tuple(forms) or (names[0],),
            "threads": tuple(threads) or (1,),
            "batch_sizes": tuple(batches) or (1,),
            "lengths": tuple(lengths),
        }
        with st.container(horizontal=True, vertical_alignment="bottom"):
            values |= _method()
    return values


def _lengths(record: ExportRecord) -> list[int]:
    most = None if record.model is None else record.model.max_length
    return st.multiselect(
        "Shorter texts (tokens)",
        [length for length in (16, 32, 64, 128, 256, 512) if most is None or length < most],
        key="edge-smallest-lengths",
        placeholder="As trained",
        width=240,
        help="Reads at most as many tokens of each text, besides as many as it was trained with.",
    )


def _method() -> Values:
    address.restore("scenario", ["single_stream", "server"], "single_stream", "edge-smallest-scenario")
    scenario = st.selectbox(
        "Scenario",
        ["single_stream", "server"],
        format_func=lambda name: SCENARIOS[name].title,
        key="edge-smallest-scenario",
        width=170,
        help="\n\n".join(
            f"**{SCENARIOS[name].title}**: {SCENARIOS[name].help}" for name in ("single_stream", "server")
        ),
    )
    values: Values = {"scenario": scenario}
    if scenario == "server":
        address.restore_number("rate", 50.0, "edge-smallest-rate")
        values["target_qps"] = st.number_input("Requests per second", 0.1, 1e5, key="edge-smallest-rate", width=170)
    values["long_s"] = st.number_input(
        "Seconds per contender",
        0.5,
        600.0,
        model_fields.default(SmallestSettings, "long_s"),
        1.0,
        key="edge-smallest-seconds",
        width=190,
        help="Longer where the percentile needs more samples.",
    )
    return values
