"""Outputs of steps: every file with a look into it, and its download."""

from __future__ import annotations

import csv
import html
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

import pandas as pd
import streamlit as st
from PIL import Image

from core.storage import get_store
from pages._ui import artifacts, downloads, frame, numbers
from pages.pipelines import registration

__all__ = ["show"]

_ROWS = 50
_TEXT_BYTES = 200_000
_HTML_BYTES = 10 * 2**20
_CSV_BYTES = 2 * 2**20
_IMAGE_BYTES = 5 * 2**20
_IMAGE_PIXELS = 20_000_000
_FILES = 200
_IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
_TEXTS = {".txt", ".log", ".md", ".yml", ".yaml", ".py", ".sh", ".cfg", ".ini", ".toml", ""}


def show(
    output: str, type_: str, files: Mapping[str, str], *, key: str, origin: registration.Origin | None = None
) -> None:
    """Draw an output.

    Parameters
    ----------
    output : str
        Its name.
    type_ : str
        Its type, such as "uri_folder".
    files : dict of str to str
        Digests of its files by relative path; one file has an empty path.
    key : str
        Start of the keys of the widgets.
    origin : Origin, optional
        Step that made it, from which a model can be registered.
    """
    store = get_store()
    named = {path or output: digest for path, digest in files.items()}
    present = {path: digest for path, digest in named.items() if store.exists(digest)}
    sizes = {path: store.local_path(digest).stat().st_size for path, digest in present.items()}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{frame.plain(output)}**", width="content")
        count = f"{len(named)} file{'s' * (len(named) != 1)}"
        st.caption(f"{frame.plain(type_)} · {count} · {numbers.size(sum(sizes.values()))}", width="content")
        st.space("stretch")
        if origin is not None and type_ == "mlflow_model" and len(present) == len(named):
            registration.button(origin, key=key)
        if len(present) > 1:
            _download_all(output, present, sum(sizes.values()), key)
    if len(present) < len(named):
        st.caption(f"{len(named) - len(present)} of its files are no longer stored.")
    if origin is not None:
        registration.show(origin)
    if not present:
        return
    names = sorted(present, key=_interest)[:_FILES]
    if len(names) < len(present):
        st.caption(f"The first {_FILES} files can be looked at here; the .zip has all of them.")
    name = names[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(names) > 1:
            name = st.selectbox("File", names, key=f"{key}-file", width=420)
        if not downloads.too_large(sizes[name], "This file", str(store.local_path(present[name]))):
            downloads.button(
                "Download" if len(names) > 1 else f"Download {frame.plain(name)}",
                store.local_path(present[name]).read_bytes,
                file_name=downloads.member_name(PurePosixPath(name).name),
                icon=":material/download:",
                key=f"{key}-download",
                on_click="ignore",
            )
    with frame.errors_shown():
        _look(name, store.local_path(present[name]), sizes[name])


def _interest(name: str) -> tuple[int, int, str]:
    """Return what orders files: reports and tables come before what only programs read."""
    order = [".html", ".json", ".parquet", ".csv", *sorted(_IMAGES)]
    suffix = PurePosixPath(name).suffix.lower()
    return (order.index(suffix) if suffix in order else len(order), name.count("/"), name)


def _download_all(output: str, files: Mapping[str, str], size: int, key: str) -> None:
    if size > 300 * 2**20:
        return

    def as_zip() -> bytes:
        store = get_store()
        with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch:
            target = Path(scratch) / "output.zip"
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, digest in files.items():
                    archive.write(store.local_path(digest), downloads.member_name(path))
            return target.read_bytes()

    downloads.button(
        "All files (zip)",
        as_zip,
        file_name=downloads.file_name(output, ".zip"),
        mime="application/zip",
        icon=":material/folder_zip:",
        key=f"{key}-zip",
        on_click="ignore",
    )


def _look(name: str, path: Path, size: int) -> None:
    """Draw the begin of a file, as what its name says it is."""
    suffix = PurePosixPath(name).suffix.lower()
    try:
        viewer = _viewer(name, suffix, path, size)
        if viewer is None:
            st.caption("There is no preview of such a file.")
        else:
            viewer()
    except (ValueError, OSError, csv.Error) as error:  # a file need not be what its name says
        st.caption(f"No preview: {frame.plain(str(error)[:200])}")


def _viewer(name: str, suffix: str, path: Path, size: int) -> Callable[[], object] | None:
    if suffix == ".parquet":
        return partial(_parquet, name, path)
    if suffix in (".csv", ".tsv"):
        return partial(_csv, name, path, "\t" if suffix == ".tsv" else ",")
    if suffix in (".html", ".htm") and size <= _HTML_BYTES:
        return partial(_html, name, path)
    if suffix in _IMAGES and size <= _IMAGE_BYTES:
        return partial(_image, name, path)
    if suffix in (".json", ".ipynb") and size <= _TEXT_BYTES:
        return partial(st.json, json.loads(path.read_bytes()), expanded=2)
    if suffix in _TEXTS or suffix == ".json" or PurePosixPath(name).name in ("MLmodel",):
        return partial(_text, path, size)
    return None


def _parquet(name: str, path: Path) -> None:
    rows = artifacts.first_rows(path, _ROWS)
    _table(name, rows.frame, rows.total)
    if cut := artifacts.cut_note(rows):
        st.caption(cut)


def _csv(name: str, path: Path, separator: str) -> None:
    """Draw the first rows as they stand in the file: each cell is text, and a row may be longer than the header."""
    with path.open("rb") as file:
        content = file.read(_CSV_BYTES)
        whole = not file.read(1)
    text = content.decode("utf-8-sig", errors="replace")
    if not whole:  # the last line may be cut
        text = text[: text.rfind("\n") + 1]
    rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), _ROWS + 1))
    width = max((len(row) for row in rows), default=0)
    header = rows[0] if rows else []
    names: list[str] = []
    for number in range(width):
        title = (header[number] if number < len(header) else "") or f"column {number + 1}"
        names.append(title if title not in names else f"{title} (column {number + 1})")
    cells = [row + [""] * (width - len(row)) for row in rows[1:]]
    _table(name, pd.DataFrame(cells, columns=names), None)


