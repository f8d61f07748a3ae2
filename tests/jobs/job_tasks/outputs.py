"""Does everything a task can: reports, prints, keeps a file, names its run, returns a result."""

import os

from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="outputs", title="Outputs", lane="short")


def run(context: RunContext) -> dict:
    path = context.workdir / "table.txt"
    path.write_text(context.settings["text"])
    print("a line for the log")  # noqa: T201
    context.report(Event("begin", 0.0, "Begun", {"settings": context.settings}))
    context.keep("table", path)
    context.rename("A telling title")
    context.use_dataset("dataset-1")
    context.report(Event("end", 1.0, "Done", {"score": float("nan")}))
    return {"pid": os.getpid(), "elapsed_s": context.elapsed_s(), "workdir": str(context.workdir)}
