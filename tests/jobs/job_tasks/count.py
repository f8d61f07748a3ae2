"""Counts slowly to a number, one event per step; continues from where an earlier attempt stopped."""

import time

from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="count", title="Count", resumable=True, checkpoints=("mark",), stoppable=True)


def run(context: RunContext) -> dict:
    steps, pause = context.settings.get("steps", 3), context.settings.get("pause", 0.01)
    mark, written = context.workdir / "mark", context.workdir / "mark.tmp"
    first = int(mark.read_text()) if mark.exists() else 0
    for step in range(first, steps):
        if context.should_stop():
            return {"counted": step, "first": first, "stopped": True}
        time.sleep(pause)
        written.write_text(str(step + 1))
        written.replace(mark)  # a kill in the midst of writing leaves the last mark
        context.report(Event("count", (step + 1) / steps, f"Step {step + 1}", {"step": step + 1}))
    return {"counted": steps, "first": first, "stopped": False}
