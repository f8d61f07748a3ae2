"""Background runs: a queue in the catalog, and for each run a detached process that supervises it.

`submit` adds a QUEUED row and calls `tick`. `tick` (also called by open pages and by each run that ends) declares
runs whose monitor is lost INTERRUPTED, and starts the longest-waiting run of each lane that is below its limit: it
claims the row (QUEUED -> STARTING) and starts `core.jobs.monitor` in a session of its own: a new interpreter, or, after
`warm_up`, a fork of a process that has loaded the libraries. That process, the *monitor*, forks the *worker*, which
runs the task. The monitor renews the run's lease, ends the worker's whole process tree on cancel, deadline or too much
memory, and writes the one terminal state. Neither needs the process that submitted the run.
"""

from core.jobs.api import (
    artifact_path,
    cancel,
    events,
    get,
    log,
    queue_position,
    repeat,
    repeatable,
    resumable,
    resume,
    stop,
    stoppable,
    submit,
    wait,
    waits_for_own,
)
from core.jobs.context import RunContext
from core.jobs.engine import cluster_nodes, describe_wait, divides_work, engine_lanes, engine_title, needs_of
from core.jobs.engine import trouble as engine_trouble
from core.jobs.launchers.base import Node
from core.jobs.launchers.local import warm_up
from core.jobs.needs import Needs, estimate_memory_mb
from core.jobs.run_rows import estimate_needs
from core.jobs.sandbox import require_sandbox
from core.jobs.scheduler import tick
from core.jobs.schedules import add_schedule, change_schedule, timing_of
from core.jobs.sweeper import sweep
from core.jobs.task_specs import TASKS, TaskSpec, task_spec
from core.jobs.timekeeper import keep_time, keeps_time
from core.jobs.timing import Timing

__all__ = [
    "TASKS",
    "Needs",
    "Node",
    "RunContext",
    "TaskSpec",
    "Timing",
    "add_schedule",
    "artifact_path",
    "cancel",
    "change_schedule",
    "cluster_nodes",
    "describe_wait",
    "divides_work",
    "engine_lanes",
    "engine_title",
    "engine_trouble",
    "estimate_memory_mb",
    "estimate_needs",
    "events",
    "get",
    "keep_time",
    "keeps_time",
    "log",
    "needs_of",
    "queue_position",
    "repeat",
    "repeatable",
    "require_sandbox",
    "resumable",
    "resume",
    "stop",
    "stoppable",
    "submit",
    "sweep",
    "task_spec",
    "tick",
    "timing_of",
    "wait",
    "waits_for_own",
    "warm_up",
]