def _image(name: str, path: Path) -> None:
    try:
        with Image.open(path) as opened:
            width, height = opened.size
        if width * height > _IMAGE_PIXELS:
            raise ValueError(f"the image has {width:,} by {height:,} pixels")
        st.image(path.read_bytes(), caption=frame.plain(name), alt=name)
    except OSError as error:  # the library's error names an object in memory
        raise ValueError("the file is not an image") from error


def _table(name: str, table: pd.DataFrame, rows: int | None) -> None:
    st.dataframe(table, hide_index=True, placeholder="–", alt=f"First rows of {name}")
    of = "" if rows is None else f" of {rows:,} rows"
    st.caption(f"The first {len(table):,}{of}, {table.shape[1]:,} columns.")


def _text(path: Path, size: int) -> None:
    with path.open("rb") as file:
        content = file.read(_TEXT_BYTES).decode(errors="replace")
    if "\x00" in content:
        raise ValueError("the file is binary")
    st.code(content, language=None, height=420 if content.count("\n") > 18 else "content")
    if size > _TEXT_BYTES:
        st.caption(f"The first {numbers.size(_TEXT_BYTES)} of {numbers.size(size)}.")


def _html(name: str, path: Path) -> None:
    """Draw a page that a step wrote, in a frame without scripts, forms, or any access to the app."""
    page = html.escape(path.read_text(encoding="utf-8", errors="replace"), quote=True)
    # Streamlit's own frame lets its content run scripts as the app. The frame inside it lets nothing.
    st.iframe(
        "<style>html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%;background:white}</style>"
        f'<iframe sandbox="" referrerpolicy="no-referrer" title="{html.escape(name, quote=True)}" srcdoc="{page}">'
        "</iframe>",
        height=720,
        alt=name,
    )
    st.caption("Shown without scripts. The downloaded file has all of it.")
