"""The worker's side of a sandbox: functions of the catalog, the store and the engine as calls of the monitor."""

from __future__ import annotations

import functools
import io
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from core import storage
from core.access import Access
from core.catalog import engine
from core.errors import ErrorRecord, JobError, StorageError, from_record, to_record
from core.jobs.outcome import Outcome
from core.jobs.sandbox import wire
from core.jobs.sandbox.operations import OPERATIONS
from core.storage import ArtifactStore

__all__ = ["BrokeredStore", "Client"]


class Client:
    """A connection to the monitor.

    Parameters
    ----------
    connection : socket
        The connection.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def ask(self, do: str, *, file: int | None = None, **values: Any) -> Any:
        """Ask for something and return the answer.

        Raises
        ------
        PlumblineError
            The error that it ended with.
        """
        with self._lock:
            wire.send(self._connection, {"do": do, **values}, file)
            answer, _ = wire.receive(self._connection)
        if answer is None:
            raise JobError("The run's monitor does not answer any more.", "The log may have the reason.")
        if answer.get("error") is not None:
            raise from_record(cast(ErrorRecord, answer["error"]))
        return answer["value"]

    def leave(self, outcome: Outcome) -> None:
        """Leave the outcome of the task."""
        error = None if outcome.error is None else dict(to_record(outcome.error))
        self.ask("outcome", result=outcome.result, error=error)

    def install(self) -> None:
        """Put calls of the monitor in the place of what is not here: the catalog, the store, the queue."""
        for name, operation in OPERATIONS.items():
            _replace(operation.function, self._call(name, operation.function))
        store = BrokeredStore(self)
        _replace(storage.get_store, lambda: store)
        _replace(engine.get_engine, _no_catalog)

    def _call(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            access = kwargs.pop("access", None)
            answer = self.ask(
                "call",
                name=name,
                args=[wire.encode(value) for value in args],
                kwargs={key: wire.encode(value) for key, value in kwargs.items()},
                actor=access.actor if isinstance(access, Access) else "",
            )
            return wire.decode(answer)

        return call


def _replace(original: object, replacement: object) -> None:
    """Replace a function in all modules that have it, also under another name."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "core":
            for key, value in list(vars(module).items()):
                if value is original:
                    setattr(module, key, replacement)


def _no_catalog() -> NoReturn:
    raise JobError(
        "A sandboxed run has no catalog of its own.", "Add what it needs to the operations of core/jobs/sandbox."
    )


class BrokeredStore(ArtifactStore):
    """The artifact store as a sandboxed worker sees it: contents of its workspace, and those that it stores.

    Parameters
    ----------
    client : Client
        Connection to the monitor.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def put_bytes(self, data: bytes) -> str:
        """Store `data` and return its digest."""
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            return str(self._client.ask("put", file=file.fileno()))

    def put_file(self, path: str | Path) -> str:
        """Store a copy of a local file and return its digest."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(f"Reading {Path(path).name}: {error.strerror or error}.") from error
        try:
            return str(self._client.ask("put", file=file))
        finally:
            os.close(file)

    def exists(self, digest: str) -> bool:
        """Return whether the content is stored, and the run may read it."""
        return bool(self._client.ask("exists", digest=digest))

    def local_path(self, digest: str) -> Path:
        """Return a read-only file with the content."""
        return Path(self._client.ask("fetch", digest=digest))

    def open(self, digest: str) -> IO[bytes]:
        """Open the content for reading."""
        return io.BufferedReader(io.FileIO(self.local_path(digest)))

    def delete(self, digest: str) -> None:
        """Refuse: only what no row needs is deleted, by the monitor."""
        raise StorageError(f"A sandboxed run may not delete the stored file '{digest[:80]}'.")
