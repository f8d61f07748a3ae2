"""Lanes in which the items of a parallel work are done, one at a time: in this process, or in another one beside it."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol, TypeVar

from core.errors import ErrorRecord, from_record
from core.parallel.messages import Answer, dumps, read_message, write_message

__all__ = ["ONE_THREAD", "InlineLane", "Lane", "LostLaneError", "ProcessLane", "unpack_answer"]

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1"
)
"""Variables of a lane's process: there are as many lanes as cores."""
_ROOT = Path(__file__).resolve().parents[2]
_MODULE = "core.parallel.worker_main"
_EXIT_S = 5
R = TypeVar("R")


class LostLaneError(Exception):
    """A lane was ended from outside while it did an item, which another one can do.

    Parameters
    ----------
    reason : str
        Description of its end, in words that follow "was".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Lane(Protocol):
    """Does one item at a time."""

    def call(self, function: Callable[..., R], item: object) -> R:
        """Return what the function makes of an item and the shared arguments; its errors are raised."""
        ...

    def close(self) -> None:
        """End what belongs to the lane, at once; a call that waits fails."""
        ...


class InlineLane:
    """This process.

    Parameters
    ----------
    shared : tuple
        Further arguments of each call.
    """

    def __init__(self, shared: tuple[object, ...]) -> None:
        self._shared = shared

    def call(self, function: Callable[..., R], item: object) -> R:
        """Return what the function makes of an item."""
        return function(item, *self._shared)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


class ProcessLane:
    """Another process of this machine, which ends with this one.

    Parameters
    ----------
    shared : bytes
        Further arguments of each call, as `dumps` returns them.
    """

    def __init__(self, shared: bytes) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(os.getpid())],
            cwd=_ROOT,
            # Functions and values may be of any module that this process can import.
            env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )
        self._shared: bytes | None = shared

    def call(self, function: Callable[..., R], item: object) -> R:
        """Return what the function makes of an item in the process."""
        stdin, stdout = self._pipes()
        content = dumps((function, item))
        try:
            if self._shared is not None:
                write_message(stdin, self._shared)
                self._shared = None
            write_message(stdin, content)
            received = read_message(stdout)
        except (OSError, EOFError, ValueError) as error:  # ValueError: the pipe was closed
            raise LostLaneError(self._exit_reason()) from error
        answer: Answer[R] = pickle.loads(received)
        return unpack_answer(answer)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise LostLaneError("never started")
        return stdin, stdout

    def _exit_reason(self) -> str:
        try:
            code = self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            return "ended"
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"ended by the signal {signal.Signals(-code).name}"
        return f"ended by the signal {-code}"

    def close(self) -> None:
        """End the process and all it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent is for nobody
                    pipe.close()


def unpack_answer(answer: tuple[R | None, ErrorRecord | None]) -> R:
    """Return the result in an answer, or raise the error that is in its place."""
    result, record = answer
    if record is not None:
        raise from_record(record)
    return result  # type: ignore[return-value]  # None is in place of an error, or what the function returns
