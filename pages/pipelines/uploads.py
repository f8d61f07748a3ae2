"""Uploads as files that the installation keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.errors import InputError
from core.pipelines import pipeline_among, unpacked
from core.storage import get_store

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["contents", "stored_files", "stored_pipeline"]


def contents(uploads: Iterable[UploadedFile]) -> dict[str, bytes]:
    """Return the contents of uploaded files by relative path, with those of each .zip in its place."""
    return {path: data for upload in uploads for path, data in unpacked(upload.name, upload.getvalue()).items()}


def stored_files(files: dict[str, bytes], folder: str = "") -> dict[str, str]:
    """Store files and return their digests by relative path, in a folder beside the pipeline.

    Raises
    ------
    InputError
        When a path lies outside the pipeline's folder.
    """
    folder = folder.strip().strip("/").removeprefix("./")
    if ".." in folder.split("/"):
        raise InputError(f"'{folder}' lies outside the pipeline's folder.", "Name a folder below it.")
    prefix = f"{folder}/" if folder else ""
    store = get_store()
    return {f"{prefix}{path}": store.put_bytes(data) for path, data in files.items()}


def stored_pipeline(files: dict[str, bytes]) -> tuple[str, str, dict[str, str], list[str]]:
    """Store the files of an uploaded pipeline.

    Returns
    -------
    name : str
        Name of the pipeline's file.
    text : str
        Its text.
    files : dict of str to str
        Digests of the files beside it, by relative path.
    outside : list of str
        Files that were left out, because they do not lie below the pipeline's folder.
    """
    path, text, beside, outside = pipeline_among(files)
    store = get_store()
    return path, text, {other: store.put_bytes(data) for other, data in beside.items()}, outside
