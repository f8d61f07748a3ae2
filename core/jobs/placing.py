"""Asks the engine for the runs whose turn it is, and looks after those that it was asked for.

The catalog stays the queue: a run is placed when its turn has come, and only a few wait for a node at the same time, so
that their order is ours. Waiting for a node takes no lease and no budget. A job that ends before its run begins is
asked for again, a few times; an engine that cannot be reached is left alone for some seconds, and the runs wait.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace
from functools import lru_cache

from core.catalog import Run, RunState, placements, queue
from core.errors import JobError, LimitError, PlumblineError, RemoteError
from core.jobs import processes
from core.jobs.launchers.base import Job, Launcher, Nodes, last_line
from core.jobs.launchers.engines import launcher
from core.jobs.needs import Needs
from core.jobs.sweeper import remove_upload
from core.jobs.task_specs import task_spec
from core.resources import CORES, MEMORY_MB
from core.settings import get_settings

__all__ = [
    "HANDLE",
    "cluster_nodes",
    "describe_wait",
    "divides_work",
    "engine_lanes",
    "engine_title",
    "fitted",
    "is_busy",
    "is_placed",
    "job_log",
    "look_after",
    "needs_of",
    "place_waiting",
    "require_node",
    "trouble",
]

HANDLE = "PLUMBLINE_RUN_HANDLE"
"""Environment variable with the name that the engine gave the job of a run; only processes of such runs have it."""
_FEWEST_WAITING = 2
_LOOK_EVERY_S = 2.0
_REST_S = 5.0
"""Seconds for which an engine that could not be reached is left alone."""
_NODES_KEPT_S = 10.0
_BEGIN_S = 300.0
"""Seconds in which a job that works must have begun its run; it is ended then."""
_END_S = 30.0
"""Seconds after the end of a run in which its job ends by itself."""
_MOST_PLACEMENTS = 3
_OTHER_ENGINE_S = 3_600.0
"""Seconds after which a run that another engine was asked for is taken back."""
_LOG_BYTES = 4_000
_log = logging.getLogger(__name__)


class _Engine:
    """What this process knows of the engine."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.trouble: PlumblineError | None = None
        self.rest_until = 0.0
        self.look_at = 0.0
        self.nodes: Nodes | None = None
        self.nodes_at = 0.0
        self.works_since: dict[str, float] = {}


@lru_cache(maxsize=4)
def _engine(_setting: str) -> _Engine:
    return _Engine()


def _known() -> _Engine:
    return _engine(get_settings().engine)


def is_placed() -> bool:
    """Return whether this is the process of a run that an engine has placed: it starts no other runs."""
    return HANDLE in os.environ


def engine_lanes() -> tuple[str, ...]:
    """Return the lanes whose runs the engine places. Pipelines wait for their steps, and do so here."""
    settings = get_settings()
    if settings.engine == "local":
        return ()
    return ("long",) if settings.engine_lanes == "long" else ("short", "long")


def is_busy() -> bool:
    """Return whether runs wait that an engine is to start."""
    return any(queue.waits(lane) for lane in engine_lanes()) or bool(engine_lanes() and placements.placed())


def trouble() -> PlumblineError | None:
    """Return why the engine cannot be asked for runs at the moment, as far as this process knows; None if it can."""
    return _known().trouble if engine_lanes() else None


def divides_work() -> bool:
    """Return whether a run may have other nodes help it, which an engine of Ray lets it.

    Examples
    --------
    >>> divides_work()
    False
    """
    return bool(engine_lanes()) and get_settings().engine.startswith("ray")


def engine_title() -> str:
    """Return words for the engine, such as "the Ray cluster at head:8265"; none where runs work on this machine.

    Examples
    --------
    >>> engine_title()
    ''
    """
    engine = _launcher() if engine_lanes() else None
    return "" if engine is None else engine.title


def describe_wait(run: Run) -> str | None:
    """Return what a run waits for that an engine starts; None for one that waits for its turn, or does not wait."""
    if run.state is not RunState.QUEUED or run.lane not in engine_lanes():
        return None
    error = trouble()
    if error is not None:
        return f"{error.message} {error.hint}"
    return f"Waiting for a node of {engine_title()} with {needs_of(run)}." if run.placed_at is not None else None


def needs_of(run: Run) -> Needs:
    """Return what a run needs of a machine."""
    return Needs(cpus=run.cpus, gpus=run.gpus, memory_mb=run.needs_mb)


def fitted(needs: Needs) -> Needs:
    """Return estimated needs with at most the cores and GPUs of the largest nodes; without GPUs where none is known."""
    nodes = cluster_nodes()
    if nodes is None or not nodes.nodes:
        return replace(needs, gpus=0)
    gpus = min(needs.gpus, int(max(node.gpus for node in nodes.nodes)))
    cpus = max(int(node.cpus) for node in nodes.nodes if node.gpus >= gpus)
    return replace(needs, cpus=max(1, min(needs.cpus, cpus)), gpus=gpus)


def cluster_nodes() -> Nodes | None:
    """Return the nodes of the engine as they were some seconds ago; None where there is no engine, or it is away."""
    engine = None if is_placed() else _launcher()
    if engine is None:
        return None
    known = _known()
    if known.nodes is None or time.monotonic() - known.nodes_at > _NODES_KEPT_S:
        if time.monotonic() < known.rest_until:
            return None
        try:
            known.nodes, known.nodes_at = engine.nodes(), time.monotonic()
        except PlumblineError as error:
            _rest(error)
            return None
    return known.nodes


