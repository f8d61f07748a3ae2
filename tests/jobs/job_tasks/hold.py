"""Holds memory until a file is there."""

import time
from pathlib import Path

from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="hold", title="Hold")


def run(context: RunContext) -> dict:
    held = bytearray(context.settings["mb"] << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])  # pages that nobody wrote to take no memory
    context.report(Event("hold", None, "Holding"))
    while not Path(context.settings["until"]).exists():
        time.sleep(0.05)
    return {"held": len(held)}
