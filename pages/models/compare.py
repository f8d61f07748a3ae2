"""Two versions side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.automl import METRICS
from core.catalog import ModelVersion
from core.catalog import models as rows
from core.models import VersionComparison
from pages._ui import address, frame
from pages._ui import charts as shared
from pages.models import charts, figures
from pages.models.figures import Opened

__all__ = ["show"]

_DRAWN = 4


def show(opened: Opened) -> None:
    """Draw the choice of the other version, and what is known of both."""
    others = {version.number: version for version in opened.versions if version.id != opened.version.id}
    if not others:
        st.info(
            "There is one version so far. Register a further run under this name to compare.",
            icon=":material/compare_arrows:",
        )
        return
    champion = opened.aliases.get(rows.CHAMPION)
    key = figures.key(f"models-with-{opened.version.id}", opened.versions, opened.aliases)
    shown = address.restore("with", list(others), champion if champion in others else next(iter(others)), key)
    with st.container(horizontal=True):
        number = st.selectbox(
            f"Version {opened.version.number} against",
            list(others),
            format_func=lambda each: figures.name(others[each], opened.aliases),
            key=key,
            width=320,
        )
        address.keep("with", number, shown, key)
        metric = _metric(opened.version, others[number])
    found = figures.comparison(others[number], opened.version, metric)
    st.subheader(frame.plain(found.verdict))
    _difference(found)
    _beside(found)


def _metric(version: ModelVersion, other: ModelVersion) -> str | None:
    common = [name for name in figures.metrics(version) if name in figures.metrics(other)]
    if not common:
        return None
    return st.selectbox(
        "Difference in", common, format_func=figures.title, key=f"models-metric-{version.id}", width=240
    )


def _difference(found: VersionComparison) -> None:
    if found.difference is None:
        st.caption(
            "Their own figures below were found on different rows: overlapping or not, they do not say which "
            "version is better."
        )
        return
    rows_told = "The test rows of both are the same" if found.same_rows else "Only rows that both held out count"
    better = "" if METRICS[found.metric].larger_is_better else ", turned so that larger is better"
    charts.difference(
        found.difference,
        f"Version {found.second.number}",
        f"Gain in {figures.title(found.metric)} over version {found.first.number}{better}",
    )
    n = found.difference.n
    drawn = f"{n:,} rows" if found.groups is None else f"the {found.groups:,} groups of {n:,} rows"
    st.caption(
        f"{rows_told}: both predict the same resamples of {drawn}, so what makes a row hard cancels out. "
        "Dashed: no difference. 95 % interval."
    )


def _beside(found: VersionComparison) -> None:
    table = found.table
    names = {"second": f"Version {found.second.number}", "first": f"Version {found.first.number}"}
    st.markdown("**Each on its own test rows, with 95 % intervals**")
    drawn = table.dropna().head(_DRAWN)
    for place, row in enumerate(drawn.to_dict("records")):
        if place % 2 == 0:
            columns = st.columns(2, gap="medium")
        with columns[place % 2]:
            shared.intervals(
                {
                    name: {part: row[f"{side}_{part}"] for part in ("value", "low", "high")}
                    for side, name in names.items()
                },
                row["title"],
            )
    st.dataframe(
        pd.DataFrame(
            [
                {"Metric": row["title"]}
                | {
                    name: figures.told({part: row[f"{side}_{part}"] for part in ("value", "low", "high")})
                    if row[f"{side}_n"]
                    else None
                    for side, name in names.items()
                }
                | {f"{name}, rows": row[f"{side}_n"] or None for side, name in names.items()}
                for row in table.to_dict("records")
            ]
        ),
        hide_index=True,
        placeholder="–",
        column_config={f"{name}, rows": st.column_config.NumberColumn(format="localized") for name in names.values()},
        alt="Metrics of both versions with 95 % intervals",
    )
