"""Downloads. The file is made when the button is pressed, not before."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import streamlit as st

from core.automl import bundle
from core.catalog import Dataset, Run, artifacts, audit
from core.errors import LimitError, PlumblineError
from core.spreadsheet import write_csv
from core.storage import get_store
from core.tasks import pipeline as tasks
from pages._ui import frame, keys, numbers, server_facts, tables

__all__ = [
    "button",
    "csv_note",
    "csv_of",
    "dataset",
    "file_name",
    "folder",
    "member_name",
    "model",
    "pipeline",
    "too_large",
]

Content: TypeAlias = bytes | str
_MEMORY_LIMIT_MB = 100
_NUMBER_CHARS = 8


def file_name(name: str, suffix: str) -> str:
    """Return a file name that is valid on every file system."""
    safe = "".join(character if character.isalnum() or character in "-_ " else "-" for character in name)
    return f"{safe.strip()[:80] or 'plumbline'}{suffix}"


def member_name(path: str) -> str:
    """Return the path of a file in a zip that leads to no other folder and is valid on every system.

    Examples
    --------
    >>> member_name("out/../..\\\\evil\\n.csv"), member_name("data/table.csv")
    ('out/..-evil-.csv', 'data/table.csv')
    """
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    names = ("".join(_valid(character) for character in part) for part in parts)
    return "/".join(names) or "file"


def _valid(character: str) -> str:
    return character if character.isprintable() and character not in '\\:*?"<>|' else "-"


def button(label: str, data: Content | Callable[[], Content], *, file_name: str, **options: Any) -> None:
    """Draw the button of a download. That it was pressed is recorded where several people use the installation.

    Parameters
    ----------
    label : str
        Label, as Markdown.
    data : bytes, str or callable
        Content, or the function that makes it when the button is pressed.
    file_name : str
        Name of the file.
    **options
        Other arguments of `st.download_button`.
    """
    if not audit.looks_are_recorded():
        st.download_button(label, data, file_name=file_name, **options)
        return
    access = frame.access()

    def recorded() -> Content:
        content = data() if callable(data) else data
        audit.add("download", file_name, access=access)
        return content

    st.download_button(label, recorded, file_name=file_name, **options)


def too_large(size_bytes: int, what: str, instead: str, *, language: str | None = None) -> bool:
    """Return whether a file is too large for the browser; if so, show what to do on the server instead."""
    if size_bytes <= _MEMORY_LIMIT_MB * 2**20:
        return False
    too_much = f"{what} is too large for a download in the browser"
    if server_facts.shown():
        st.caption(f"{too_much}. On the server:")
        st.code(instead, language=language)
    else:
        st.caption(f"{too_much}: the limit is {_MEMORY_LIMIT_MB} MB.")
    return True


def csv_note(instead: str = "") -> None:
    """Say beside a CSV that may hold texts of users what was changed in it.

    Parameters
    ----------
    instead : str, default=""
        Sentence on the file that has them unchanged.
    """
    note = "In CSV files, texts that a spreadsheet would run (they begin with =, +, - or @) have a ' in front."
    st.caption(frame.plain(f"{note} {instead}".strip()))


def csv_of(path: Path) -> bytes:
    """Return a stored table as CSV.

    Raises
    ------
    LimitError
        When it is too large for the memory of the server.
    """
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        target = write_csv(path, Path(folder) / "table.csv")
        size = target.stat().st_size
        if size > _MEMORY_LIMIT_MB * 2**20:
            raise LimitError(
                f"As CSV the table has {numbers.size(size)}, and at most {_MEMORY_LIMIT_MB} MB are downloaded.",
                "Download it as Parquet, or a part of its rows or columns.",
            )
        return target.read_bytes()


def dataset(chosen: Dataset) -> None:
    """Draw the buttons that download a dataset."""
    path = get_store().local_path(chosen.data_digest)
    if too_large(chosen.size_bytes, "This table", str(path)):
        return

    expected = _csv_bytes(chosen)
    if expected <= _MEMORY_LIMIT_MB * 2**20:
        button(
            "CSV",
            lambda: csv_of(path),
            file_name=file_name(chosen.name, ".csv"),
            mime="text/csv",
            icon=":material/csv:",
            key=keys.key("download-csv"),
            on_click="ignore",
        )
    else:
        st.caption(
            f"As CSV the table has about {numbers.size(expected)}, and at most {_MEMORY_LIMIT_MB} MB are downloaded. "
            "Download it as Parquet."
        )
    button(
        "Parquet",
        path.read_bytes,
        file_name=file_name(chosen.name, ".parquet"),
        icon=":material/table:",
        key=keys.key("download-parquet"),
        on_click="ignore",
    )
    csv_note("Parquet has them as they are.")


def _csv_bytes(chosen: Dataset) -> int:
    """Return about how large a dataset is as CSV, by the mean length of its texts."""
    columns = tables.profile(chosen.profile_digest)["columns"]
    return int(sum(column["rows"] * (1 + column["lengths"].get("mean", _NUMBER_CHARS)) for column in columns))


def model(run: Run) -> None:
    """Draw the button that downloads a search's model with everything that prediction needs."""
    if _run_too_large(run):
        return

    def as_zip() -> bytes:
        store = get_store()
        files = {item.name: store.local_path(item.digest) for item in artifacts.find(run.id, access=frame.access())}
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model.zip"
            bundle(files, target)
            return target.read_bytes()

    button(
        "Model (zip)",
        as_zip,
        file_name=file_name(run.title, ".zip"),
        mime="application/zip",
        icon=":material/deployed_code:",
        help="The model, its exact requirements, a script that predicts the rows of a file, and all the evidence.",
        key=keys.key("download-model"),
        on_click="ignore",
    )


def folder(run: Run) -> None:
    """Draw the button that downloads all files of a run as they are."""
    if _run_too_large(run):
        return

    def as_zip() -> bytes:
        store = get_store()
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "run.zip"
            with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # weights do not shrink
                for item in artifacts.find(run.id, access=frame.access()):
                    archive.write(store.local_path(item.digest), member_name(item.name))
            return target.read_bytes()

    button(
        "Everything (zip)",
        as_zip,
        file_name=file_name(run.title, ".zip"),
        mime="application/zip",
        icon=":material/deployed_code:",
        help="The model as safetensors with its tokenizer, its ONNX file, the evidence, and a script that trains it.",
        key=keys.key("download-folder"),
        on_click="ignore",
    )


def pipeline(source: Run | Dataset) -> None:
    """Draw the button that downloads a run, or the steps of a dataset, as a pipeline and as a Python script."""
    try:
        exported = tasks.exported(source, access=frame.access())
    except PlumblineError as error:
        st.caption(frame.plain(f"Not as a pipeline: {error.message}"))
        return
    button(
        "Pipeline and script (zip)",
        exported.to_zip,
        file_name=file_name(f"{source.title if isinstance(source, Run) else source.name} pipeline", ".zip"),
        mime="application/zip",
        icon=":material/account_tree:",
        help="An Azure ML pipeline's file that repeats this, here or in Azure, and a plain Python script.",
        key=keys.key("download-pipeline"),
        on_click="ignore",
    )


def _run_too_large(run: Run) -> bool:
    files = artifacts.find(run.id, access=frame.access())
    names = ", ".join(f'"{item.name}"' for item in files)
    path = f'jobs.artifact_path("{run.id}", name, access=LOCAL)'
    call = f"from core import jobs\nfrom core.access import LOCAL\n\nfor name in ({names},):\n    print({path})"
    return too_large(sum(item.size_bytes for item in files), "This model", call, language="python")
