"""The measuring process: ``python -m core.edge.latency.measuring.main FOLDER FD``, in a session of its own.

It reads ``job.json`` from the folder, does one thing, and tells of it in lines of JSON on the pipe: ``{"phase": ...}``
before each step, then ``{"result": ...}`` or ``{"error": ...}``. Nothing is written while a request is timed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import PlumblineError

__all__ = ["Say", "main"]

Say = Callable[..., None]

OPERATIONS = {
    "onnx": "operation_onnx",
    "native": "operation_native",
    "profile": "operation_profile",
    "work": "operation_work",
    "roof": "operation_roofline",
}
"""Module of each operation; its ``work(job, folder, say)`` returns the result."""


def main(folder: str, pipe: str) -> int:
    """Do the folder's job; return the exit status."""
    job = json.loads((Path(folder) / "job.json").read_text(encoding="utf-8"))
    # Should the parent be killed, nobody else ends this process.
    signal.alarm(int(job["deadline_s"]) + 1)

    def say(**message: Any) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(int(pipe), line) :]

    from core.edge.latency.measuring.usage import confine

    confine(job["cores"], job["memory_mb"])
    try:
        work = import_module(f"core.edge.latency.measuring.{OPERATIONS[job['operation']]}").work
        say(result=work(job, Path(folder), say))
    except PlumblineError as error:
        say(error={"type": type(error).__name__, "message": error.message, "hint": error.hint})
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
