"""Every error that Plumbline raises on purpose, in one tree.

::

    PlumblineError                  message (names the bad value) + hint (says what to do)
    ├── InputError                  the user's file or table cannot be used
    │   └── LimitError              ... because it exceeds a limit (the limit is named)
    ├── SettingsError               a setting, or a combination of settings, is invalid
    ├── NotFoundError               no such row in this workspace
    ├── DeniedError                 the person's role, or the profile of the installation, does not allow it
    ├── RemoteError                 a server elsewhere cannot be reached, or does not answer as it should
    ├── StorageError                an artifact cannot be written or read (disk full, missing, altered)
    ├── JobError                    a run cannot be started, changed or continued
    ├── SearchError                 a search ended without a model
    ├── TrainingError               a training ended without a model that can be used
    ├── ExportError                 a model cannot be exported, or its export is not equal
    ├── RegistryError               a model cannot be registered, promoted, archived or compared
    ├── StoppedError                the work was stopped and can be resumed
    └── UnexpectedError             a defect: something raised an error that is not part of this tree
"""

from __future__ import annotations

import errno
import re
from typing import TypedDict

from core.plain_text import one_line

__all__ = [
    "DeniedError",
    "ErrorRecord",
    "ExportError",
    "InputError",
    "JobError",
    "LimitError",
    "NotFoundError",
    "PlumblineError",
    "RegistryError",
    "RemoteError",
    "SearchError",
    "SettingsError",
    "StoppedError",
    "StorageError",
    "TrainingError",
    "UnexpectedError",
    "address_limit_mb",
    "from_record",
    "lack_of_memory",
    "not_found",
    "shortened",
    "to_record",
]

_REFUSED = re.compile("can't start new thread|failed to map segment|[Cc]annot allocate memory")
"""Words of the interpreter, the loader and libraries where a process may reserve no more memory."""


