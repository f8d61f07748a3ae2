"""Errors of a model that is loaded or run, as errors of the tree."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from core.errors import InputError, PlumblineError

__all__ = ["model_errors"]

_PREFIX = re.compile(r"^.*?\[ONNXRuntimeError\] : \d+ : \w+ : ", re.DOTALL)
_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "bad allocation", "can't allocate memory")
_MOST = 400  # characters of the reason


@contextlib.contextmanager
def model_errors() -> Iterator[None]:
    """Translate what a model raises while it is loaded or run.

    Raises
    ------
    InputError
        When the model cannot be run; the message has the runtime's own reason.
    MemoryError
        When the runtime could not allocate memory.
    """
    try:
        yield
    except (PlumblineError, MemoryError):
        raise
    except Exception as error:  # runtimes raise errors that share no base class
        if any(sign in str(error) for sign in _OUT_OF_MEMORY):
            raise MemoryError from error
        reason = " ".join(_PREFIX.sub("", str(error)).split())[:_MOST].rstrip(".") or type(error).__name__
        raise InputError(
            f"The model cannot be run: {reason}.",
            "Check that the inputs fit the model: its own data rather than random values.",
        ) from error
