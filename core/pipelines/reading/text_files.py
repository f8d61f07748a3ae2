"""Texts of files, within a limit of their size."""

from __future__ import annotations

from pathlib import Path

from core.pipelines.errors import PipelineError, Position

__all__ = ["read_text"]

MAX_BYTES = 1_000_000


def read_text(path: Path, position: Position, file: Path | None = None) -> str:
    """Return the text of a file.

    Parameters
    ----------
    path : Path
        Path of the file.
    position : Position
        Place of what names the file, for errors about the file as a whole.
    file : Path, optional
        File that positions within it name; that of the pipeline is not named.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "its name is invalid"
        raise PipelineError(
            f"'{path.name}' cannot be read: {reason}.", "Check its name and its rights.", position
        ) from error
    if len(content) > MAX_BYTES:
        raise PipelineError(
            f"'{path.name}' is larger than 1 MB.",
            "Keep data in files of their own, and name them as inputs.",
            position,
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        lines = before.split("\n")
        wrong = Position(len(lines), len(lines[-1]) + 1, file)
        raise PipelineError(
            f"The byte 0x{content[error.start]:02x} is not UTF-8 text.", "Save the file in the encoding UTF-8.", wrong
        ) from error
