"""The Method tab: how a result was made, so that it can be judged and repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.automl import METRICS, describe_final_model
from pages._ui import frame, numbers

__all__ = ["show"]


def show(record: Mapping[str, Any], *, settings: Mapping[str, Any] | None = None) -> None:
    """Draw the facts, versions and settings of a result.

    Parameters
    ----------
    record : mapping
        Content of ``result.json``.
    settings : mapping, optional
        Settings that the user chose, where they are not those of a search.
    """
    rows, used = record["rows"], record["settings"]
    left, right = st.columns(2, gap="medium")
    facts = {
        "Task": record["task"],
        "Metric": METRICS[record["metric"]].title,
        **_positive_class(record),
        "Rows": f"{rows['train']:,} for training, {rows['test']:,} for the test, of {rows['all']:,}",
        "Validation": record["split_method"],
        "Features": f"{len(record['features']):,} columns: {', '.join(record['features'][:30])}"
        + (" …" if len(record["features"]) > 30 else ""),
        "Excluded columns": ", ".join(used["drop_columns"]) or "–",
        "Sensitive columns": ", ".join(used["sensitive_columns"]) or "–",
        "Final model": _final_model(record["winner"]),
        "Table fingerprint": record["fingerprint"][:16],
    }
    with left:
        st.table({key: frame.plain(value) for key, value in facts.items()}, border="horizontal")
    with right:
        st.markdown("**Versions**")
        st.table(record["packages"], border="horizontal", width="content")
        st.markdown("**Settings**")
        st.json(dict(used if settings is None else settings), expanded=False)


def _final_model(winner: Mapping[str, Any]) -> str:
    took = f" It took {numbers.duration(winner['refit_s'])}." if winner["refit_s"] else ""
    return describe_final_model(winner) + took


def _positive_class(record: Mapping[str, Any]) -> dict[str, str]:
    """Return which class of two the figures are about, and why where that is stored."""
    if record["task"] != "binary":
        return {}
    positive = record.get("positive_class") or {"label": str(record["labels"][1]), "reason": ""}
    return {"Class of the figures": f"'{positive['label']}'. {positive['reason']}".strip()}
