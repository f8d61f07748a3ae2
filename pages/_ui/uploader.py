"""Fields for one file, or for several, with a limit. The copy in memory is dropped once the file was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from core.access import Role, upload_limit_mb
from core.errors import LimitError
from pages._ui import frame

if TYPE_CHECKING:
    from streamlit.typing import UploadedFile

__all__ = ["clear", "show", "show_several"]


def show(
    label: str,
    *,
    key: str,
    limit_mb: int,
    on_upload: Callable[[UploadedFile], None] | None = None,
    help: str | None = None,
) -> UploadedFile | None:
    """Draw the field and return the file that is in it.

    Parameters
    ----------
    label : str
        Kinds of file that are read. The widget itself shows the limit.
    key : str
        Key of the widget; a number is added to it.
    limit_mb : int
        Size in MB up to which a file is taken. The browser checks it first.
    on_upload : callable, optional
        Function that takes each file as soon as it is there. Without it, the file stays until `clear` is called.
    help : str, optional
        Tooltip of the field.
    """
    limit_mb = min(limit_mb, upload_limit_mb())  # that of the server
    number = st.session_state.setdefault(f"{key}-number", 0)
    return st.file_uploader(
        label,
        max_upload_size=limit_mb,
        key=f"{key}-{number}",
        on_change=None if on_upload is None else lambda: _take(key, limit_mb, on_upload),
        disabled=not frame.access().may(Role.EDITOR),
        help=help,
    )


def show_several(label: str, *, key: str, limit_mb: int, on_upload: Callable[[list[UploadedFile]], None]) -> None:
    """Draw a field for several files at once.

    Parameters
    ----------
    label : str
        Kinds of file that are read.
    key : str
        Key of the widget; a number is added to it.
    limit_mb : int
        Size in MB of all of them together up to which they are taken.
    on_upload : callable
        Function that takes the files as soon as they are there.
    """
    number = st.session_state.setdefault(f"{key}-number", 0)
    st.file_uploader(
        label,
        accept_multiple_files=True,
        max_upload_size=limit_mb,
        key=f"{key}-{number}",
        on_change=lambda: _take_several(key, limit_mb, on_upload),
        disabled=not frame.access().may(Role.EDITOR),
    )


def clear(key: str) -> None:
    """Empty the field, after its file was taken: another key makes Streamlit drop the copy in memory."""
    st.session_state[f"{key}-number"] += 1


def _take(key: str, limit_mb: int, on_upload: Callable[[UploadedFile], None]) -> None:
    file = st.session_state.get(f"{key}-{st.session_state[f'{key}-number']}")
    if file is None:
        return
    clear(key)
    with frame.errors_shown():
        if file.size > limit_mb * 2**20:
            raise LimitError(
                f"'{file.name}' has {file.size / 2**20:,.0f} MB, and the limit is {limit_mb:,} MB.",
                "Choose a smaller file.",
            )
        on_upload(file)


def _take_several(key: str, limit_mb: int, on_upload: Callable[[list[UploadedFile]], None]) -> None:
    files = st.session_state.get(f"{key}-{st.session_state[f'{key}-number']}")
    if not files:
        return
    clear(key)
    with frame.errors_shown():
        size = sum(file.size for file in files)
        if size > limit_mb * 2**20:
            raise LimitError(
                f"The {len(files)} files have {size / 2**20:,.0f} MB, and the limit is {limit_mb:,} MB.",
                "Choose smaller files.",
            )
        on_upload(files)
