"""The result of a training: the finding first, then mistakes, curves, and the model to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.automl import METRICS
from core.catalog import Run, RunState
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
    run_actions,
    tabs,
)
from pages._ui.next_steps import next_steps
from pages.finetune import live, playground, setup

__all__ = ["head", "show"]

_BASELINES = {"tfidf": "Words alone (TF-IDF)", "majority": "Guessing"}


def _change(run: Run) -> None:
    with frame.errors_shown():
        setup.fill(run)
        address.set_query(dataset=str(run.dataset_id))


def head(run: Run) -> None:
    """Draw what every training has, whatever its state."""
    with header.show_object(run.title, back="New training"):
        _actions(run)


def _actions(run: Run) -> None:
    if run.state is RunState.SUCCEEDED:
        next_steps(run)
        with st.popover("Download", icon=":material/download:", key="finetune-download"):
            downloads.folder(run)
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
                "As it was",
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
    found = artifacts.json_of(run, "result.json")
    st.subheader(frame.plain(found["verdict"]))
    st.caption(
        f"{found['rows']['train']:,} texts to learn from, {found['rows']['validation']:,} to choose by, "
        f"{found['rows']['test']:,} to test on · {found['samples_a_second']:.1f} texts a second on "
        f"{frame.plain(found['device'])} · {numbers.duration(run.elapsed_s)}"
    )
    _tiles(found)
    tabs.show(
        {
            "Mistakes": lambda: _mistakes(run),
            "Test texts": lambda: _evidence(found),
            "Learning": lambda: live.curves(pd.DataFrame(found["history"])),
            "Try it": lambda: playground.show(run),
            "Score": lambda: registration.show(run),
            "Checks": lambda: _checks(found),
        },
        key="finetune-tabs",
    )


def _checks(found: Mapping[str, Any]) -> None:
    findings.show(found["findings"])
    st.json(found["settings"], expanded=False)


def _tiles(found: Mapping[str, Any]) -> None:
    with st.container(horizontal=True):
        for name, item in found["test_metrics"].items():
            st.metric(
                METRICS[name].title,
                numbers.estimate(item["value"], item["low"], item["high"]),
                numbers.interval(item["low"], item["high"]),
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=None if METRICS[name].larger_is_better else "Smaller is better.",
            )


def _mistakes(run: Run) -> None:
    table = artifacts.table_of(run, "errors.parquet")
    if table.empty:
        st.info("No test text was labelled wrongly.", icon=":material/check_circle:")
        return
    st.caption("Test texts that the model was most sure about, and wrong.")
    st.dataframe(
        table.rename(
            columns={
                "row_id": "Row",
                "text": "Text",
                "label": "True",
                "predicted": "Predicted",
                "confidence": "Confidence (%)",
            }
        ).assign(**{"Confidence (%)": 100 * table["confidence"]}),
        hide_index=True,
        column_config={
            "Text": st.column_config.TextColumn(width="large"),
            "Confidence (%)": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="The most confidently wrong test texts",
    )


def _evidence(found: Mapping[str, Any]) -> None:
    name = next(iter(found["test_metrics"]))
    models = {"This model": found["test_metrics"]} | {
        title: found["baseline_metrics"][key] for key, title in _BASELINES.items() if key in found["baseline_metrics"]
    }
    charts.intervals({title: metrics[name] for title, metrics in models.items()}, METRICS[name].title)
    if found["confusion"] is None:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        accuracy = found["test_metrics"]["accuracy"]
        charts.confusion(
            found["labels"],
            found["confusion"],
            f"{accuracy['value']:.1%} of {accuracy['n']:,} test texts are labelled right",
        )
    with right:
        table = pd.DataFrame(found["per_class"])
        st.dataframe(
            table.rename(columns=str.capitalize),
            hide_index=True,
            column_config={
                title: st.column_config.NumberColumn(format="%.3f") for title in ("Precision", "Recall", "F1")
            }
            | {"Support": st.column_config.NumberColumn(format="localized")},
            alt="Precision, recall and F1 of each class",
        )
