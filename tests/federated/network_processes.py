"""A study whose coordinator and sites are processes on this machine, connected by TLS."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.federated import FederatedSettings
from core.federated.network.study_folder import create_study
from tests.federated.tables import SITES, write_tables

DEADLINE_S = 90
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.federated.warm"])


def until(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Return what a condition returns once it is true."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        with suppress(OSError, ValueError):
            if value := condition():
                return value
        time.sleep(0.02)
    raise AssertionError(f"not in time: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_server(port: int) -> None:
    def connects() -> bool:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    until(connects, "the server")


def run_function(function: Callable[..., int], output: str, *arguments: Any) -> None:
    """Run a function in this process, with its output in a file."""
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    code = function(*arguments)
    os._exit(code)  # NVFLARE's threads would hold the process


def run_study(folder: str) -> int:
    from core.federated.network.study_command import main

    return main(["run", folder])


def run_site(arguments: list[str], answer: str = "") -> int:
    """Run a site; `answer` is what its operator types."""
    import io

    from core.federated.network.site_command import main

    sys.stdin = io.StringIO(answer)
    return main(arguments)


def run_site_that_pauses(arguments: list[str], kind: str, times: int, marker: str) -> int:
    """Run a site that stops for good while it answers a kind of request for the n-th time, after it made a file."""
    from core.federated.network import site_server

    real, count = site_server.answer, iter(range(times))

    def answer(site: Any, request: Any) -> Any:
        if request.kind == kind and next(count, None) is None:
            Path(marker).touch()
            threading.Event().wait()
        return real(site, request)

    site_server.answer = answer  # type: ignore[assignment]
    return run_site(arguments)


class Network:
    """A study of three sites in a folder, and its processes.

    Parameters
    ----------
    folder : Path
        Empty folder.
    limits : float
        Time limits of the study.
    """

    def __init__(self, folder: Path, settings: FederatedSettings, **limits: float) -> None:
        self.folder, self.study = folder, folder / "study"
        self.tables = write_tables(folder)
        self.port = free_port()
        limits = {"heartbeat_s": 0.3, **limits}
        tokens = create_study(self.study, settings, SITES, f"127.0.0.1:{self.port}", **limits)
        self.tokens = dict(zip(SITES, tokens, strict=True))
        self.processes: list[Any] = []

    def start(self, function: Callable[..., int], output: str, *arguments: Any) -> Any:
        process = _PROCESSES.Process(
            target=run_function, args=(function, str(self.folder / output), *arguments), daemon=True
        )
        process.start()
        self.processes.append(process)
        return process

    def start_study(self) -> Any:
        """Start the coordinator; it listens when this returns."""
        process = self.start(run_study, "study.out", str(self.study))
        wait_for_server(self.port)
        return process

    def site_arguments(self, site: str, *, approve: bool = True) -> list[str]:
        table, folder = str(self.tables[site]), str(self.site_folder(site))
        return [
            "join",
            str(self.tokens[site]),
            "--table",
            table,
            "--folder",
            folder,
            *(["--approve"] if approve else []),
        ]

    def site_folder(self, site: str) -> Path:
        return self.folder / f"at {site}"

    def start_site(self, site: str, *, answer: str | None = None) -> Any:
        """Start a site; `answer` is what its operator types, by default none is asked."""
        arguments = self.site_arguments(site, approve=answer is None)
        return self.start(run_site, f"{site}.out", arguments, answer or "")

    def start_pausing_site(self, site: str, kind: str, times: int) -> tuple[Any, Path]:
        marker = self.folder / f"{site} pauses"
        process = self.start(run_site_that_pauses, f"{site}.out", self.site_arguments(site), kind, times, str(marker))
        return process, marker

    def output(self, name: str) -> str:
        path = self.folder / f"{name}.out"
        return path.read_text() if path.exists() else ""

    def states(self) -> dict[str, Any]:
        return dict(json.loads((self.study / "state.json").read_text()))

    def state(self, site: str) -> str:
        return str(self.states()["sites"][site]["state"])

    def finish(self, process: Any, deadline_s: float = DEADLINE_S) -> int:
        process.join(deadline_s)
        assert process.exitcode is not None, self.output("study")
        return int(process.exitcode)

    def kill(self, process: Any) -> None:
        os.kill(process.pid, signal.SIGKILL)
        process.join(DEADLINE_S)

    def close(self) -> None:
        for process in self.processes:
            if process.is_alive():
                self.kill(process)


class Recorder:
    """A proxy in front of a port, which keeps every byte that passes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.data = bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self._target), 5)
                except OSError:  # the server is not there yet
                    here.close()
                    continue
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                self.data += chunk
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
