"""One look at a source: the batches that are new, and the state that the next look begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import InputError
from core.jsonable import JsonObject

__all__ = ["ChangedError", "SourceBatch", "SourceLook"]


class ChangedError(InputError):
    """A batch changed while it was read: someone still writes it, and the next look brings it."""


@dataclass(frozen=True)
class SourceBatch:
    """A batch that a source has.

    Parameters
    ----------
    name : str
        Name of where it came from, such as the path of a file below the folder.
    at : float
        Moment of the batch, in seconds since 1970 (UTC).
    stamp : str
        Text that differs when the batch does: of size and time of change of a file, for example.
    """

    name: str
    at: float
    stamp: str


class SourceLook(Protocol):
    """What a look at a source says. Nothing of it is kept until the caller keeps `state`."""

    @property
    def batches(self) -> tuple[SourceBatch, ...]:
        """Batches that are new, in the order in which they are brought."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is left for the next look, and why."""
        ...

    def fetch(self, batch: SourceBatch, folder: Path) -> Path:
        """Write the rows of a batch into a file in a folder, and return it.

        Raises
        ------
        ChangedError
            When it changes while it is read.
        InputError
            When it cannot be used, such as a file that is too large.
        RemoteError
            When it cannot be read now.
        """
        ...

    def brought(self, batch: SourceBatch) -> None:
        """Note that a batch was brought: it is not new in the next look."""
        ...

    def failed(self, batch: SourceBatch) -> None:
        """Note that the reading of a batch failed: it comes again, after what was not tried."""
        ...

    def state(self) -> JsonObject:
        """Return what the next look begins with."""
        ...
