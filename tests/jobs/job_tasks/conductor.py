"""Submits the children that its settings list, waits until they have ended, and does then what it is asked to.

Another attempt waits for the children of the first. ``then``: "fail" raises an error, without waiting.
"""

from core import jobs
from core.catalog import runs
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.progress import Event

SPEC = TaskSpec(name="conductor", title="Conductor", lane="pipeline", resumable=True)


def run(context: RunContext) -> dict:
    own = context.run.id
    for task, settings in context.settings["children"] if not runs.children(own, access=context.access) else ():
        jobs.submit(task, settings, parent=own, access=context.access)
    children = [child.id for child in runs.children(own, access=context.access)]
    context.report(Event("children", None, "Submitted", {"ids": children}))
    if context.settings.get("then") == "fail":
        raise InputError("It fails while its children work.", "That is what it was asked for.")
    return {"states": [jobs.wait(child, access=context.access).state for child in children]}
