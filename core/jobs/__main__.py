"""``python -m core.jobs`` looks after queue, schedules and alerts where no server does."""

import contextlib
import logging
import os
import sys

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
    with contextlib.suppress(KeyboardInterrupt):
        watch()