def require_node(needs: Needs) -> None:
    """Refuse a run that no node can hold, where that is known.

    Raises
    ------
    LimitError
        When none can.
    """
    nodes = cluster_nodes()
    if nodes is None or not nodes.nodes or nodes.can_hold(needs):
        return
    largest = max(nodes.nodes, key=lambda node: (node.gpus, node.cpus, node.memory_mb))
    has = Needs(cpus=int(largest.cpus), gpus=int(largest.gpus), memory_mb=int(largest.memory_mb))
    raise LimitError(
        f"The run needs {needs}, and no node of the cluster has that; the largest has {has}.",
        "Ask for less, or add a node.",
    )


def job_log(run: Run, tail_bytes: int) -> str:
    """Return what the job of a run has written, where the engine still knows it; else nothing."""
    if not run.handle or run.engine != get_settings().engine:
        return ""
    try:
        engine = launcher()
        return "" if engine is None else engine.log(run.handle, tail_bytes)
    except PlumblineError:  # it is said elsewhere that it is away
        return ""


def place_waiting(lane: str, limit: int | None, workspace_limit: int | None) -> None:
    """Ask the engine for runs of a lane, as far as their limits and the waiting ones allow."""
    known = _known()
    engine = _launcher()
    if engine is None or time.monotonic() < known.rest_until:
        return
    nodes = None
    while True:
        most = _FEWEST_WAITING if nodes is None else max(_FEWEST_WAITING, len(nodes.nodes))
        run = placements.place_next(
            lane, limit, get_settings().engine, most_waiting=most, workspace_limit=workspace_limit
        )
        if run is None:
            return
        nodes = cluster_nodes()
        if not _launch(engine, run):
            return


def _launch(engine: Launcher, run: Run) -> bool:
    """Ask for the job of a run that was just placed; return whether the engine can be asked for others."""
    needs = needs_of(run)
    environment = {
        "PYTHONUNBUFFERED": "1",
        processes.MARK: run.id,
        processes.CLAIM: run.claim_token or "",
        HANDLE: run.handle,
        CORES: str(run.cpus),
        MEMORY_MB: str(run.needs_mb),
    }
    try:
        require_node(needs)
        engine.launch(Job(handle=run.handle, run_id=run.id, environment=environment, needs=needs))
    except RemoteError as error:
        placements.take_back(run, failed=False)
        _rest(error)
        return False
    except (JobError, LimitError) as error:
        placements.fail(run, error.message, error.hint)
        return True
    _known().trouble = None
    return True


def _launcher() -> Launcher | None:
    """Return the engine; None where there is none, or where it lacks a setting, which is said as its trouble."""
    try:
        return launcher()
    except PlumblineError as error:
        _rest(error)
        return None


def _rest(error: PlumblineError) -> None:
    known = _known()
    if known.trouble is None or known.trouble.message != error.message:
        _log.warning("the engine cannot be asked: %s", error)
    known.trouble, known.rest_until = error, time.monotonic() + _REST_S


def look_after() -> None:
    """Look at the runs that were placed and have not begun, and end what is left of those that ended.

    Often called; it looks every two seconds, from one thread of this process.
    """
    known = _known()
    if is_placed() or time.monotonic() < max(known.look_at, known.rest_until):
        return
    if not known.lock.acquire(blocking=False):
        return
    try:
        known.look_at = time.monotonic() + _LOOK_EVERY_S
        waiting, ended = placements.placed(), placements.left_behind()
        handles = {run.handle for run in waiting}
        known.works_since = {handle: since for handle, since in known.works_since.items() if handle in handles}
        engine = _launcher()
        for run in waiting:
            _look_at_placed(engine, run)
        for run in ended:
            _look_at_ended(engine, run)
        if waiting or ended:
            known.trouble = None
    except (RemoteError, JobError) as error:
        _rest(error)
    finally:
        known.lock.release()


def _look_at_placed(engine: Launcher | None, run: Run) -> None:
    """Ask again for a run whose job has ended before it began, or say that it cannot be started."""
    if engine is None or run.engine != get_settings().engine:
        # The installation has another engine now, or this process has a setting that others do not have.
        if time.time() - run.queued_at > _OTHER_ENGINE_S:
            placements.take_back(run, failed=False)
        return
    sight = engine.look(run.handle)
    since = _known().works_since
    if sight.state == "running":
        if time.monotonic() - since.setdefault(run.handle, time.monotonic()) < _BEGIN_S:
            return
        engine.end(run.handle)
        message = f"its job works, and has not begun it in {_BEGIN_S:g} s"
    elif sight.state == "waiting":
        return
    else:
        message = last_line(engine.log(run.handle, _LOG_BYTES)) or sight.message
    if sight.blameless or run.failed_placements + 1 < _MOST_PLACEMENTS:
        _log.warning("run %s did not begin (%s); placing it again", run.id, message)
        placements.take_back(run, failed=not sight.blameless)
    else:
        placements.fail(
            run,
            f"The run could not be started on {engine.title}, {_MOST_PLACEMENTS} times: {message.rstrip('.')}.",
            "Check that its nodes have Plumbline, and the database and storage of this server, then repeat the run.",
        )


def _look_at_ended(engine: Launcher | None, run: Run) -> None:
    """End the job of a run that has ended, unless it ends by itself, until the engine has none."""
    if engine is None or run.engine != get_settings().engine:
        placements.forget(run)
        return
    if engine.look(run.handle).state == "gone":
        # Its monitor did the same on the node; an upload is where it was taken.
        if run.state is RunState.SUCCEEDED or not task_spec(run.task).resumable:
            remove_upload(run)
        placements.forget(run)
    elif run.started_at is None or time.time() - (run.finished_at or 0.0) > _END_S:
        engine.end(run.handle)
