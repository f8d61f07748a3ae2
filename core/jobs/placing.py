"""Asks the engine for the runs whose turn it is, and looks after those that it was asked for.

The catalog stays the queue: a run is placed when its turn has come, and only a few wait for a node at the same time, so
that their order is ours. Waiting for a node takes no lease and no budget. A job that ends before its run begins is
asked for again, a few times; an engine that cannot be reached is left alone for some seconds, and the runs wait.

A run is noted as placed before its job is asked for, under a name that is known beforehand. Whether the engine knows of
it is asked later, and if it does not, the same job is asked for once more: an answer that is lost makes no second one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from core.catalog import Run, RunState, placements, queue
from core.errors import PlumblineError, RemoteError
from core.jobs import processes
from core.jobs.engine import HANDLE, engine, engine_lanes, is_placed, left_to_timekeeper, needs_of
from core.jobs.launchers.base import Job, Launcher, Sight, last_line
from core.jobs.sweeper import remove_upload
from core.jobs.task_specs import task_spec
from core.resources import CORES, MEMORY_MB
from core.settings import get_settings

__all__ = ["is_busy", "look_after", "place_waiting", "wait_until_asked"]

_FEWEST_WAITING = 4
_PER_NODE = 2
"""Runs that may wait in the engine, at least, and for each of its nodes."""
_LOOK_EVERY_S = 2.0
_LOOK_IDLE_S = 60.0
"""Seconds between two looks where no engine is set: an earlier one may have been asked for runs."""
_ENDED_EVERY_S = 10.0
_ASK_AGAIN_S = 10.0
"""Seconds after which a job that the engine does not know is asked for once more."""
_BEGIN_S = 300.0
"""Seconds in which a job that works must have begun its run; it is ended then."""
_END_S = 30.0
"""Seconds after the end of a run in which its job ends by itself."""
_MOST_PLACEMENTS = 3
_OTHER_ENGINE_S = 600.0
"""Seconds after which a run that another engine was asked for is taken back."""
_LOG_BYTES = 4_000
_POLL_S = 0.2
_log = logging.getLogger(__name__)
_looking = threading.Lock()
_look_at = _ended_at = 0.0
_works_since: dict[str, float] = {}
"""When this process first saw that a job works, by its handle, on its monotonic clock."""


def is_busy() -> bool:
    """Return whether runs wait that an engine is to start."""
    return any(queue.waits(lane) for lane in engine_lanes()) or bool(engine_lanes() and placements.placed())


def wait_until_asked(seconds: float, ended: threading.Event) -> None:
    """Wait for so many seconds, until a thread of this process wants runs to be placed, or until `ended` is set."""
    if not engine_lanes():
        ended.wait(seconds)
        return
    asked = engine().asked
    until = time.monotonic() + seconds
    while not ended.is_set() and (left := until - time.monotonic()) > 0 and not asked.wait(min(left, _POLL_S)):
        pass
    asked.clear()


def place_waiting(lane: str, limit: int | None, workspace_limit: int | None) -> None:
    """Ask the engine for runs of a lane, as far as their limits and the waiting ones allow.

    Where another thread of this process talks to the engine, it is woken instead.
    """
    if left_to_timekeeper():
        engine().asked.set()
        return
    launcher = engine().launcher()
    if launcher is None or not queue.waits(lane):
        return
    nodes = engine().nodes()
    most = max(_FEWEST_WAITING, 0 if nodes is None else _PER_NODE * len(nodes.nodes))
    while run := placements.place_next(
        lane, limit, get_settings().engine, most_waiting=most, workspace_limit=workspace_limit
    ):
        if not _launch(launcher, run):
            return


def _launch(launcher: Launcher, run: Run) -> bool:
    """Ask for the job of a run that is placed; return whether the engine can be asked for others."""
    needs = needs_of(run)
    environment = {
        "PYTHONUNBUFFERED": "1",
        processes.MARK: run.id,
        processes.CLAIM: run.claim_token or "",
        HANDLE: run.handle,
        CORES: str(needs.cpus),
        MEMORY_MB: str(needs.memory_mb),
    }
    try:
        launcher.launch(Job(handle=run.handle, run_id=run.id, environment=environment, needs=needs))
    except RemoteError as error:  # it may have the job nevertheless, which a later look shows
        engine().failed(error)
        return False
    except PlumblineError as error:
        _did_not_begin(run, launcher, error.message, failed=True)
        return False
    engine().worked()
    return True


def _did_not_begin(run: Run, launcher: Launcher, message: str, *, failed: bool) -> bool:
    """Let a run wait for its turn again, or end it if it was tried often enough; return whether it was still placed."""
    if failed and run.failed_placements + 1 >= _MOST_PLACEMENTS:
        return placements.fail(
            run,
            f"The run could not be started on {launcher.title}, {_MOST_PLACEMENTS} times: {message.rstrip('.')}.",
            "Check that its nodes have Plumbline, and the database and storage of this server, then repeat the run.",
        )
    _log.warning("run %s did not begin (%s); placing it again", run.id, message)
    return placements.take_back(run, failed=failed)


def look_after() -> None:
    """Look at the runs that were placed and have not begun, and end what is left of those that ended.

    Often called; it looks every two seconds, from one thread of this process.
    """
    global _look_at
    if is_placed() or left_to_timekeeper() or time.monotonic() < _look_at or not _looking.acquire(blocking=False):
        return
    try:
        _look_at = time.monotonic() + (_LOOK_EVERY_S if engine_lanes() else _LOOK_IDLE_S)
        launcher = engine().launcher()
        _look_at_all(launcher)
        if launcher is not None:
            engine().nodes()
    except RemoteError as error:
        engine().failed(error)
    finally:
        _looking.release()


def _look_at_all(launcher: Launcher | None) -> None:
    global _ended_at
    waiting = placements.placed()
    for handle in set(_works_since) - {run.handle for run, _ in waiting}:
        _works_since.pop(handle, None)
    ended = placements.left_behind() if time.monotonic() >= _ended_at else []
    _ended_at = time.monotonic() + _ENDED_EVERY_S if ended else _ended_at
    for run, age_s in waiting:
        if run.engine != get_settings().engine:
            # The installation has another engine now, or this process has a setting that others do not have.
            if age_s > _OTHER_ENGINE_S:
                placements.take_back(run, failed=False)
        elif launcher is not None:
            _one(partial(_look_at_placed, launcher, run, age_s), run)
    for run in ended:
        if run.engine != get_settings().engine:
            placements.forget(run)
        elif launcher is not None:
            _one(partial(_look_at_ended, launcher, run), run)


def _one(look: Callable[[], None], run: Run) -> None:
    """Look at one run; what the engine refuses about it keeps nobody from looking at the others."""
    try:
        look()
    except RemoteError:
        raise
    except PlumblineError as error:
        _log.warning("run %s could not be looked at: %s", run.id, error)


def _look_at_placed(launcher: Launcher, run: Run, age_s: float) -> None:
    """Ask again for a run whose job has ended before it began, or say that it cannot be started."""
    sight = launcher.look(run.handle)
    engine().worked()
    if sight.state == "waiting":
        return
    if sight.state == "running":
        since = _works_since.setdefault(run.handle, time.monotonic())
        message = f"its job works, and has not begun it in {_BEGIN_S:g} s"
        if time.monotonic() - since >= _BEGIN_S and _did_not_begin(run, launcher, message, failed=True):
            launcher.end(run.handle)
    elif sight.unknown:
        # Whoever placed it may be about to ask for it; a process that was ended then never does.
        if age_s > _ASK_AGAIN_S:
            _launch(launcher, run)
    else:
        _did_not_begin(run, launcher, _last_words(launcher, run, sight), failed=not sight.blameless)


def _last_words(launcher: Launcher, run: Run, sight: Sight) -> str:
    """Return the last line that a job wrote, or what the engine says of its end."""
    try:
        return last_line(launcher.log(run.handle, _LOG_BYTES)) or sight.message
    except PlumblineError:  # the log may be gone with its node
        return sight.message


def _look_at_ended(launcher: Launcher, run: Run) -> None:
    """End the job of a run that has ended, unless it ends by itself, until the engine has none."""
    if launcher.look(run.handle).state == "gone":
        # Its monitor did the same on the node; an upload is where it was taken.
        if run.state is RunState.SUCCEEDED or not task_spec(run.task).resumable:
            remove_upload(run)
        placements.forget(run)
    elif run.started_at is None or time.time() - (run.finished_at or 0.0) > _END_S:
        launcher.end(run.handle)
    engine().worked()
