"""Every error that Plumbline raises on purpose, in one tree.

::

    PlumblineError                  message (names the bad value) + hint (says what to do)
    ├── InputError                  the user's file or table cannot be used
    │   └── LimitError              ... because it exceeds a limit (the limit is named)
    ├── SettingsError               a setting, or a combination of settings, is invalid
    ├── NotFoundError               no such row in this workspace
    ├── StorageError                an artifact cannot be written or read (disk full, missing, altered)
    ├── JobError                    a run cannot be started, changed or continued
    ├── SearchError                 a search ended without a model
    ├── ExportError                 a model cannot be exported, or its export is not equal
    ├── RegistryError               a model cannot be registered, promoted, archived or compared
    └── StoppedError                the work was stopped and can go on
"""

from __future__ import annotations

__all__ = [
    "ExportError",
    "InputError",
    "JobError",
    "LimitError",
    "NotFoundError",
    "PlumblineError",
    "RegistryError",
    "SearchError",
    "SettingsError",
    "StoppedError",
    "StorageError",
]


class PlumblineError(Exception):
    """Base of all errors that are meant for the user.

    Parameters
    ----------
    message : str
        What is wrong, naming the bad value.
    hint : str
        What the user can do about it.

    Examples
    --------
    >>> error = PlumblineError("There is no column 'incme'.", "Did you mean 'income'?")
    >>> error.message, error.hint
    ("There is no column 'incme'.", "Did you mean 'income'?")
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[PlumblineError], tuple[str, str]]:
        """Keep message and hint apart when an error crosses a process boundary."""
        return (type(self), (self.message, self.hint))


class InputError(PlumblineError):
    """The user's file or table cannot be used."""


class LimitError(InputError):
    """The input exceeds a limit."""


class SettingsError(PlumblineError):
    """A setting, or a combination of settings, is invalid."""


class NotFoundError(PlumblineError):
    """The row does not exist, or belongs to another workspace."""


class StorageError(PlumblineError):
    """An artifact cannot be written or read."""


class JobError(PlumblineError):
    """A run cannot be started, changed or continued."""


class SearchError(PlumblineError):
    """A search ended without a model."""


class StoppedError(PlumblineError):
    """The work was stopped when asked to, and can go on from there."""


class ExportError(PlumblineError):
    """A model cannot be exported, or its export is not equal to it."""


class RegistryError(PlumblineError):
    """A model cannot be registered, promoted, archived or compared."""
