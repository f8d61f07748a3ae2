"""What this process knows of the engine that places runs: whether it can be reached, its nodes, and words about both.

Where a thread of this process keeps time, it alone talks to the engine, and pages read what it has learned: an engine
that does not answer then keeps no page waiting.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import replace
from functools import lru_cache

from core.catalog import Run, RunState
from core.errors import LimitError, PlumblineError
from core.jobs.launchers.base import Launcher, Nodes
from core.jobs.launchers.engines import launcher
from core.jobs.needs import Needs
from core.settings import get_settings

__all__ = [
    "HANDLE",
    "TIMEKEEPER",
    "Engine",
    "cluster_nodes",
    "describe_wait",
    "divides_work",
    "engine",
    "engine_lanes",
    "engine_title",
    "fitted",
    "is_placed",
    "job_log",
    "left_to_timekeeper",
    "needs_of",
    "require_node",
    "trouble",
]

HANDLE = "PLUMBLINE_RUN_HANDLE"
"""Environment variable with the name that the engine gave the job of a run; only processes of such runs have it."""
TIMEKEEPER = "plumbline-timekeeper"
"""Name of the thread that looks after the queue (`core.jobs.timekeeper`)."""
_REST_S = 5.0
"""Seconds for which an engine that could not be reached is left alone."""
_NODES_KEPT_S = 10.0
_FEWEST_MB = 500
_log = logging.getLogger(__name__)


class Engine:
    """What this process knows of the engine of a setting."""

    def __init__(self) -> None:
        self.trouble: PlumblineError | None = None
        self.asked = threading.Event()
        self._rest_until = 0.0
        self._nodes: Nodes | None = None
        self._nodes_at = float("-inf")

    @property
    def rests(self) -> bool:
        """Whether the engine is left alone, as it could not be reached a moment ago."""
        return time.monotonic() < self._rest_until

    def launcher(self) -> Launcher | None:
        """Return the engine; None where there is none, where it rests, or where it lacks a setting."""
        if self.rests or get_settings().engine == "local":
            return None
        try:
            return launcher()
        except PlumblineError as error:
            self.failed(error)
            return None

    def failed(self, error: PlumblineError) -> None:
        """Note that the engine could not be asked, and leave it alone for some seconds."""
        if self.trouble is None or self.trouble.message != error.message:
            _log.warning("the engine cannot be asked: %s", error)
        self.trouble, self._rest_until = error, time.monotonic() + _REST_S

    def worked(self) -> None:
        """Note that the engine has answered."""
        self.trouble = None

    def nodes(self) -> Nodes | None:
        """Return the nodes as they were some seconds ago; None where they are not known."""
        if time.monotonic() - self._nodes_at > _NODES_KEPT_S and not left_to_timekeeper():
            known = self.launcher()
            if known is None:
                return None
            try:
                self._nodes, self._nodes_at = known.nodes(), time.monotonic()
                self.worked()
            except PlumblineError as error:
                self.failed(error)
        return None if self.trouble is not None else self._nodes


@lru_cache(maxsize=4)
def _engine(_setting: str) -> Engine:
    return Engine()


def engine() -> Engine:
    """Return what this process knows of the installation's engine."""
    return _engine(get_settings().engine)


def left_to_timekeeper() -> bool:
    """Return whether another thread of this process talks to the engine."""
    names = {thread.name for thread in threading.enumerate()}
    return TIMEKEEPER in names and threading.current_thread().name != TIMEKEEPER


def is_placed() -> bool:
    """Return whether this is the process of a run that an engine has placed: it starts no other runs."""
    return HANDLE in os.environ


def engine_lanes() -> tuple[str, ...]:
    """Return the lanes whose runs the engine places. Pipelines wait for their steps, and do so here."""
    settings = get_settings()
    if settings.engine == "local":
        return ()
    return ("long",) if settings.engine_lanes == "long" else ("short", "long")


def trouble() -> PlumblineError | None:
    """Return why the engine cannot be asked for runs at the moment, as far as this process knows; None if it can."""
    return engine().trouble if engine_lanes() else None


def divides_work() -> bool:
    """Return whether a run may have other nodes help it, which an engine of Ray lets it.

    Examples
    --------
    >>> divides_work()
    False
    """
    settings = get_settings()  # a sandbox has no network
    return bool(engine_lanes()) and settings.engine.startswith("ray") and settings.sandbox == "off"


def engine_title() -> str:
    """Return words for the engine, such as "the Ray cluster at head:8265"; none where runs work on this machine.

    Examples
    --------
    >>> engine_title()
    ''
    """
    try:
        known = launcher()
    except PlumblineError:  # what it lacks is its trouble
        return ""
    return "" if known is None else known.title


def describe_wait(run: Run) -> str | None:
    """Return what a run waits for that an engine starts; None for one that waits for its turn, or does not wait."""
    if run.state is not RunState.QUEUED:
        return None
    if run.placed_at is not None and run.engine != get_settings().engine:
        return f"Another engine ({run.engine}) was asked for it before. It is taken back within some minutes."
    if run.lane not in engine_lanes():
        return None
    error = trouble()
    if error is not None:
        return f"{error.message} {error.hint}"
    if run.placed_at is None:
        return None
    nodes, needs = engine().nodes(), needs_of(run)
    if nodes is not None and nodes.nodes and not nodes.can_hold(needs):
        return f"No node of {engine_title()} has {needs} at the moment."
    return f"Waiting for a node of {engine_title()} with {needs}."


def needs_of(run: Run) -> Needs:
    """Return what a run needs of a machine; one of an earlier version, whose needs are not known, little memory."""
    return Needs(cpus=run.cpus, gpus=run.gpus, memory_mb=run.needs_mb or _FEWEST_MB)


def fitted(needs: Needs) -> Needs:
    """Return estimated needs with GPUs only where a node has some, and no more cores than nodes have.

    Where the engine adds nodes by itself, the cores are not limited by those of now.
    """
    nodes = cluster_nodes()
    if nodes is None or not nodes.nodes:
        return replace(needs, gpus=0)
    gpus = min(needs.gpus, int(max(node.gpus for node in nodes.nodes)))
    if nodes.grows:
        return replace(needs, gpus=gpus)
    cpus = max(int(node.cpus) for node in nodes.nodes if node.gpus >= gpus)
    return replace(needs, cpus=max(1, min(needs.cpus, cpus)), gpus=gpus)


def cluster_nodes() -> Nodes | None:
    """Return the nodes of the engine as of some seconds ago; None without an engine, or while it cannot be reached."""
    return None if is_placed() or not engine_lanes() else engine().nodes()


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
    known = engine().launcher() if run.handle and run.engine == get_settings().engine else None
    if known is None:
        return ""
    try:
        return known.log(run.handle, tail_bytes)
    except PlumblineError as error:
        engine().failed(error)
        return ""
