"""One saved pipeline: run it, edit it, its runs."""

from __future__ import annotations

import io
import zipfile
from functools import partial

import streamlit as st

from core.access import has_feature
from core.catalog import SavedPipeline, saved_pipelines
from core.storage import get_store
from core.tasks import pipeline_schedules
from pages._ui import address, deletion, downloads, frame, header, numbers, tabs
from pages.pipelines import editor, mistakes, reading, run_form, run_table, schedule, step_list

__all__ = ["show"]


def show(saved: SavedPipeline) -> None:
    """Draw a saved pipeline."""
    beside = f" · {len(saved.files)} file{'s' * (len(saved.files) != 1)} beside it" if saved.files else ""
    by = f" by {frame.plain(saved.who)}" if saved.who else ""
    facts = f"Changed {numbers.ago(saved.changed_at)}{by}{beside}"
    with header.show_object(saved.name, back="All pipelines", facts=facts):
        with st.popover("Download", icon=":material/download:", key="pipelines-download"):
            _download(saved)
        with st.popover("Manage", icon=":material/settings:", key="pipelines-manage"):
            _manage(saved)
    if notice := st.session_state.pop("pipelines-notice", None):
        st.info(frame.plain(notice), icon=":material/info:")
    tabs.show(
        {
            "Run": partial(_run, saved),
            "Edit": partial(editor.show, saved),
            "Runs": partial(run_table.show, saved=saved.id),
            **({"Schedule": partial(schedule.show, saved)} if has_feature("schedules") else {}),
        },
        key="pipelines-tabs",
    )


def _run(saved: SavedPipeline) -> None:
    checked = reading.read(saved.text, saved.files, access=frame.access())
    if checked.pipeline is None:
        mistakes.show(checked, saved.text)
        st.button(
            "Edit the file",
            icon=":material/edit:",
            key="pipelines-to-edit",
            on_click=address.set_query,
            kwargs={"pipeline": saved.id, "tab": "Edit"},
        )
        return
    if checked.pipeline.description:
        st.markdown(frame.plain(checked.pipeline.description))
    run_form.show(
        checked, saved.text, saved.files, title=saved.name, saved=saved.id, given={}, key=f"pipelines-run-{saved.id}"
    )
    mistakes.show_notices(checked)
    step_list.show_plan(checked.plan)


def _download(saved: SavedPipeline) -> None:
    downloads.button(
        "Pipeline (YAML)",
        saved.text,
        file_name=downloads.file_name(saved.name, ".yml"),
        mime="application/yaml",
        icon=":material/description:",
        key="pipelines-download-text",
        on_click="ignore",
    )
    if not saved.files:
        return

    def as_zip() -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("pipeline.yml", saved.text)
            for name, digest in saved.files.items():
                archive.write(get_store().local_path(digest), downloads.member_name(name))
        return target.getvalue()

    downloads.button(
        "With the files beside it (zip)",
        as_zip,
        file_name=downloads.file_name(saved.name, ".zip"),
        mime="application/zip",
        icon=":material/folder_zip:",
        key="pipelines-download-zip",
        on_click="ignore",
    )


def _manage(saved: SavedPipeline) -> None:
    with st.form("pipelines-rename-form", border=False):
        name = st.text_input("Name", value=saved.name, max_chars=200, key=f"pipelines-new-name-{saved.id}")
        if st.form_submit_button("Rename", icon=":material/edit:", key="pipelines-rename"):
            with frame.errors_shown():
                pipeline_schedules.update_schedules(
                    saved_pipelines.update(saved, name=name, access=frame.access()), access=frame.access()
                )
                st.rerun()
    deletion.button("pipeline", saved.id)
