"""The error of a pipeline file: it says where in the file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError

__all__ = ["START", "PipelineError", "Position"]


class Position(NamedTuple):
    """A place in a file, counted from 1.

    Parameters
    ----------
    line, column : int
        Line and column.
    file : Path, optional
        A file other than that of the pipeline, such as that of a component.
    """

    line: int
    column: int
    file: Path | None = None


START = Position(1, 1)
"""The first character of a file."""


class PipelineError(InputError):
    """A pipeline file cannot be used, or a part of it.

    Parameters
    ----------
    message : str
        Statement of what is wrong.
    hint : str
        Instruction: what to do about it.
    position : Position, default=START
        Its place in the file.

    Examples
    --------
    >>> error = PipelineError("There is no key 'job'.", "Did you mean 'jobs'?", Position(3, 1))
    >>> error.line, error.message
    (3, "line 3, column 1: There is no key 'job'.")
    """

    def __init__(self, message: str, hint: str = "", position: Position = START) -> None:
        origin = "" if position.file is None else f"in {position.file.name}: "
        super().__init__(f"line {position.line}, column {position.column}: {origin}{message}", hint)
        self.position = position
        self.line, self.column = position.line, position.column

    def __reduce__(self) -> tuple[type[PipelineError], tuple[str, str]]:
        """Keep message, hint and position apart when an error crosses a process boundary."""
        return (partial(_restored, position=self.position), (self.message, self.hint))  # type: ignore[return-value]


def _restored(message: str, hint: str, position: Position) -> PipelineError:
    error = PipelineError(message, hint, position)
    InputError.__init__(error, message, hint)
    return error
