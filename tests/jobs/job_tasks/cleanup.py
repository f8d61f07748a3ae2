"""Works until it is ended, and cleans up then."""

import time

from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="cleanup", title="Cleanup")


def run(context: RunContext) -> dict:
    try:
        context.report(Event("work", None, "Working"))
        time.sleep(600)
    finally:
        print("cleaned up")  # noqa: T201  (for the log)
    return {}
