"""Uploaded files of a pipeline: contents by relative path, and which of them is the pipeline."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from core.errors import InputError, LimitError

__all__ = ["UploadedPipeline", "pipeline_among", "unpacked"]

_MAX_FILES = 1_000
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError),  # damaged bytes
    *(RuntimeError, NotImplementedError),  # a password, an unknown method of compression
)
_MAX_BYTES = 500 * 2**20
_LEFT_OUT = {"__MACOSX", "__pycache__", ".git", ".DS_Store"}


def unpacked(name: str, content: bytes) -> dict[str, bytes]:
    """Return the files of an upload by relative path: those of a .zip, or the file itself.

    Parameters
    ----------
    name : str
        Name of the file.
    content : bytes
        Its content.

    Raises
    ------
    InputError
        When the .zip cannot be read, or a file in it lies outside its folder.
    LimitError
        When it has too many files, or too large ones.

    Examples
    --------
    >>> unpacked("train.py", b"print(1)")
    {'train.py': b'print(1)'}
    """
    if not name.lower().endswith(".zip"):
        return {_relative(name): content}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item for item in archive.infolist() if not item.is_dir() and not _is_left_out(item.filename)]
            if len(members) > _MAX_FILES:
                raise LimitError(f"'{name}' has {len(members):,} files.", f"Pack at most {_MAX_FILES:,}.")
            size = sum(item.file_size for item in members)
            if size > _MAX_BYTES:
                raise LimitError(
                    f"'{name}' unpacks to {size / 2**20:,.0f} MB.", f"Pack at most {_MAX_BYTES // 2**20} MB."
                )
            return {_relative(item.filename): archive.read(item) for item in members}
    except _UNREADABLE as error:
        raise InputError(f"'{name}' cannot be unpacked: {error}.", "Pack it again, without a password.") from error


class UploadedPipeline(NamedTuple):
    """A pipeline among uploaded files.

    Parameters
    ----------
    name : str
        Path of its file.
    text : str
        Its text.
    beside : dict of str to bytes
        Contents of the other files of its folder and below, by the path from there.
    outside : list of str
        Files that are not below its folder, which it cannot refer to.
    others : list of str
        Other pipelines, in place of which this one was taken for its name.
    """

    name: str
    text: str
    beside: Mapping[str, bytes]
    outside: Sequence[str]
    others: Sequence[str]


def pipeline_among(files: Mapping[str, bytes]) -> UploadedPipeline:
    """Return which of the files is the pipeline: of those with ``jobs`` the one nearest to the top.

    Of several in one folder it is ``pipeline.yml``.

    Parameters
    ----------
    files : dict of str to bytes
        Contents by relative path.

    Raises
    ------
    InputError
        When no file is a pipeline, or several are and none is ``pipeline.yml``.
    """
    texts = {name: _text(content) for name, content in files.items() if name.lower().endswith((".yml", ".yaml"))}
    pipelines = {name: text for name, text in texts.items() if text is not None and re.search(r"^jobs\s*:", text, re.M)}
    # A component of the type pipeline has nodes, too.
    components = {
        name for name, text in pipelines.items() if re.search(r"pipelineComponent\.schema|^version\s*:", text, re.M)
    }
    candidates = [name for name in pipelines if name not in components] or list(pipelines)
    depth = min((name.count("/") for name in candidates), default=0)
    top = sorted(name for name in candidates if name.count("/") == depth)
    if not top:
        raise InputError("No file is a pipeline.", "Upload a .yml file with 'jobs', or a .zip that has one.")
    usual = [name for name in top if name.rpartition("/")[2].lower() in ("pipeline.yml", "pipeline.yaml")]
    if len(top) > 1 and len(usual) != 1:
        raise InputError(
            f"Several files are pipelines: {', '.join(top)}.", "Leave one of them in the .zip, or name it pipeline.yml."
        )
    name = usual[0] if usual else top[0]
    folder = name.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    rest = {other: content for other, content in files.items() if other != name}
    beside = {other.removeprefix(prefix): content for other, content in rest.items() if other.startswith(prefix)}
    outside = sorted(other for other in rest if not other.startswith(prefix))
    return UploadedPipeline(name, pipelines[name], beside, outside, [other for other in top if other != name])


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _is_left_out(name: str) -> bool:
    return bool(_LEFT_OUT.intersection(PurePosixPath(name).parts))


def _relative(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise InputError(f"'{name}' lies outside the pipeline's folder.", "Use paths below that folder.")
    return str(path)
