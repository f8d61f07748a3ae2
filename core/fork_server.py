"""A process that others are forked from: it loads libraries once, and what is forked from it begins at once.

``python -m core.fork_server MODULE:FUNCTION`` calls the function, which loads what its processes need and starts no
thread of its own, then forks a process for each message. The threads of OpenBLAS and of Arrow's allocator, which
loading starts, are made to be forked. The system libraries of macOS are not: there interpreters are started instead.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from pydantic import JsonValue

__all__ = ["AVAILABLE", "ForkServer", "ForkedProcess", "fork_server", "running_server"]

AVAILABLE = sys.platform == "linux"
"""Whether processes can be forked here."""
_ROOT = Path(__file__).resolve().parents[1]
_EXTENSIONS = "PLUMBLINE_EXTENSIONS"
_MESSAGE_BYTES = 1 << 18
_CLOSE_S = 1
_Key = tuple[int, str, str | None]  # of a server: the process that uses it, what it loads, the extensions
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
                [sys.executable, "-m", __name__, preload],
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
    return os.getpid(), preload, environment.get(_EXTENSIONS)


@atexit.register
def _close_servers() -> None:
    """End the servers of this process; another process's, copied by a fork, are not ours to wait for."""
    for (pid, *_), server in _servers.items():
        if pid == os.getpid():
            server.close()
    _servers.clear()


class _Server:
    """The server itself.

    Parameters
    ----------
    control : socket
        Connection that messages come from.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, tuple[int, int]] = {}  # by process id: its number, and where its exit code goes
        self._detached: set[int] = set()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker)

    def serve(self) -> None:
        """Start and end processes until the other side is gone; then end all that are not detached."""
        with contextlib.suppress(BrokenPipeError):
            self._control.send(b"ready")
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 1_024)
                self._reap()
            if self._control.fileno() in ready:
                message, files = self._receive()
                if message is None:
                    break
                if "kill" in message:
                    self._kill(message["kill"])
                elif "detached" in message:
                    self._start_detached(message["detached"], *files)
                else:
                    self._start(message["start"], message["module"], Path(message["folder"]), *files)
        self._kill(None)

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        """Return the next message and its open files; None when the other side is gone."""
        try:
            text, files, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 3)
        except ConnectionResetError:  # it never read that this one is ready
            return None, []
        return json.loads(text) if text else None, files

    def _start(self, number: int, module: str, folder: Path, stdin: int, output: int, status: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._leave_server(status)
            os.setpgid(0, 0)
            _call(module, folder, stdin, output)
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)  # the child does it too: whoever comes first
        os.close(stdin)
        os.close(output)
        self._children[pid] = (number, status)

    def _start_detached(self, message: dict[str, Any], output: int, answer: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._leave_server(answer)
            os.setsid()
            _change_environment(message["environment"])
            _call(message["module"], message["argument"], os.open(os.devnull, os.O_RDONLY), output)
        os.close(output)
        with contextlib.suppress(BrokenPipeError):  # the other side does not wait any longer
            os.write(answer, str(pid).encode())
        os.close(answer)
        self._detached.add(pid)

    def _leave_server(self, status: int) -> None:
        """Give up, in the child, what is the server's alone."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for file in (self._wake, self._waker, status, *(status for _, status in self._children.values())):
            os.close(file)
        self._control.close()

    def _kill(self, number: int | None) -> None:
        """End a process that has not been reaped, or all."""
        for pid, (own, _) in self._children.items():
            if number in (own, None):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Pass on the exit codes of the processes that have ended."""
        for pid in list(self._children):
            ended, code = os.waitpid(pid, os.WNOHANG)
            if ended:
                _, status = self._children.pop(pid)
                with contextlib.suppress(BrokenPipeError):
                    os.write(status, str(os.waitstatus_to_exitcode(code)).encode())
                os.close(status)
        self._detached -= {pid for pid in self._detached if os.waitpid(pid, os.WNOHANG)[0]}


def _change_environment(environment: dict[str, str]) -> None:
    """Take over another environment.

    Other processes see the one that the server was started with, in its own memory. There a value is replaced as well
    that is as long as the one it had.
    """
    find = ctypes.CDLL(None).getenv
    find.restype = ctypes.c_void_p
    for name, value in environment.items():
        before, after = os.environb.get(name.encode(), b""), os.fsencode(value)
        if before != after and len(before) == len(after) and (address := find(name.encode())):
            ctypes.memmove(address, after, len(after))
    os.environ.clear()
    os.environ.update(environment)


def _call(module: str, argument: Path | str, stdin: int, output: int) -> NoReturn:
    """Be the process that was forked: call the module's ``main`` and end."""
    code: int | str | None = 1
    try:
        for source, target in ((stdin, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(stdin)
        os.close(output)
        import numpy as np

        np.random.seed()  # a copy of the server's state would be the same in every process
        code = import_module(module).main(argument)
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001  (nothing may return into the server's own loop)
        traceback.print_exc()
    sys.exit(code)


def main(preload: str) -> int:
    """Load what the processes need, then serve."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # An extension that cannot be loaded is the process's own error, which it records where its parent reads it.
    with contextlib.suppress(Exception):
        module, _, name = preload.partition(":")
        getattr(import_module(module), name)()
    gc.freeze()  # what was loaded stays: no process has to look through it, and to copy its memory
    _Server(control).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
