"""Components that pipelines can use by name: those of the workspace, and those that come with the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.access import Access, upload_limit_mb
from core.catalog import PipelineComponent
from core.catalog import components as component_rows
from core.errors import PlumblineError
from core.pipelines import Component, component_files, load_component
from core.tasks import pipeline_components
from pages._ui import address, frame, listing, uploader
from pages.pipelines import reading, uploads

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["read_row", "shipped", "show"]


@st.cache_resource(max_entries=1, show_spinner=False)
def shipped() -> dict[str, Component]:
    """Return the components that come with the product, by name."""
    return {name: load_component(path) for name, path in component_files().items()}


@st.cache_resource(max_entries=200, ttl=60, show_spinner=False)
def _read(component_id: str, *, access: Access) -> Component | PlumblineError:
    try:
        return pipeline_components.read_component(component_rows.by_id(component_id, access=access), access=access)
    except PlumblineError as error:
        return error


def read_row(row: PipelineComponent) -> Component | PlumblineError:
    """Return what a registered component says, or why it cannot be read."""
    return _read(row.id, access=frame.access())


def show() -> None:
    """Draw the list, and the field that registers one."""
    access = frame.access()
    own = component_rows.names(access=access)
    rows, ids = [], []
    for name in own:
        versions = component_rows.versions(name, access=access)
        read = read_row(versions[0])
        title, description, used = ("", "", ("", "")) if isinstance(read, PlumblineError) else _words(read)
        rows.append(_row(name, versions[0].version, len(versions), "This workspace", title, description, used))
        ids.append(name)
    for name, component in shipped().items():
        if name not in own:
            title, description, used = _words(component)
            rows.append(_row(name, component.version, 1, "Plumbline", title, description, used))
            ids.append(name)
    st.caption("A pipeline names them as azureml\\:name@latest, or by a version. Select a row to open one.")
    listing.show(
        pd.DataFrame(rows),
        ids,
        key="pipelines-components",
        parameter="component",
        column_config={
            "Description": st.column_config.TextColumn(width=320),
            "Inputs": st.column_config.TextColumn(width=220),
            "Versions": st.column_config.NumberColumn(format="%d", width="small"),
            "Latest": st.column_config.TextColumn(width="small"),
        },
        alt="Components that pipelines can use",
    )
    st.subheader("Register a component")
    uploader.show_several(
        "Its .yml with its code beside it, or both in a .zip",
        key="pipelines-component-file",
        limit_mb=upload_limit_mb(),
        on_upload=_register,
    )


def _row(
    name: str, version: str, count: int, source: str, title: str, description: str, used: tuple[str, str]
) -> dict[str, object]:
    return {
        "Component": name,
        "Title": title or None,
        "Latest": version,
        "Versions": count,
        "From": source,
        "Description": description,
        "Inputs": used[0],
        "Outputs": used[1],
    }


def _words(component: Component) -> tuple[str, str, tuple[str, str]]:
    return component.title, component.description, (", ".join(component.inputs), ", ".join(component.outputs))


def _register(uploaded: list[UploadedFile]) -> None:
    row, new = pipeline_components.register_component(uploads.contents(uploaded), access=frame.access())
    reading.forget()
    if not new:
        st.session_state["pipelines-notice"] = f"Version {row.version} of {row.name} had this content already."
    address.set_query(component=row.name, version=row.version)
