"""What the panel "How this file is read" shows: a reading of the file, and the options that the user has given."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.datasets import ReadOptions, ReadReport

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """What the panel shows.

    Parameters
    ----------
    report : ReadReport
        Report on a reading of the file, of all of it or of its start.
    rows : DataFrame, optional
        First rows of the table of that reading; None where it has failed.
    given : ReadOptions
        Options that the user has given. They may differ from the report's while the file is read again.
    key : str
        End of the widgets' keys, another one for each reading and for other options.
    fixed : bool, default=False
        Whether nothing can be changed, because the file is not kept.
    """

    report: ReadReport
    rows: pd.DataFrame | None
    given: ReadOptions
    key: str
    fixed: bool = False

    def current(self, name: str) -> object:
        """Return the value that an option has: the one that was asked for, or else the one that was decided."""
        asked = getattr(self.given, name)
        return asked if asked != getattr(self.report.given, name) else getattr(self.report.options, name)
