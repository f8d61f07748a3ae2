"""The process that a search's helper processes are forked from, and how the search speaks with it.

``python -m core.automl.tuning.fork_server`` loads the learners' libraries, which takes seconds, once for all helpers of
this process; a helper that is forked from it starts at once. Loading starts no thread but that of Arrow's allocator,
which is made to be forked. On macOS, whose system libraries are not, helpers are started one by one instead.
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
import traceback
from importlib import import_module
from pathlib import Path

__all__ = ["AVAILABLE", "ForkServer", "ForkedProcess", "fork_server"]

AVAILABLE = sys.platform == "linux"
"""Whether helpers can be forked here."""
_ROOT = Path(__file__).resolve().parents[3]
_EXTENSIONS = "PLUMBLINE_EXTENSIONS"
_MESSAGE_BYTES = 65_536
_CLOSE_S = 1


class ForkedProcess:
    """A process that the fork server started, in a process group of its own.

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
    environment : dict
        Variables that the helpers get beside this process's own.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._numbers = itertools.count(1)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=_ROOT,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=os.environ | environment,
                process_group=0,
            )

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def start(self, module: str, folder: Path, stdin: int, output: int) -> ForkedProcess:
        """Start a process that calls a module's ``main(folder)``, with these open files as its input and output."""
        number = next(self._numbers)
        status, theirs = os.pipe()
        try:
            self.send({"start": number, "module": module, "folder": str(folder)}, [stdin, output, theirs])
        finally:
            os.close(theirs)
        return ForkedProcess(self, number, status)

    def send(self, message: dict[str, int | str], files: list[int] | None = None) -> None:
        """Send a message with open files; a server that is gone takes none."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._control, [json.dumps(message).encode()], files or [])

    def close(self) -> None:
        """End the server and all that it started."""
        self._control.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:  # it still loads libraries
            self._process.kill()
            self._process.wait()


_servers: dict[tuple[int, str | None], ForkServer] = {}
_lock = threading.Lock()


def fork_server(environment: dict[str, str]) -> ForkServer:
    """Return this process's server, started when there is none for the present extensions."""
    key = os.getpid(), os.environ.get(_EXTENSIONS)
    with _lock:
        server = _servers.get(key)
        if server is not None and server.ended:
            server.close()
            server = None
        if server is None:
            server = _servers[key] = ForkServer(environment)
        return server


@atexit.register
def _close_servers() -> None:
    """End the servers of this process; another process's, copied by a fork, are not ours to wait for."""
    for (pid, _), server in _servers.items():
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
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker)

    def serve(self) -> None:
        """Start and end processes until the other side is gone; then end all."""
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 1_024)
                self._reap()
            if self._control.fileno() in ready:
                text, files, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 3)
                if not text:
                    break
                message = json.loads(text)
                if "kill" in message:
                    self._kill(message["kill"])
                else:
                    self._start(message["start"], message["module"], Path(message["folder"]), *files)
        self._kill(None)

    def _start(self, number: int, module: str, folder: Path, stdin: int, output: int, status: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._leave_server(status)
            _run(module, folder, stdin, output)
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)  # the child does it too: whoever comes first
        os.close(stdin)
        os.close(output)
        self._children[pid] = (number, status)

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


def _run(module: str, folder: Path, stdin: int, output: int) -> None:
    """Be the helper: call the module's ``main`` and end."""
    code: int | str | None = 1
    try:
        os.setpgid(0, 0)
        for source, target in ((stdin, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        os.close(stdin)
        os.close(output)
        import numpy as np

        np.random.seed()  # a copy of the server's state would be the same in every helper
        code = import_module(module).main(folder)
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001  (nothing may return into the server's own loop)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def main() -> int:
    """Load what helpers need, then serve."""
    from core.automl.learners.build import preload_learners

    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # An extension that cannot be loaded is the helper's error, which it records where the search reads it.
    with contextlib.suppress(Exception):
        preload_learners()
        import core.automl.tuning.cross_validation
        import core.automl.tuning.proposer  # noqa: F401
    _Server(control).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
