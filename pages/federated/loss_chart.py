"""The loss by round: one line per site, one for all, and a cross where a site did not take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.charts import fitted, legend_columns
from pages._ui import numbers, theme

__all__ = ["show"]

_HEIGHT = 320
_HUES = 7  # sites that have a color of their own
_POINTS = 200  # rounds that are drawn, at most
_ALL = "All sites"


def show(rounds: Sequence[Mapping[str, Any]]) -> None:
    """Draw the losses.

    Parameters
    ----------
    rounds : sequence of mapping
        round, loss, by_site and missing of each round.
    """
    known = [record for record in rounds if record["by_site"]]
    if not known:
        st.caption(f"{len(rounds):,} rounds. With noise, the sites share no loss: it would tell of their rows.")
        return
    sites = sorted({site for record in known for site in record["by_site"]})
    if len(known) > _POINTS:
        step = -(-len(known) // _POINTS)
        known = [*known[::step], *([] if (len(known) - 1) % step == 0 else [known[-1]])]
    table = pd.DataFrame(
        [
            {"round": record["round"], "site": site, "loss": loss}
            for record in known
            for site, loss in record["by_site"].items()
        ]
    )
    whole = pd.DataFrame([{"round": record["round"], "loss": record["loss"]} for record in known])
    first, last = known[0], known[-1]
    title = f"Loss before round 1: {numbers.estimate(first['loss'])}"
    if last["round"] > first["round"]:
        side = "fell" if last["loss"] <= first["loss"] else "rose"
        title = (
            f"The loss {side} from {numbers.estimate(first['loss'])} to {numbers.estimate(last['loss'])} "
            f"in {last['round']:,} rounds"
        )
    st.altair_chart(
        alt.layer(*_layers(table, whole, rounds, sites)).properties(height=_HEIGHT, title=fitted(title)),
        alt=f"{title}. {len(sites):,} sites, from "
        + ", ".join(f"{site} {numbers.estimate(loss)}" for site, loss in list(last["by_site"].items())[:_HUES]),
    )
    st.caption("Mean loss of the training rows before each round; the thick line is the mean over all rows.")


def _layers(
    table: pd.DataFrame, whole: pd.DataFrame, rounds: Sequence[Mapping[str, Any]], sites: list[str]
) -> list[alt.Chart]:
    x = alt.X("round:Q", title="Round", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False))
    y = alt.Y("loss:Q", title="Loss", scale=alt.Scale(zero=False))
    tooltip = ["site:N", "round:Q", alt.Tooltip("loss:Q", format=",.4f")]
    few = len(sites) <= _HUES
    color: Any = alt.value(theme.muted())
    if few:
        color = alt.Color(
            "site:N",
            scale=alt.Scale(domain=sites, range=theme.categorical()[: len(sites)]),
            legend=alt.Legend(title=None, orient="bottom", columns=legend_columns(4), labelLimit=180),
        )
    dots = len(whole) == 1
    lines = alt.Chart(table)
    own = lines.mark_circle(size=60) if dots else lines.mark_line(strokeWidth=1.5, opacity=0.9 if few else 0.4)
    all_rows = alt.Chart(whole.assign(site=_ALL))
    mean = (
        all_rows.mark_circle(size=120, color=theme.text())
        if dots
        else all_rows.mark_line(strokeWidth=3.5, color=theme.text())
    )
    detail = {} if few else {"detail": "site:N"}
    layers = [own.encode(x=x, y=y, color=color, tooltip=tooltip, **detail), mean.encode(x=x, y=y, tooltip=tooltip)]
    missing = pd.DataFrame(
        [{"round": record["round"], "site": site} for record in rounds for site in record["missing"]],
        columns=["round", "site"],
    )
    if len(missing):
        lowest = float(min(table["loss"].min(), whole["loss"].min()))
        crosses = alt.Chart(missing.assign(loss=lowest, state="did not take part"))
        layers.append(
            crosses.mark_point(shape="cross", angle=45, size=90, filled=True, opacity=1).encode(
                x=x, y=y, color=color, tooltip=["site:N", "round:Q", "state:N"]
            )
        )
    return layers