class PlumblineError(Exception):
    """Base of all errors that are meant for the user.

    Parameters
    ----------
    message : str
        Statement of what is wrong; it names the bad value.
    hint : str
        Instruction: what the user can do about it.

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


class DeniedError(PlumblineError):
    """The role of the person, or the profile of the installation, does not allow it."""


class RemoteError(PlumblineError):
    """A server elsewhere cannot be reached, or does not answer as it should."""


class StorageError(PlumblineError):
    """An artifact cannot be written or read."""


class JobError(PlumblineError):
    """A run cannot be started, changed or continued."""


class SearchError(PlumblineError):
    """A search ended without a model."""


class TrainingError(PlumblineError):
    """A training ended without a model that can be used."""


class StoppedError(PlumblineError):
    """The work was stopped on request, and can be resumed."""


class ExportError(PlumblineError):
    """A model cannot be exported, or its export is not equal to it."""


class RegistryError(PlumblineError):
    """A model cannot be registered, promoted, archived or compared."""


class UnexpectedError(PlumblineError):
    """A defect of Plumbline or of a library: something raised an error that is not part of this tree."""


def not_found(noun: str, row_id: str, hint: str) -> NotFoundError:
    """Return the error of a row that is not there.

    Ids come from addresses, which anyone can send to anyone: one that does not have the form of an id is not repeated,
    because its words would stand on our page.

    Parameters
    ----------
    noun : str
        Kind of the row, such as "run".
    row_id : str
        Id that was asked for.
    hint : str
        Instruction: what the user can do about it.

    See Also
    --------
    shortened : The words of a name that is not known.

    Examples
    --------
    >>> not_found("run", "0123456789abcdef", "").message
    "There is no run '0123456789abcdef'."
    >>> not_found("run", "http://example.org", "").message
    'There is no such run.'
    """
    known_form = re.fullmatch(r"[0-9a-f]{16}", row_id)
    return NotFoundError(f"There is no {noun} '{row_id}'." if known_form else f"There is no such {noun}.", hint)


def shortened(name: object, limit: int = 60) -> str:
    r"""Return a name for a message or a log: in one line, without control characters, and not too long.

    Parameters
    ----------
    name : object
        Name as a file, an address or a user gave it.
    limit : int, default=60
        Number of characters that are kept.

    Examples
    --------
    >>> shortened("sales\n2026-01-01 ERROR all is lost")
    'sales 2026-01-01 ERROR all is lost'
    >>> shortened("x" * 100, limit=5)
    'xxxx…'
    """
    text = one_line(name)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def lack_of_memory(error: BaseException, memory_mb: float = 0) -> LimitError | None:
    """Return what to say where the system gave a process no more memory, addresses or threads; None for other errors.

    Libraries report that in many ways, most of which look like damage to what they load or read.

    Parameters
    ----------
    error : exception
        Error of the process.
    memory_mb : float, default=0
        Memory that Plumbline lets the process use, MB. A MemoryError counts where the system's limit is not above.

    Examples
    --------
    >>> lack_of_memory(RuntimeError("can't start new thread")).message
    'The system gave the process no more memory or threads.'
    >>> lack_of_memory(RuntimeError("other")) is None
    True
    """
    number = error.errno if isinstance(error, OSError) else None
    limit_mb = address_limit_mb()
    by_system = isinstance(error, MemoryError) and limit_mb is not None and limit_mb <= memory_mb
    if not by_system and number not in (errno.ENOMEM, errno.EAGAIN) and not _REFUSED.search(str(error)):
        return None
    if limit_mb is None:
        return LimitError(
            "The system gave the process no more memory or threads.",
            "End other programs, or raise the limits of processes (ulimit -u, ulimit -v), then try again.",
        )
    return LimitError(
        f"The system gave the process no more memory: its addresses are limited to {limit_mb:,.0f} MB (ulimit -v).",
        "Start Plumbline without this limit (ulimit -v unlimited): libraries reserve more than they use.",
    )


def address_limit_mb() -> float | None:
    """Return the size of the addresses that a process may reserve (``ulimit -v``), MB; None without a limit."""
    import resource  # systems without it have no such limits either

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit / 2**20


class ErrorRecord(TypedDict):
    """An error as JSON, to send it from one process to another.

    Parameters
    ----------
    type : str
        Name of the error's class.
    message : str
        Statement of what is wrong.
    hint : str
        Instruction: what the user can do about it.
    """

    type: str
    message: str
    hint: str


def to_record(error: BaseException) -> ErrorRecord:
    """Return an error as a record that another process can raise again.

    Parameters
    ----------
    error : exception
        Error to store. One of this tree keeps its class, message and hint; any other becomes an `UnexpectedError`
        that names it.

    See Also
    --------
    from_record : Make the error from its record.

    Examples
    --------
    >>> to_record(InputError("The file is empty.", "Choose another."))
    {'type': 'InputError', 'message': 'The file is empty.', 'hint': 'Choose another.'}
    >>> to_record(KeyError("x"))["message"]
    "An unexpected error occurred (KeyError: 'x')."
    """
    if not isinstance(error, PlumblineError):
        error = lack_of_memory(error) or UnexpectedError(
            f"An unexpected error occurred ({type(error).__name__}: {str(error)[:300]}).",
            "This is a defect of Plumbline, or an input that it does not foresee. The log has the details.",
        )
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint}


def from_record(record: ErrorRecord) -> PlumblineError:
    """Return the error of a record that `to_record` made.

    Parameters
    ----------
    record : ErrorRecord
        Record of an error. A type that is not part of this tree becomes an `UnexpectedError`.

    See Also
    --------
    to_record : Make the record from an error.

    Examples
    --------
    >>> error = from_record({"type": "LimitError", "message": "Too large.", "hint": "Upload a part."})
    >>> type(error).__name__, error.hint
    ('LimitError', 'Upload a part.')
    """
    return _CLASSES.get(record["type"], UnexpectedError)(record["message"], record["hint"])


def _tree(base: type[PlumblineError]) -> list[type[PlumblineError]]:
    return [base, *(error for child in base.__subclasses__() for error in _tree(child))]


_CLASSES = {error.__name__: error for error in _tree(PlumblineError)}
