"""A searcher on another node of a cluster, as its worker sees it: the same as a process of this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl.tuning.event_file import EVENTS, append_event, append_trial, read_trials
from core.automl.tuning.processes import THREADS
from core.automl.tuning.search_actor import SearchActor
from core.automl.tuning.shared_data import SharedData
from core.automl.tuning.worker import OUT_OF_FOLD
from core.automl.tuning.worker_plan import FAVORITE, PLAN, WorkerPlan
from core.errors import PlumblineError, SearchError, from_record, to_record
from core.fork_server import EXTENSIONS

if TYPE_CHECKING:
    from core.cluster import Cluster

__all__ = ["START_S", "RemoteProcess"]

START_S = 120.0
"""Seconds in which an actor has to have its cores and its libraries: they are kept for it, and disks may be slow."""
_AHEAD = 2  # trials that are asked for, so that the actor never waits for the search to look
_log = logging.getLogger(__name__)


class RemoteProcess:
    """A searcher in an actor of Ray; it ends with the search's process, like all actors that have no name.

    Parameters
    ----------
    folder : Path
        Folder of the worker, where the plan is, and where events and predictions come.
    cluster : Cluster
        The cluster.
    strategy : object
        Scheduling strategy of Ray that leads to the node.
    cores : float
        Number of cores of the actor.
    data : SharedData
        Training data for all nodes.

    Attributes
    ----------
    folder : Path
        Folder of the worker.
    """

    def __init__(self, folder: Path, cluster: Cluster, strategy: Any, cores: float, data: SharedData) -> None:
        self.folder = folder
        self._cluster = cluster
        self._data = data
        variables = THREADS | {name: os.environ[name] for name in EXTENSIONS if name in os.environ}
        self._actor = (
            cluster.ray.remote(SearchActor)
            .options(num_cpus=cores, scheduling_strategy=strategy, runtime_env={"env_vars": variables})
            .remote()
        )
        self._created_at = time.monotonic()
        self._calls: deque[tuple[str, Any]] = deque([("load", self._actor.load.remote())])
        self._node_id: str | None = None
        self._favorite: Path | None = None
        self._killed = self._done = False
        self._exit_reason: str | None = None
        self._usual_cause = "the usual cause is too little memory"
        self._error: PlumblineError | None = None

    def collect(self) -> None:
        """Take in what the actor did, and ask it for more."""
        ray = self._cluster.ray
        while self._calls and not self.ended:
            name, answer = self._calls[0]
            if not ray.wait([answer], timeout=0)[0]:
                if self._node_id is None and time.monotonic() >= self._created_at + START_S:
                    self._fail("not started", f"no node had free cores for it within {START_S:g} s")
                break
            self._calls.popleft()
            try:
                self._take(name, ray.get(answer))
            except ray.exceptions.RayTaskError as error:
                _log.error("a searcher on another node failed: %s", error)
                cause = error.cause
                self._error = cause if isinstance(cause, PlumblineError) else from_record(to_record(cause))
                self._fail("ended by an error")
            except ray.exceptions.RayError as error:  # the actor is gone, or its answer with its node
                self._note_death(error)
        self._ask()

    def _take(self, name: str, answer: Any) -> None:
        """Write what a call has returned into the folder."""
        if name == "load":
            self._node_id = answer
        elif name == "propose":
            if answer is None:
                self._done = True
            else:
                append_event(self.folder / EVENTS, answer)
        elif name == "run" and answer is not None:
            for file, content in answer["files"].items():
                part = self.folder / OUT_OF_FOLD / f"{file}.part"
                content.tofile(part)
                part.replace(part.with_suffix(""))
            append_trial(self.folder / EVENTS, answer["trial"])

    def _ask(self) -> None:
        """Call for the plan once it is there, and for further trials."""
        if self.ended or self._node_id is None:
            return
        if self._favorite is None:
            if not (self.folder / PLAN).exists():
                return
            plan = WorkerPlan.load(self.folder)
            self._favorite = Path(plan.favorite or self.folder / FAVORITE)
            reference = self._data.reference()
            begun = self._actor.begin.remote(plan.to_message(), self._data.digest, reference, read_trials(self.folder))
            self._calls.append(("begin", begun))
        while sum(name == "run" for name, _ in self._calls) < _AHEAD:
            favorite = self._favorite.read_text(encoding="utf-8") if self._favorite.is_file() else None
            self._calls.append(("propose", self._actor.propose.remote(favorite)))
            self._calls.append(("run", self._actor.run.remote()))

    def _note_death(self, error: Exception) -> None:
        """Keep what ended the actor."""
        if getattr(error, "actor_init_failed", False):
            last = str(error).strip().splitlines()[-1][:300]
            self._error = SearchError(
                f"A searcher cannot start on another node of the cluster: {last}.",
                "Install the same version of Plumbline, with its requirements, in the same folder on each node.",
            )
        _log.warning("a searcher on another node ended: %s", error)
        if self._node_id is not None and not self._cluster.is_alive(self._node_id):
            self._fail("ended with its node", "the node has left the cluster")
        else:
            self._fail("ended on its node")

    def _fail(self, reason: str, cause: str | None = None) -> None:
        self._exit_reason = reason
        self._usual_cause = cause or self._usual_cause
        self._end_actor()

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._done or self._killed

    @property
    def failed(self) -> bool:
        """Whether it has ended by itself with an error."""
        return self._exit_reason is not None

    @property
    def error(self) -> PlumblineError | None:
        """The error that ended it; None when it left none."""
        return self._error

    @property
    def exit_reason(self) -> str:
        """How it ended, in words that follow "it was"."""
        return self._exit_reason or "not ended"

    @property
    def usual_cause(self) -> str:
        """What usually ends such a process."""
        return self._usual_cause

    @property
    def node_id(self) -> str | None:
        """Id of the node that it works on; None until it has started."""
        return self._node_id

    @property
    def never_started(self) -> bool:
        """Whether no node had cores for it."""
        return self._killed and self._node_id is None

    def kill(self) -> None:
        """End the actor at once; what it has done by then is kept."""
        if not self.ended:
            self.collect()
        self._end_actor()

    def _end_actor(self) -> None:
        if self._killed:
            return
        self._killed = True
        self._calls.clear()
        with contextlib.suppress(self._cluster.ray.exceptions.RayError, ValueError):  # it ended, or never began
            self._cluster.ray.kill(self._actor)
