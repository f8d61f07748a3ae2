"""The measuring process: ``python -m core.edge.latency.measuring.main FOLDER FD``, in a session of its own.

It reads ``job.json`` from the folder, runs one operation, and writes lines of JSON to the pipe: ``{"step": ...}``
before each step, then ``{"result": ...}`` or ``{"error": ...}``. Nothing is written while a request is timed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from core.edge.latency.measuring.operations import OPERATIONS
from core.edge.latency.measuring.usage import confine
from core.edge.latency.messages import Job, Step
from core.errors import LimitError, PlumblineError, to_record

__all__ = ["main"]


def main(folder: str, pipe: str) -> int:
    """Run the folder's job; return the exit status."""
    envelope = json.loads((Path(folder) / "job.json").read_text(encoding="utf-8"))
    # If the parent is killed, nothing else ends this process.
    signal.alarm(int(envelope["deadline_s"]) + 1)
    write_fd, memory_mb = int(pipe), int(envelope["memory_mb"])

    def write(**message: object) -> None:
        line = to_json(message) + b"\n"
        while line:
            line = line[os.write(write_fd, line) :]

    def emit(step: Step) -> None:
        write(step=step)

    confine(envelope["cores"], memory_mb)
    try:
        job = TypeAdapter(Job).validate_python(envelope["job"])
        write(result=OPERATIONS.require(job.operation).load()(job, Path(folder), emit))
    except MemoryError:
        error = LimitError(
            f"The model needs more than {memory_mb:,} MB of memory.", "Lower batch_size, or raise the limit."
        )
        write(error=to_record(error))
        return 1
    except Exception as error:  # noqa: BLE001  (the parent raises it again)
        if not isinstance(error, PlumblineError):
            traceback.print_exc()
        write(error=to_record(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
