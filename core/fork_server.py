"""A process that others are forked from: it loads libraries once, and what is forked from it begins at once.

This is the side of the process that uses it; the server itself is `core.fork_server_main`. The threads of OpenBLAS and
of Arrow's allocator, which loading starts, are made to be forked. The system libraries of macOS are not: there
interpreters are started instead.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

__all__ = ["AVAILABLE", "EXTENSIONS", "SERVER", "ForkServer", "ForkedProcess", "fork_server", "running_server"]

AVAILABLE = sys.platform == "linux"
"""Whether processes can be forked here."""
SERVER = "core.fork_server_main"
"""Module of the server's process."""
_ROOT = Path(__file__).resolve().parents[1]
EXTENSIONS = ("PLUMBLINE_EXTENSIONS", "PLUMBLINE_TABICL_CHECKPOINT")
"""Variables that say what a process can do besides."""
_CLOSE_S = 1
_Key = tuple[int, str, tuple[str | None, ...]]  # of a server: its user's process, what it loads, the extensions
_ANSWER_S = 10


class ForkedProcess:
    """A process that the fork server started.

    Parameters
    ----------
    server : ForkServer
        The server.
    number : int
        Name of the process for the server.
    status : int
        Read end of the pipe that its exit code comes through.
    """

    def __init__(self, server: ForkServer, number: int, status: int) -> None:
        self._server = server
        self._number = number
        self._status = status
        os.set_blocking(status, False)
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal; None while it works."""
        if self._code is None:
            with contextlib.suppress(BlockingIOError):
                self._read_code()
        return self._code

    def _read_code(self) -> None:
        text = os.read(self._status, 16)
        os.close(self._status)
        self._code = int(text) if text else -signal.SIGKILL  # without a code the server was killed, and it too

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self.poll() is None:
            self._server.send({"kill": self._number})
            os.set_blocking(self._status, True)
            self._read_code()


class ForkServer:
    """The server, as the process that uses it sees it.

    Parameters
    ----------
    preload : str
        Function that loads what its processes need, as ``module:name``.
    environment : dict
        Variables of the server's process.
    """

    def __init__(self, preload: str, environment: Mapping[str, str]) -> None:
        self._options = _interpreter_options(environment)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._numbers = itertools.count(1)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", SERVER, preload],
                cwd=_ROOT,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=environment,
                process_group=0,
            )
        self._ready = False

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it has loaded what its processes need; until then, what is started waits."""
        if not self._ready and select.select([self._control], [], [], 0)[0]:
            self._ready = bool(self._control.recv(16))
        return self._ready and not self.ended

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def start(self, module: str, folder: Path, stdin: int, output: int) -> ForkedProcess:
        """Start a process that calls a module's ``main(folder)``, in a process group of its own.

        It ends when the process that uses the server does.

        Parameters
        ----------
        module : str
            Full name of the module.
        folder : Path
            Argument of its `main`.
        stdin, output : int
            Open files that are its standard input, and its standard output and error.
        """
        number = next(self._numbers)
        status, theirs = os.pipe()
        try:
            self.send({"start": number, "module": module, "folder": str(folder)}, [stdin, output, theirs])
        finally:
            os.close(theirs)
        return ForkedProcess(self, number, status)

    def start_detached(self, module: str, argument: str, output: int, environment: Mapping[str, str]) -> int | None:
        """Start a process that calls a module's ``main(argument)``, in a session of its own, and outlives this one.

        Parameters
        ----------
        module : str
            Full name of the module.
        argument : str
            Argument of its `main`.
        output : int
            Open file that is its standard output and error.
        environment : mapping
            Its environment.

        Returns
        -------
        int or None
            Process id; None when the server's interpreter was started with other options than the environment asks
            for, is gone, or does not answer, in which case the process may have started.
        """
        if _interpreter_options(environment) != self._options:
            return None
        answer, theirs = os.pipe()
        message: dict[str, JsonValue] = {"module": module, "argument": argument, "environment": dict(environment)}
        try:
            self.send({"detached": message}, [output, theirs])
        finally:
            os.close(theirs)
        with open(answer, "rb") as file:
            text = file.read(16) if select.select([file], [], [], _ANSWER_S)[0] else b""
        return int(text) if text else None

    def send(self, message: dict[str, JsonValue], files: Sequence[int] = ()) -> None:
        """Send a message with open files; a server that is gone takes none."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._control, [json.dumps(message).encode()], files)

    def close(self) -> None:
        """End the server and all that it started."""
        self._control.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:  # it still loads libraries
            self._process.kill()
            self._process.wait()


def _interpreter_options(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that an interpreter reads when it starts, such as its search path."""
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


_servers: dict[_Key, ForkServer] = {}
_lock = threading.Lock()


def fork_server(preload: str, environment: Mapping[str, str]) -> ForkServer:
    """Return this process's server of one kind, started when there is none for the extensions in `environment`.

    Parameters
    ----------
    preload : str
        Function that loads what its processes need, as ``module:name``.
    environment : mapping
        Variables of a new server's process.
    """
    with _lock:
        key = _key(preload, environment)
        server = _running(key)
        if server is None:
            server = _servers[key] = ForkServer(preload, environment)
        return server


def running_server(preload: str) -> ForkServer | None:
    """Return this process's server of one kind, which loaded no extensions, if there is one."""
    with _lock:
        return _running(_key(preload, {}))


def _running(key: _Key) -> ForkServer | None:
    server = _servers.get(key)
    if server is not None and server.ended:
        server.close()
        server = None
    return server


def _key(preload: str, environment: Mapping[str, str]) -> _Key:
    return os.getpid(), preload, tuple(environment.get(name) for name in EXTENSIONS)


@atexit.register
def _close_servers() -> None:
    """End the servers of this process; another process's, copied by a fork, are not ours to wait for."""
    for (pid, *_), server in _servers.items():
        if pid == os.getpid():
            server.close()
    _servers.clear()
