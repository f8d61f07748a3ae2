"""Prints a line, waits, and keeps a file."""

import time

from core.jobs import RunContext, TaskSpec

SPEC = TaskSpec(name="later", title="Later")


def run(context: RunContext) -> dict:
    print("a line for the log", flush=True)  # noqa: T201
    time.sleep(context.settings["pause_s"])
    path = context.workdir / "table.txt"
    path.write_text(context.settings["text"])
    context.keep("table", path)
    return {}
