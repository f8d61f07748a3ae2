"""``python -m core.jobs`` looks after queue and schedules where no server does."""

import contextlib
import logging
import sys

from core.errors import PlumblineError
from core.jobs.timekeeper import watch
from core.settings import get_settings, unknown_variables

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        get_settings()
    except PlumblineError as error:
        sys.exit(str(error))
    for sentence in unknown_variables():
        logging.warning(sentence)
    with contextlib.suppress(KeyboardInterrupt):
        watch()
