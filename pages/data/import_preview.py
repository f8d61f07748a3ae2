"""A file before its import: how it would be read, with a control for each decision, and the button that imports it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.catalog import ACTIVE, Dataset, Run, RunState
from core.datasets import ReadOptions, ReadReport
from core.tasks import ingest, preview
from pages._ui import address, artifacts, frame, header, lookups, run_view, tables
from pages.data import imports, reading_notes, reading_panel
from pages.data.shown_reading import Reading

__all__ = ["show"]

_ROWS = 100


def show(run: Run) -> None:
    """Draw the preview that a run makes of a file.

    Everything follows from the address: a reload, Back and another window show the same.
    """
    dataset = lookups.existing_dataset(run.settings.get("dataset"))
    if run.state is RunState.SUCCEEDED and run.result is not None and run.result["typed"] and dataset is None:
        with frame.errors_shown():  # nothing is to be decided, so nothing is asked
            imports.follow(preview.accept(run, access=frame.access()))
            st.rerun()
    reading = _reading(run, dataset)
    active = run.state is RunState.QUEUED or run.state in ACTIVE
    importable = active or (reading is not None and reading.rows is not None and run.state is not RunState.FAILED)
    _head(run, dataset, importable=importable)
    if reading is None:
        if active:
            run_view.show_run(run.id)
        else:
            _ended(run, earlier=False)
        return
    with st.container():  # what stands below keeps its position
        if active:
            run_view.show_line(run.id, "Reading the start of the file again")
        elif reading.key == _key(run, run.id) and run.state is RunState.SUCCEEDED:
            with st.container(key=f"data-previewed-{run.id}"):
                st.caption(_extent(reading.report) + _dropped(run))
            reading_notes.show(reading.report, columns=False, expanded=True)
        else:
            _ended(run, earlier=reading.rows is not None)
    options = reading_panel.show(reading)
    if options != reading.given:
        with frame.errors_shown():
            address.go(**{"import": preview.submit_again(run, options, access=frame.access())})


def _reading(run: Run, dataset: Dataset | None) -> Reading | None:
    """Return what the run saw; while it looks, and where it failed, what was seen before, with the new options."""
    given = ReadOptions(**run.settings.get("options", {}))
    for seen in (run, lookups.existing_run(run.settings.get("previous"))):
        result = None if seen is None else preview.load(seen, access=frame.access())
        if seen is not None and result is not None:
            return Reading(result.report, _rows(result), given, _key(run, seen.id))
    if dataset is None:
        return None
    report = ReadReport.from_dict(dataset.report)
    return Reading(report, tables.first_rows(dataset, _ROWS).frame, given, _key(run, dataset.fingerprint[:12]))


def _key(run: Run, shown: str) -> str:
    return f"{run.id}-{shown}"


def _rows(seen: preview.Preview) -> pd.DataFrame | None:
    return None if seen.rows is None else artifacts.first_rows(seen.rows, _ROWS).frame


def _head(run: Run, dataset: Dataset | None, *, importable: bool) -> None:
    beside = dataset is not None and ingest.stays(dataset, access=frame.access())
    if dataset is None:
        facts = "How this file is read. It is imported when you say so, and removed after a day otherwise."
    else:
        change = "A run has used the dataset, so a new one is made beside it" if beside else "The dataset changes"
        facts = f"Another way to read {frame.plain(dataset.source)}. {change} when you say so."
    with header.show_object(
        run.settings["filename"] if dataset is None else dataset.name,
        back="All datasets" if dataset is None else "Back to the dataset",
        query=_way_back(dataset),
        facts=facts,
    ):
        st.button(
            "Import" if dataset is None else "Make a new dataset" if beside else "Apply to the dataset",
            type="primary",
            icon=":material/check:",
            key="data-import",
            on_click=_accept,
            args=(run,),
            disabled=not importable,
        )
        st.button("Cancel", icon=":material/close:", key="data-import-cancel", on_click=_discard, args=(run, dataset))
    if dataset is not None and not beside and dataset.fingerprint != run.settings["fingerprint"]:
        st.warning(
            "The file was read again since, in another window. What is shown here replaces that.",
            icon=":material/sync_problem:",
        )


def _way_back(dataset: Dataset | None) -> dict[str, str]:
    return {} if dataset is None else {"dataset": dataset.id, "tab": "Reading"}


def _ended(run: Run, *, earlier: bool) -> None:
    """Say why there is no preview with these options; `earlier` says that an earlier one is drawn below."""
    if run.state not in (RunState.CANCELLED, RunState.SUCCEEDED):
        run_view.show_failure(run)
        if earlier:
            st.caption("The table below is from before the last change.")
        return
    st.info("This preview is no longer kept.", icon=":material/history:")
    if st.button("Read the start of the file", icon=":material/refresh:", key="data-import-look"):
        with frame.errors_shown():
            options = ReadOptions(**run.settings.get("options", {}))
            address.go(**{"import": preview.submit_again(run, options, access=frame.access())})


def _extent(report: ReadReport) -> str:
    """Return how much of the file was read for the preview."""
    columns = f"{report.columns:,} column{'s' * (report.columns != 1)}"
    if report.complete:
        return f"All of the file was looked at: {report.rows:,} row{'s' * (report.rows != 1)}, {columns}."
    return (
        f"The first {report.rows:,} rows were looked at, {columns}. Types and marks are preliminary: the import "
        "decides on all rows."
    )


def _dropped(run: Run) -> str:
    """Say that types which were chosen no longer hold, since the columns may be others."""
    before, now = (
        ReadOptions(**({} if item is None else item.settings.get("options", {}))).column_types
        for item in (lookups.existing_run(run.settings.get("previous")), run)
    )
    if before.keys() <= now.keys():
        return ""
    return " The types that were chosen before were dropped, since the columns may be others now."


def _accept(run: Run) -> None:
    with frame.errors_shown():
        imports.follow(preview.accept(run, access=frame.access()))


def _discard(run: Run, dataset: Dataset | None) -> None:
    with frame.errors_shown():
        preview.discard(run, access=frame.access())
        address.set_query(**_way_back(dataset))
