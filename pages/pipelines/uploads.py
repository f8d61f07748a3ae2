"""Uploads as files that the installation keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.access import Access, Role
from core.catalog import usage
from core.errors import InputError
from core.pipelines import unpacked
from core.storage import get_store

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["contents", "stored_files"]


def contents(uploads: Iterable[UploadedFile]) -> dict[str, bytes]:
    """Return the contents of uploaded files by relative path, with those of each .zip in its place."""
    return {path: data for upload in uploads for path, data in unpacked(upload.name, upload.getvalue()).items()}


def stored_files(files: Mapping[str, bytes], folder: str = "", *, access: Access) -> dict[str, str]:
    """Store files and return their digests by relative path, in a folder beside the pipeline.

    Raises
    ------
    InputError
        When a path lies outside the pipeline's folder.
    LimitError
        When the workspace has no room for them.
    """
    access.require(Role.EDITOR)
    usage.require_room(sum(map(len, files.values())), access=access)
    folder = folder.strip().strip("/").removeprefix("./")
    if ".." in folder.split("/"):
        raise InputError(f"'{folder}' lies outside the pipeline's folder.", "Name a folder below it.")
    prefix = f"{folder}/" if folder else ""
    store = get_store()
    return {f"{prefix}{path}": store.put_bytes(data) for path, data in files.items()}
