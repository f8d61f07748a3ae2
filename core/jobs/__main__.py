"""``python -m core.jobs`` looks after queue, schedules and alerts where no server does."""

import logging
import os
import signal
import sys
import threading

from core import installation
from core.errors import PlumblineError
from core.jobs.sandbox import require_sandbox
from core.jobs.timekeeper import watch
from core.private_folder import PRIVATE_UMASK

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.umask(PRIVATE_UMASK)
    try:
        installation.check()
        require_sandbox()
    except PlumblineError as error:
        sys.exit(str(error))
    ended = threading.Event()

    def end(number: int, _: object) -> None:
        """Let the look at this moment be the last one; the same signal once more ends it at once."""
        ended.set()
        signal.signal(number, signal.SIG_DFL)

    # An exception at any moment would be lost where it is raised within a finalizer.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    watch(ended)
