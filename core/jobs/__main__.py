"""``python -m core.jobs`` looks after queue and schedules where no server does."""

import contextlib
import logging

from core.jobs.timekeeper import watch

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        watch()
