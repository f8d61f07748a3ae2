"""The tab Compare: two versions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog import ModelVersion
from core.catalog import models as rows
from core.evaluation import METRICS
from core.models import StoredEstimate, VersionComparison
from pages._ui import address, frame
from pages._ui import charts as shared
from pages.models import charts, metrics
from pages.models.metrics import OpenModel

__all__ = ["show"]

_MAX_CHARTS = 4


def show(opened: OpenModel) -> None:
    """Draw the choice of the other version, and the comparison."""
    others = {version.number: version for version in opened.versions if version.id != opened.version.id}
    if not others:
        st.info(
            "There is only one version so far. Register another run under this name to compare.",
            icon=":material/compare_arrows:",
        )
        return
    champion = opened.aliases.get(rows.CHAMPION)
    key = metrics.choice_key(f"models-with-{opened.version.id}", opened.versions, opened.aliases)
    shown = address.restore("with", list(others), champion if champion in others else next(iter(others)), key)
    with st.container(horizontal=True):
        number = st.selectbox(
            f"Version {opened.version.number} against",
            list(others),
            format_func=lambda number: metrics.version_name(others[number], opened.aliases),
            key=key,
            width=320,
        )
        address.keep("with", number, shown, key)
        metric = _choose_metric(opened.version, others[number])
    comparison = metrics.compare(others[number], opened.version, metric)
    st.subheader(frame.plain(comparison.verdict))
    _difference(comparison)
    _side_by_side(comparison)


def _choose_metric(version: ModelVersion, other: ModelVersion) -> str | None:
    common = [name for name in metrics.test_metrics(version) if name in metrics.test_metrics(other)]
    if not common:
        return None
    return st.selectbox(
        "Difference in", common, format_func=metrics.metric_title, key=f"models-metric-{version.id}", width=240
    )


def _difference(comparison: VersionComparison) -> None:
    if comparison.difference is None:
        st.caption(
            "The metrics below were measured on different rows: whether their intervals overlap or not, they do not "
            "show which version is better."
        )
        return
    which = "Both have the same test rows" if comparison.same_rows else "Only rows that both held out are compared"
    direction = "" if METRICS[comparison.metric].larger_is_better else ", turned so that larger is better"
    charts.difference(
        comparison.difference,
        f"Version {comparison.second.number}",
        f"Gain in {metrics.metric_title(comparison.metric)} over version {comparison.first.number}{direction}",
    )
    n = comparison.difference.n
    units = f"{n:,} rows" if comparison.groups is None else f"the {comparison.groups:,} groups of {n:,} rows"
    st.caption(
        f"{which}: both predict {units}, so that the difficulty of a row cancels out. "
        "Dashed line: no difference. 95% interval."
    )


def _side_by_side(comparison: VersionComparison) -> None:
    titles = {"second": f"Version {comparison.second.number}", "first": f"Version {comparison.first.number}"}
    estimates = {row["title"]: _estimates(row, titles) for row in comparison.table.to_dict("records")}
    st.markdown("**Each version on its own test rows, with 95% intervals**")
    complete = [metric for metric, versions in estimates.items() if None not in versions.values()][:_MAX_CHARTS]
    for index, metric in enumerate(complete):
        if index % 2 == 0:
            columns = st.columns(2, gap="medium")
        with columns[index % 2]:
            versions = estimates[metric]
            measured = {title: estimate for title, estimate in versions.items() if estimate is not None}
            shared.intervals(metrics.interval_parts(measured), metric)
    rows = []
    for metric, versions in estimates.items():
        row: dict[str, object] = {"Metric": metric}
        for title, estimate in versions.items():
            row[title] = None if estimate is None else metrics.format_estimate(estimate)
        for title, estimate in versions.items():
            row[f"{title}, rows"] = None if estimate is None else estimate.n
        rows.append(row)
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="–",
        column_config={
            f"{title}, rows": st.column_config.NumberColumn(format="localized") for title in titles.values()
        },
        alt="Metrics of both versions with 95% intervals",
    )


def _estimates(row: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, StoredEstimate | None]:
    """Return the estimate of each version in a row of the comparison's table; None where it was not measured."""
    return {
        title: StoredEstimate(*(row[f"{side}_{part}"] for part in ("value", "low", "high", "n")))
        if row[f"{side}_n"]
        else None
        for side, title in titles.items()
    }
