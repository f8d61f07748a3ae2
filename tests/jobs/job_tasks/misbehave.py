"""Goes wrong in the way that its settings ask for."""

import os
import signal
import sys
import threading
import time

from core.errors import InputError, StoppedError
from core.jobs import RunContext, TaskSpec

SPEC = TaskSpec(name="misbehave", title="Misbehave")


def run(context: RunContext) -> dict:
    match context.settings["how"]:
        case "plumbline error":
            raise InputError("There is no column 'incme'.", "Did you mean 'income'?")
        case "no unicode":
            raise InputError("Cannot read 'caf\udce9.csv'.", "Rename it.")
        case "stopped":
            raise StoppedError("Stopped at step 4; resume to continue.", "Resume it.")
        case "unexpected":
            raise ZeroDivisionError("nobody thought of it")
        case "out of memory":
            raise MemoryError
        case "denied":
            (context.workdir).write_bytes(b"a folder cannot be written")
        case "exit":
            sys.exit(0)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "no json":
            return {"result": {1, 2}}
        case "thread":
            threading.Thread(target=time.sleep, args=(600,)).start()
            return {"answer": 42}
    raise AssertionError(context.settings)
