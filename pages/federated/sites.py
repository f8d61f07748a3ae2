"""The Sites tab: what the shared model brings to each site, over a model of its own and beside pooled training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import METRICS
from core.catalog import Run
from pages._ui import numbers
from pages.federated import site_charts
from pages.federated.site_evidence import MODELS, Gains, gain_table, gains_of, model_table

__all__ = ["show"]

_TABLE_ROWS = 15
_TABLE_HEIGHT = 560


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the gains, the models and the table by site, and the way to the comparison of groups."""
    metric = METRICS[record["metric"]]
    gains = gain_table(record)
    if gains.empty:
        st.caption("No site has a model of its own on test rows, so there is no gain to show.")
    else:
        _charts(record, gains, metric.title)
    _table(record)
    if not metric.larger_is_better:
        st.caption(f"A smaller {metric.title} is better; a gain above 0 is always an improvement.")
    _fairness(run, record)


def _charts(record: Mapping[str, Any], gains: pd.DataFrame, metric: str) -> None:
    shown = gains
    if len(gains) > site_charts.MOST_SITES:
        largest = gains.sort_values("n", ascending=False).head(site_charts.MOST_SITES)
        shown = gains[gains["site"].isin(largest["site"])]
    left, right = st.columns(2, gap="medium")
    with left:
        site_charts.gains(shown, metric, _gain_title(gains_of(record)))
        without = int(shown["low"].isna().sum())
        notes = ["95% intervals, paired on the test rows of the site; gray where 0 is inside."]
        if without:
            notes.append(f"Hollow: {_sites(without)} with too few test rows for an interval.")
        st.caption(" ".join(notes))
    with right:
        table = model_table(record)
        site_charts.models(table, list(shown["site"]), metric, _model_title(gains))
        st.caption("Values without their intervals: with few test rows they differ by chance.")
    if len(gains) > len(shown):
        st.caption(f"The charts show the {len(shown)} sites with the most test rows, of {len(gains):,}.")


def _gain_title(gains: Gains) -> str:
    if gains.unknown == gains.sites:
        return "No site has enough test rows to tell whether it gains"
    lose = f", and {gains.worse:,} surely lose" if gains.worse else ""
    if gains.better == gains.sites:
        return f"All {gains.sites:,} sites surely gain by the shared model"
    if gains.better:
        return f"{gains.better:,} of {_sites(gains.sites)} surely gain by the shared model{lose}"
    if gains.worse:
        return f"{gains.worse:,} of {_sites(gains.sites)} surely lose by the shared model"
    return "No site surely gains or loses by the shared model"


def _model_title(gains: pd.DataFrame) -> str:
    ahead = int((gains["value"] > 0).sum())
    return f"The shared model is ahead at {ahead:,} of {_sites(len(gains))}"


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count:,} sites"


def _table(record: Mapping[str, Any]) -> None:
    metric = record["metric"]

    def value(item: Mapping[str, Any], model: str) -> float | None:
        known = item["metrics"].get(model)
        return None if known is None else known[metric]["value"]

    rows = [
        {
            "Site": item["site"],
            "Training rows": item["train"],
            "Test rows": item["test"],
            **{title: value(item, model) for model, title in MODELS.items() if _has(record, model)},
            "Gain": None if item["gain"] is None else item["gain"]["value"],
            "95% interval": "–"
            if item["gain"] is None or item["gain"]["low"] is None
            else numbers.interval(item["gain"]["low"], item["gain"]["high"]),
            "Note": _note(item),
        }
        for item in record["sites"]
    ]
    table = pd.DataFrame(rows).sort_values("Gain", ascending=False, na_position="last")
    empty = [name for name, nothing in (("Note", ""), ("95% interval", "–")) if (table[name] == nothing).all()]
    table = table.drop(columns=empty)
    title = METRICS[metric].title
    st.markdown(f"**{title} by site**")
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _TABLE_ROWS else _TABLE_HEIGHT,
        column_config={
            "Site": st.column_config.TextColumn(pinned=True),
            "Training rows": st.column_config.NumberColumn(format="localized"),
            "Test rows": st.column_config.NumberColumn(format="localized"),
            **{name: st.column_config.NumberColumn(format="%.3f") for name in MODELS.values()},
            "Gain": st.column_config.NumberColumn(format="%+.3f", help="Shared minus own model; above 0 is better."),
            "Note": st.column_config.TextColumn(width="large"),
        },
        alt=f"{title} of the shared, own and pooled model by site, with the gain and its interval",
    )


def _has(record: Mapping[str, Any], model: str) -> bool:
    return any(model in item["metrics"] for item in record["sites"])


def _note(item: Mapping[str, Any]) -> str:
    """Return why a site has no model of its own, or its gain no interval."""
    reason = item["local_error"] or ("" if item["gain"] is None else item["gain"].get("reason", ""))
    return f"{reason[0].upper()}{reason[1:]}" if reason else ""


def _fairness(run: Run, record: Mapping[str, Any]) -> None:
    st.markdown("**Are the sites treated alike?**")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Compare the sites as groups", icon=":material/balance:", key="federated-compare-sites"):
            column = record["settings"].get("site_column")
            groups = {} if column is None else {"groups": column}
            st.switch_page("pages/fairness/page.py", query_params={"run": run.id} | groups)
        st.caption(
            "Rates of decisions and errors of the shared model by site, and by the sensitive columns.", width="content"
        )
