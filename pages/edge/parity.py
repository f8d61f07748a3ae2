"""The tab Parity: how equal an exported file is to its model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.edge import ExportRecord

__all__ = ["show"]

_PARTS = {
    "train": "Training rows",
    "held_out": "Held-out rows",
    "edge_cases": "Made-up rows",
    "bundle_rows": "Rows of a file",
}
_DECISIONS = {"Decided by the policy": "decisions", "Other decisions": "decision_flips"}


def show(record: ExportRecord) -> None:
    """Draw the comparison of the file with its model."""
    if record.model is None:
        st.info("There is no model to compare an uploaded file with.", icon=":material/info:")
        return
    parts = record.model.parity
    decided = any(parity.get("decisions") for parity in parts.values())
    tolerance = next(iter(parts.values())).get("tolerance")
    if tolerance is not None:
        st.caption(
            f"The fp32 file compared with the model that was trained. A file with a difference above {tolerance:g}, or "
            f"with another label {'or decision ' if decided else ''}that is not a tie, is refused."
        )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Rows": _PARTS.get(part, part),
                    "Compared": parity["rows"],
                    "Of": parity.get("rows_given"),
                    "Largest difference": f"{parity['largest_difference']:.1e}",
                    "Above the tolerance": parity.get("rows_over"),
                    "Other labels": parity["label_flips"],
                    "Ties": parity.get("ties"),
                }
                | ({name: parity.get(key) for name, key in _DECISIONS.items()} if decided else {})
                for part, parity in parts.items()
            ]
        ),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Compared", "Of", "Above the tolerance", "Other labels", "Ties", *_DECISIONS)
        },
        alt="Differences between the model and its file",
    )
    if "edge_cases" in parts:
        st.caption("Made-up rows: each column missing in turn, unseen words, extreme numbers.")
    if "bundle_rows" in parts:
        st.caption("Rows of a file: written as in the training file, and read and answered by the code of a bundle.")
