"""The editor of a saved pipeline: its text with what is wrong in it, and the files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.access import upload_limit_mb
from core.catalog import SavedPipeline, saved_pipelines
from core.storage import get_store
from core.tasks import pipeline_schedules
from pages._ui import downloads, frame, uploader, written
from pages.pipelines import mistakes, reading, step_list, uploads

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["show"]

_HEIGHT = 520
_OPEN = 6  # files up to which their list is open


def show(saved: SavedPipeline) -> None:
    """Draw the editor."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        text = _text(saved)
        _save(saved, text)
        _files(saved)
    with right:
        checked = reading.read(text, saved.files, access=frame.access())
        if checked.pipeline is None:
            mistakes.show(checked, text)
            return
        steps = len(checked.plan["steps"])
        st.success(f"{steps} step{'s' * (steps != 1)}, and every connection fits.", icon=":material/check_circle:")
        mistakes.show_notices(checked)
        step_list.show_plan(checked.plan, narrow=True)


def _key(saved: SavedPipeline) -> str:
    return f"pipelines-text-{saved.id}"


def _text(saved: SavedPipeline) -> str:
    key = _key(saved)
    written.follow(key, saved.text)
    st.html(f"<style>.st-key-{key} textarea {{ font-family: monospace; white-space: pre; }}</style>")
    typed = st.text_area(
        "Pipeline (YAML)",
        key=key,
        height=_HEIGHT,
        help="Checked when you leave the field, or press Ctrl+Enter.",
    )
    return typed or ""


def _save(saved: SavedPipeline, text: str) -> None:
    key = _key(saved)
    changed = written.edited(key, text)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Save", type="primary", icon=":material/save:", disabled=not changed, key="pipelines-save")
        if changed:
            st.button("Discard changes", key="pipelines-discard", on_click=_discard, args=(saved.id,))
            st.caption("Not saved yet.")
    if pressed:
        with frame.errors_shown():
            if written.overtaken(key, saved.text):
                st.warning(
                    "Save again to replace it with yours, or discard your changes to see it.",
                    title="The pipeline was changed meanwhile, perhaps in another tab.",
                )
                return
            _update(saved, text=text)
            written.overtaken(key, text)
            st.rerun()


def _discard(saved_id: str) -> None:
    with frame.errors_shown():
        row = saved_pipelines.get(saved_id, access=frame.access())
        st.session_state[_key(row)] = row.text
        written.overtaken(_key(row), row.text)


def _files(saved: SavedPipeline) -> None:
    count = len(saved.files)
    with st.expander(
        f"Files beside it: {count}" if count else "Files beside it: none",
        icon=":material/folder:",
        expanded=0 < count <= _OPEN,
    ):
        for name, digest in sorted(saved.files.items()):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(frame.plain(name), width="stretch")
                downloads.button(
                    "Download",
                    get_store().local_path(digest).read_bytes,
                    file_name=downloads.member_name(name.rpartition("/")[2]),
                    icon=":material/download:",
                    type="tertiary",
                    key=f"pipelines-file-{saved.id}-{name}",
                    on_click="ignore",
                )
                st.button(
                    "Remove",
                    icon=":material/delete:",
                    type="tertiary",
                    key=f"pipelines-remove-{saved.id}-{name}",
                    on_click=_remove,
                    args=(saved.id, name),
                )
        folder = st.text_input(
            "Folder for the next files", key=f"pipelines-folder-{saved.id}", placeholder="beside the pipeline"
        )
        uploader.show_several(
            "Components, code, recipes, or a .zip",
            key=f"pipelines-add-{saved.id}",
            limit_mb=upload_limit_mb(),
            on_upload=lambda uploaded: _add(saved.id, folder, uploaded),
        )


def _add(saved_id: str, folder: str, uploaded: list[UploadedFile]) -> None:
    row = saved_pipelines.get(saved_id, access=frame.access())
    added = uploads.stored_files(uploads.contents(uploaded), folder, access=frame.access())
    _update(row, files={**row.files, **added})


def _remove(saved_id: str, name: str) -> None:
    with frame.errors_shown():
        row = saved_pipelines.get(saved_id, access=frame.access())
        files = {other: digest for other, digest in row.files.items() if other != name}
        _update(row, files=files)


def _update(saved: SavedPipeline, *, text: str | None = None, files: dict[str, str] | None = None) -> None:
    """Store a change, and let the pipeline's schedules follow it."""
    changed = saved_pipelines.update(saved, text=text, files=files, access=frame.access())
    pipeline_schedules.update_schedules(changed, access=frame.access())
