"""An installation on two nodes of Ray, with PostgreSQL and an S3 server under it, all on this machine."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection, create_server, socket

from tests.ray_nodes import RayCluster, RayNode

__all__ = ["Cluster", "Gate"]


class Gate:
    """A door in front of a server: closed, nobody reaches the server, and who talks to it is cut off."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener: socket | None = None
        self._open: set[socket] = set()
        self.port = 0
        self.open()

    def open(self) -> None:
        """Let others reach the server, at the same port as before."""
        self._listener = create_server(("127.0.0.1", self.port), reuse_port=True)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Let nobody reach it."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in `accept` keeps a listener that is only closed.
            with contextlib.suppress(OSError):
                listener.shutdown(2)
            listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(2)

    def _accept(self, listener: socket) -> None:
        while self._listener is listener:
            try:
                near, _ = listener.accept()
            except OSError:
                continue
            try:
                far = create_connection(("127.0.0.1", self._port))
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket, target: socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for connection in (source, target):
            self._open.discard(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(2)
            connection.close()


@dataclass
class Cluster:
    """Two nodes, and how to start and end them.

    Parameters
    ----------
    ray : RayCluster
        The nodes' cluster.
    folder : Path
        Folder with a home for each node.
    environment : dict
        Variables of every node: database, storage and its keys.
    storage : Gate
        Door of the S3 server.
    """

    ray: RayCluster
    folder: Path
    environment: dict[str, str]
    storage: Gate

    def add(self, name: str, *, cpus: int, memory_mb: int = 4_000, **variables: str) -> RayNode:
        """Start a node of a name, with a home of its own."""
        home = self.home(name)
        own = {"PLUMBLINE_HOME": str(home), "PLUMBLINE_NODE_NAME": name}
        return self.ray.add(cpus=cpus, memory_mb=memory_mb, environment={**self.environment, **own, **variables})

    def home(self, name: str) -> Path:
        """Return the home of a node."""
        return self.folder / name
