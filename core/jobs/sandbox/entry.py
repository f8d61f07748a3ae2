"""The first process of a sandbox: ``python -m core.jobs.sandbox.entry FD``.

It holds itself to the limits before anything of the run is read, and runs the task with calls of its monitor in the
place of the catalog.
"""

from __future__ import annotations

import socket
import sys

from core.jobs import worker
from core.jobs.sandbox import wire
from core.jobs.sandbox.client import Client
from core.jobs.sandbox.limits import SandboxLimits

__all__ = ["main"]


def main(connection: int) -> int:
    """Run the task of the run that the monitor names; return the process's exit status."""
    client = Client(socket.socket(fileno=connection))
    begin = client.ask("begin")
    SandboxLimits(**begin["limits"]).apply()
    client.install()
    return worker.work(wire.decode(begin["run"]), client.leave)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
