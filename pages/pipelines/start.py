"""Ways to begin a pipeline: an empty one, a file, the example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.access import upload_limit_mb
from core.catalog import SavedPipeline, saved_pipelines
from core.pipelines import example_pipelines, pipeline_among
from pages._ui import address, frame, uploader
from pages.pipelines import uploads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.typing import UploadedFile

__all__ = ["save", "show"]

_EXAMPLE = "customer_churn_training"
_STARTER = """$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: my_pipeline

inputs:
  data:
    type: uri_folder
    path: azureml:my_table@latest

jobs:
  prepare:
    component: azureml:data_prep@latest
    inputs:
      raw_data: ${{parent.inputs.data}}
"""


def show(*, empty: bool) -> None:
    """Draw the buttons."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start from the example",
            type="primary" if empty else "secondary",
            icon=":material/school:",
            key="pipelines-example",
            on_click=save,
            args=(_EXAMPLE, example_pipelines()[_EXAMPLE], {}),
            help="Trains on a dataset named customer_data, tests the model and writes a report.",
        )
        st.button(
            "New pipeline",
            icon=":material/add:",
            key="pipelines-new",
            on_click=save,
            args=("New pipeline", _STARTER, {}, "Edit"),
            help="An editor to write or paste a file into.",
        )
        with st.popover("Upload", icon=":material/upload:", key="pipelines-upload"):
            uploader.show_several(
                "A pipeline's .yml with the files beside it, or all of them in a .zip",
                key="pipelines-upload-file",
                limit_mb=upload_limit_mb(),
                on_upload=_upload,
            )


def save(name: str, text: str, files: Mapping[str, str], tab: str = "Run") -> None:
    """Save a pipeline under a name that is free, and open it, in a callback."""
    with frame.errors_shown():
        names = {saved.name for saved in saved_pipelines.find(access=frame.access())}
        number = 1
        while (free := name if number == 1 else f"{name} {number}") in names:
            number += 1
        row = SavedPipeline(
            workspace=frame.access().workspace, name=free, text=text, files=dict(files), who=frame.access().actor
        )
        address.set_query(pipeline=saved_pipelines.add(row, access=frame.access()).id, tab=tab)


def _upload(uploaded: list[UploadedFile]) -> None:
    taken = pipeline_among(uploads.contents(uploaded))
    packed = len(uploaded) == 1 and uploaded[0].name != taken.name
    name = uploaded[0].name.rpartition(".")[0] if packed else taken.name
    said = []
    if taken.others:
        said.append(f"{taken.name} was chosen. {_listed(taken.others)} could be run as a pipeline, too.")
    if taken.outside:
        said.append(f"Left out, because not below the folder of {taken.name}: {_listed(taken.outside)}.")
    if said:
        st.session_state["pipelines-notice"] = " ".join(said)
    files = uploads.stored_files(taken.beside, access=frame.access())
    save(name.removesuffix(".yml").removesuffix(".yaml") or "Pipeline", taken.text, files, "Edit")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} others" if len(names) > 5 else "")
