"""A sandbox for the worker of one run, as its monitor sees it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from typing import NoReturn

from core.catalog import Run, RunState
from core.errors import SettingsError
from core.jobs.ending import Ending
from core.jobs.sandbox.broker import Broker
from core.jobs.sandbox.command import arguments, closed_folders, environment, probe_arguments
from core.jobs.sandbox.folders import RunFolders
from core.jobs.sandbox.limits import SandboxLimits
from core.jobs.sandbox.watchdog import Watchdog
from core.settings import Settings, get_settings

__all__ = ["Sandbox", "exit_status", "require_sandbox"]

_COMMAND_BYTES = 1 << 20
_PROBE_S = 60


class Sandbox:
    """The sandbox of a worker that the monitor is about to fork.

    Parameters
    ----------
    settings : Settings
        Settings of the installation.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ours, self._theirs = socket.socketpair()
        self._broker: Broker | None = None
        self._watchdog: Watchdog | None = None
        self._folders: RunFolders | None = None

    def enter(self, command: int) -> NoReturn:
        """Become the sandbox, in the forked process, when its command comes; end where none comes.

        Parameters
        ----------
        command : int
            Read end of the pipe that `start` writes to.
        """
        self._ours.close()
        with open(command, "rb") as file:
            text = file.read(_COMMAND_BYTES)
        if not text:
            sys.exit(2)
        message = json.loads(text)
        self._theirs.set_inheritable(True)
        try:
            os.execve(message["arguments"][0], message["arguments"], message["environment"])
        except OSError as error:
            sys.exit(f"bubblewrap cannot be started: {error}")

    def start(self, run: Run, claim: str, pid: int, command: int) -> None:
        """Start the forked process as the sandbox of a run.

        Parameters
        ----------
        run : Run
            Row of the run.
        claim : str
            Token of the claim that the monitor acts for.
        pid : int
            Process id of the forked process.
        command : int
            Write end of the pipe that `enter` reads from.
        """
        limits = SandboxLimits.of(run, self._settings)
        self._folders = folders = RunFolders(run, self._settings)
        folders.prepare()
        self._broker = Broker(run, claim, self._ours, folders, limits)
        self._watchdog = Watchdog(pid, limits, folders)
        message = {
            "arguments": arguments(folders, self._settings, self._theirs.fileno()),
            "environment": environment(run.id, self._settings),
        }
        self._broker.start()
        self._watchdog.start()
        os.write(command, json.dumps(message).encode())
        self._theirs.close()

    @property
    def breach(self) -> Ending | None:
        """The limit that the run passed, if it did."""
        return None if self._watchdog is None else self._watchdog.breach

    def failure(self) -> Ending | None:
        """Return why the run ended without an outcome, where the sandbox knows: a limit, or that it did not start."""
        if self.breach is not None or self._broker is None or self._broker.begun:
            return self.breach
        return Ending(
            RunState.FAILED,
            error_message="The sandbox of the run could not be started.",
            error_hint="The log has the message of bubblewrap, which has to be installed and to make user namespaces.",
        )

    def close(self) -> None:
        """Stop answering and watching, and remove what the run does not need after its end."""
        if self._watchdog is not None:
            self._watchdog.end()
        if self._broker is not None:
            with contextlib.suppress(OSError):  # the worker's end is gone already
                self._ours.shutdown(socket.SHUT_RDWR)
            self._broker.join()
        if self._folders is not None:
            self._folders.remove()


def exit_status(status: int) -> int:
    """Return a worker's exit status, negative for a signal, from that of bubblewrap, which adds 128 to a signal."""
    return 128 - status if 128 < status < 128 + signal.NSIG else status


def require_sandbox() -> None:
    """Check that runs can be sandboxed, where they have to be.

    Raises
    ------
    SettingsError
        When bubblewrap is not installed, or does not work here.
    """
    settings = get_settings()
    if settings.sandbox == "off":
        return
    if shutil.which("bwrap") is None:
        raise SettingsError(
            f"PLUMBLINE_SANDBOX is {settings.sandbox}, and bubblewrap is not installed.",
            "Install it (on Debian: apt-get install bubblewrap), or set PLUMBLINE_SANDBOX=off.",
        )
    advice = "Install bubblewrap 0.8 or later and allow user namespaces, or set PLUMBLINE_SANDBOX=off."
    try:
        probe = subprocess.run(
            probe_arguments(settings), capture_output=True, text=True, timeout=_PROBE_S, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(
            f"PLUMBLINE_SANDBOX is {settings.sandbox}, and it cannot be started: {error}.", advice
        ) from error
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or [f"exit status {probe.returncode}"])[-1]
        if closed := closed_folders(settings):
            advice = f"Sandboxed runs of a server that is root are another user's: let others read {closed[0]}."
        raise SettingsError(f"PLUMBLINE_SANDBOX is {settings.sandbox}, which does not work here: {reason}.", advice)
