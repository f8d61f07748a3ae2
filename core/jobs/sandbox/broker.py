"""The monitor's side of a sandbox: a thread that does what the worker asks for, for its run only."""

from __future__ import annotations

import logging
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from core.catalog import Run, engine
from core.errors import DeniedError, JobError, LimitError, PlumblineError, UnexpectedError, from_record, to_record
from core.jobs.outcome import Outcome, write_outcome
from core.jobs.sandbox import wire
from core.jobs.sandbox.folders import RunFolders
from core.jobs.sandbox.grant import Grant
from core.jobs.sandbox.limits import SandboxLimits
from core.jobs.sandbox.operations import OPERATIONS
from core.jsonable import JsonObject
from core.storage import get_store

__all__ = ["Broker"]

_log = logging.getLogger(__name__)


class Broker(threading.Thread):
    """Answers the worker of one run.

    Parameters
    ----------
    run : Run
        Row of the run.
    claim : str
        Token of the claim that the monitor acts for.
    connection : socket
        Connection to the worker.
    folders : RunFolders
        Folders of the run.
    limits : SandboxLimits
        Limits of the run: what it stores in the catalog and the store counts, too.
    """

    def __init__(
        self, run: Run, claim: str, connection: socket.socket, folders: RunFolders, limits: SandboxLimits
    ) -> None:
        super().__init__(name="sandbox-broker", daemon=True)
        self.begun = False
        self._run = run
        self._connection = connection
        self._folders = folders
        self._limits = limits
        self._claim = claim
        self._grant = Grant(run, folders)
        self._file: int | None = None
        self._taken_bytes = 0
        self._own: dict[str, Callable[[JsonObject], JsonValue]] = {
            "begin": self._begin,
            "exists": self._exists,
            "fetch": self._fetch,
            "put": self._put,
            "outcome": self._outcome,
            "call": self._call,
        }

    def run(self) -> None:
        """Answer until the worker is gone, or sends what is not a message."""
        with self._connection:
            while True:
                try:
                    message, length = wire.receive(self._connection, self._take)
                    if message is None:
                        return
                    self._taken_bytes += length
                    wire.send(self._connection, self._answer(message))
                except OSError:  # the worker was ended
                    return
                except JobError:
                    _log.warning("the worker sent what is not a message; it gets no more answers", exc_info=True)
                    return
                finally:
                    self._drop()

    def _take(self, file: int) -> None:
        self._file = file

    def _drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _answer(self, message: JsonObject) -> JsonObject:
        try:
            action = self._own.get(str(message.get("do")))
            if action != self._outcome:  # a run that took too much says so
                self._check_space()
            if action is None:
                raise DeniedError("A sandboxed run asked for what is not on the list.")
            return {"value": action(message)}
        except PlumblineError as error:
            return {"error": dict(to_record(error))}
        except Exception:  # noqa: BLE001  (a worker may send anything: that must end no monitor)
            _log.exception("what the worker asked for failed")
            return {"error": dict(to_record(UnexpectedError("The run's monitor failed.", "The log has the details.")))}

    def _check_space(self) -> None:
        if self._taken_bytes > self._limits.disk_mb * 2**20:
            raise LimitError(
                f"The run's results took more than {self._limits.disk_mb:,} MB.",
                "Use fewer rows or columns, or raise PLUMBLINE_RUN_DISK_MB.",
            )

    def _begin(self, _message: JsonObject) -> JsonValue:
        self.begun = True
        return {"run": wire.encode(self._run), "limits": self._limits.to_dict()}

    def _exists(self, message: JsonObject) -> JsonValue:
        digest = str(message["digest"])
        return self._grant.may_read(digest) and get_store().exists(digest)

    def _fetch(self, message: JsonObject) -> JsonValue:
        digest = str(message["digest"])
        self._grant.require_contents(digest)
        return str(self._folders.provide_content(digest))

    def _put(self, _message: JsonObject) -> JsonValue:
        """Store a file that the worker has open. It is copied first: the worker could change it while it is stored."""
        if self._file is None or not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise DeniedError("A sandboxed run stores regular files only.")
        with tempfile.TemporaryDirectory(dir=self._folders.scratch) as scratch:
            copy = Path(scratch) / "content"
            with open(self._file, "rb", closefd=False) as source, open(copy, "wb") as target:
                source.seek(0)
                while chunk := source.read(1 << 20):
                    self._taken_bytes += len(chunk)
                    self._check_space()
                    target.write(chunk)
            digest = get_store().put_file(copy)
        self._grant.add_content(digest)
        return digest

    def _outcome(self, message: JsonObject) -> JsonValue:
        error = message.get("error")
        outcome = Outcome(message.get("result"), None if error is None else from_record(error))
        write_outcome(self._folders.own, self._run.attempt, outcome)
        return None

    def _call(self, message: JsonObject) -> JsonValue:
        operation = OPERATIONS.get(str(message["name"]))
        if operation is None:
            raise DeniedError(f"A sandboxed run may not call '{str(message['name'])[:80]}'.")
        args, kwargs = wire.decode(message["args"]), wire.decode(message["kwargs"])
        with engine.fenced(self._run.id, self._claim):
            return wire.encode(operation.call(self._grant, tuple(args), dict(kwargs), str(message.get("actor", ""))))
