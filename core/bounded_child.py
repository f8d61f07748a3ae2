"""The process with limits: ``python -m core.bounded_child FUNCTION FD MEMORY_MB CPU_S``; see `core.bounded`.

It reads the job from standard input, and writes lines of JSON to the pipe: ``{"event": ...}`` for each report, then
``{"result": ...}``, ``{"error": ...}`` or ``{"out_of_memory": true}``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import resource
import signal
import sys
import threading
import traceback
from dataclasses import asdict

from core.errors import PlumblineError, to_record
from core.jsonable import JsonObject
from core.progress import Event, Report

__all__ = ["echo", "main"]

_UNUSED_MB = 16_384
"""Memory that libraries reserve and do not use, which a limit on data counts: some GB for thousands of columns."""


def main(function: str, pipe: str, memory_mb: str, cpu_s: str) -> int:
    """Run the function; return the exit status."""
    write_fd = int(pipe)

    def write(message: dict[str, object]) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(write_fd, line) :]

    def report(event: Event) -> None:
        write({"event": asdict(event)})

    job = json.loads(_read_line())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _confine(int(memory_mb), float(cpu_s))
    try:
        module, _, name = function.partition(":")
        write({"result": getattr(importlib.import_module(module), name)(job, report)})
    except MemoryError:
        write({"out_of_memory": True})
    except Exception as error:  # noqa: BLE001  (the parent raises it again)
        if not isinstance(error, PlumblineError):
            traceback.print_exc()
        write({"error": to_record(error)})
    return 0


def echo(job: JsonObject, report: Report) -> JsonObject:
    """Return the job, as a child does that works."""
    report(Event("echo", 1.0))
    return job


def _read_line() -> bytes:
    """Read the job, byte for byte from the descriptor: a lock on a stream would outlive the thread that reads on."""
    parts = []
    while part := os.read(0, 1 << 16):
        parts.append(part)
        if part.endswith(b"\n"):
            break
    return b"".join(parts)


def _end_with_parent() -> None:
    """End this process when the other end of standard input is closed: the parent is gone, and nobody waits."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _confine(memory_mb: int, cpu_s: float) -> None:
    """Let an absurd allocation fail, and end the process when its time is up; the parent watches the memory in use."""
    data = (memory_mb + _UNUSED_MB) * 2**20
    seconds = math.ceil(cpu_s)
    limits = {
        resource.RLIMIT_DATA: (data, data),
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a lower limit may be set already
            resource.setrlimit(kind, limit)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


if __name__ == "__main__":
    status = main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # without taking down libraries one by one
