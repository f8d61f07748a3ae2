"""The result of a training: the verdict first, then mistakes, test metrics, curves, and the model to try."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import Run, RunState
from core.evaluation import METRICS
from core.finetune import BASELINES, FineTuneSettings, FineTuneSummary
from pages._ui import (
    address,
    artifacts,
    charts,
    downloads,
    findings,
    frame,
    header,
    numbers,
    registration,
    result_summary,
    run_actions,
    tabs,
)
from pages._ui.next_steps import next_steps
from pages.decide import panel as decide
from pages.finetune import live, next_try, playground, setup

__all__ = ["head", "show"]

_MISTAKES = 100


def _change(run: Run) -> None:
    with frame.errors_shown():
        setup.fill(run)
        settings = FineTuneSettings.model_validate(run.settings)
        columns = {"text": settings.text_column, "label": settings.target_columns[0]}
        if settings.second_text_column is not None:
            columns["second"] = settings.second_text_column
        address.set_query(dataset=str(run.dataset_id), **columns)


def head(run: Run) -> None:
    """Draw the header of a training, whatever its state."""
    with header.show_object(run.title, back="New training"):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        next_steps(run)
        result_summary.show(run)
        with st.popover("Download", icon=":material/download:", key="finetune-download"):
            downloads.folder(run)
            downloads.pipeline(run)
    if run.state.terminal:
        with st.popover("Repeat", icon=":material/replay:", key="finetune-repeat"):
            st.button(
                "With changes",
                icon=":material/tune:",
                key="finetune-change",
                on_click=_change,
                args=(run,),
                help="Opens the form with these settings.",
                width="stretch",
            )
            st.button(
                "Unchanged",
                icon=":material/replay:",
                key="finetune-again",
                on_click=run_actions.start_again,
                args=(run.id,),
                help="Starts a new training with the same settings.",
                width="stretch",
            )
    run_actions.log(run.id)


def show(run: Run) -> None:
    """Draw a finished training."""
    summary = FineTuneSummary.from_dict(artifacts.json_of(run, "result.json"))
    rows = summary.rows
    st.subheader(frame.plain(summary.verdict))
    st.caption(
        f"{rows['train']:,} training texts, {rows['validation']:,} validation texts, {rows['test']:,} test texts · "
        f"{summary.samples_a_second:.1f} texts per second on {frame.plain(summary.device)} · "
        f"{numbers.duration(run.elapsed_s)}"
    )
    _tiles(summary)
    next_try.show(run, summary)
    tabs.show(
        {
            "Mistakes": lambda: _mistakes(run),
            "Test texts": lambda: _test_texts(summary),
            "Learning": lambda: live.curves(pd.DataFrame(summary.history)),
            "Decide": lambda: decide.show(run),
            "Try it": lambda: playground.show(run),
            "Score": lambda: registration.show(run),
            "Checks": lambda: _checks(summary),
        },
        key="finetune-tabs",
    )


def _checks(summary: FineTuneSummary) -> None:
    findings.show([finding.to_dict() for finding in summary.findings])
    st.json(summary.settings.model_dump(mode="json"), expanded=False)


def _tiles(summary: FineTuneSummary) -> None:
    for estimate in list(summary.test_metrics.values())[:1]:
        st.caption(f"On {estimate.n:,} test texts{numbers.rarest(estimate.rarest)}, with 95% intervals")
    with st.container(horizontal=True):
        for name, estimate in summary.test_metrics.items():
            st.metric(
                METRICS[name].title,
                numbers.estimate(estimate.value, estimate.low, estimate.high),
                numbers.interval(estimate.low, estimate.high),
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=_help(name, estimate.reason),
            )


def _help(name: str, reason: str) -> str | None:
    """Return which way a metric goes, and why it has no interval."""
    direction = "" if METRICS[name].larger_is_better else "Smaller is better."
    why = f"{reason[0].upper()}{frame.plain(reason[1:])}." if reason else ""
    return f"{direction} {why}".strip() or None


def _mistakes(run: Run) -> None:
    table = artifacts.first_rows(artifacts.path_of(run, "errors.parquet"), _MISTAKES).frame
    if table.empty:
        st.info("All test texts were labeled correctly.", icon=":material/check_circle:")
        return
    st.caption("The test texts that the model labeled wrongly with the highest confidence.")
    st.dataframe(
        table.rename(
            columns={
                "row_id": "Row",
                "text": "Text",
                "second_text": "Second text",
                "label": "True",
                "predicted": "Predicted",
                "confidence": "Confidence (%)",
            }
        ).assign(**{"Confidence (%)": 100 * table["confidence"]}),
        hide_index=True,
        column_config={
            "Text": st.column_config.TextColumn(width="large"),
            "Second text": st.column_config.TextColumn(width="medium"),
            "Confidence (%)": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="The most confidently wrong test texts",
    )


def _test_texts(summary: FineTuneSummary) -> None:
    if not summary.test_metrics:
        st.info("No texts were held out for a test.", icon=":material/info:")
        return
    name = next(iter(summary.test_metrics))
    estimates = {"This model": summary.test_metrics[name]} | {
        baseline.title: summary.baseline_metrics[key][name]
        for key, baseline in BASELINES.items()
        if key in summary.baseline_metrics
    }
    charts.intervals({title: estimate.to_dict() for title, estimate in estimates.items()}, METRICS[name].title)
    if summary.confusion is None or summary.labels is None:
        if summary.per_class:
            _by_class(summary)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        accuracy = summary.test_metrics["accuracy"]
        charts.confusion(
            summary.labels,
            summary.confusion,
            f"{accuracy.value:.1%} of {accuracy.n:,} test texts are labeled correctly",
        )
    with right:
        _by_class(summary)


def _by_class(summary: FineTuneSummary) -> None:
    st.dataframe(
        pd.DataFrame(summary.per_class).rename(columns=str.capitalize),
        hide_index=True,
        column_config={title: st.column_config.NumberColumn(format="%.3f") for title in ("Precision", "Recall", "F1")}
        | {"Support": st.column_config.NumberColumn(format="localized")},
        alt="Precision, recall and F1 of each label",
    )
