"""A command that is to be run for a step, and how it ended; both are JSON, so that a run can do it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.jsonable import JsonObject

__all__ = ["Execute", "StepCall", "StepOutcome", "StepState"]


class StepState(enum.StrEnum):
    """States of a step that has ended, or that never began."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class StepCall:
    """A command with its folder, files and variables.

    Parameters
    ----------
    step : str
        Path of the step.
    title : str
        Title for users.
    command : str
        Command for the shell.
    variables : dict of str to str
        Environment variables besides those of this process.
    code : str or None
        Folder or file that is copied to where the command runs; None for none.
    folder : str
        Folder of the step: the command runs in its subfolder ``code``; its log is the file ``log.txt``.
    outputs : dict of str to str
        Path that the command writes to by output: a folder, or a file of the type ``uri_file``.
    types : dict of str to str
        Types of the outputs.
    shipped : bool
        Whether the command came with the product.
    timeout_s : float, optional
        Limit of its time (seconds).
    """

    step: str
    title: str
    command: str
    variables: Mapping[str, str]
    code: str | None
    folder: str
    outputs: Mapping[str, str]
    types: Mapping[str, str]
    shipped: bool
    timeout_s: float | None = None

    @property
    def log(self) -> Path:
        """The file that takes what the command prints."""
        return Path(self.folder) / "log.txt"

    def to_dict(self) -> JsonObject:
        """Return JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> StepCall:
        """Return the call that `to_dict` was called on."""
        return cls(**values)


@dataclass(frozen=True)
class StepOutcome:
    """The end of a call.

    Parameters
    ----------
    state : StepState
        Its state.
    message, hint : str, default=""
        Reason of a failure, and what to do about it.
    run_id : str, default=""
        Run that did it; empty without a run.
    values : dict
        Numbers that the command reported, by name: the metrics of a sweep's trial.
    """

    state: StepState
    message: str = ""
    hint: str = ""
    run_id: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


Execute = Callable[[StepCall, Callable[[], bool]], StepOutcome]
"""Runs a call; the second argument says whether to end early."""
