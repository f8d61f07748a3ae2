"""The process that others are forked from: ``python -m core.fork_server_main MODULE:FUNCTION``; see `core.fork_server`.

It calls the function, which loads what its processes need and starts no thread of its own, then forks a process
for each message that it receives.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["main"]

_MESSAGE_BYTES = 1 << 18


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
