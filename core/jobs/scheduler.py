"""Starts runs that wait, and recovers runs that were lost. Any number of processes may do so at the same time."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

import psutil

from core.access import INSTALLATION, Access, limits
from core.catalog import ACTIVE, Run, RunState, checkpoints, claims, queue, runs
from core.catalog.engine import reading
from core.jobs import placing, processes, reserve
from core.jobs.context import run_dir
from core.jobs.ending import Ending, ending_by_outcome, interruption
from core.jobs.engine import engine_lanes, is_placed
from core.jobs.launchers import local
from core.jobs.outcome import read_outcome, remove_outcome
from core.jobs.run_log import LOG_NAME
from core.jobs.schedules import fire_due
from core.jobs.sweeper import remove_upload, remove_working_files
from core.jobs.task_specs import task_spec
from core.jobs.temporary import outer_environment, temporary_folder
from core.settings import get_settings

__all__ = ["close", "request_cancel", "tick"]

_lapsed_since: dict[tuple[str, float | None], float] = {}
"""When this process first saw that a lease had expired, by the run and the lease, on its monotonic clock."""


def tick() -> None:
    """Recover lost runs, end those whose parent ended, queue those that are due, start waiting ones up to the limits.

    Cheap when there are none. In the process of a run that an engine has placed it does nothing: the machine is not
    this installation's alone, and what it has is the engine's to give.
    """
    if is_placed():
        return
    local.reap()
    _recover_lost(runs.lapsed())
    while left_alone := runs.left_alone():
        for run in left_alone:
            request_cancel(run)
    fire_due(time.time())
    placing.look_after()
    settings = get_settings()
    # Lanes of their own, so that an import does not wait half an hour for a search, nor a step for its pipeline.
    allowed = limits()
    for lane, limit, own, children_wait in (
        ("short", settings.max_running_short, allowed.running_short, True),
        ("long", settings.most_running, allowed.running, True),
        ("pipeline", settings.max_running_pipelines, allowed.running, False),
    ):
        if lane in engine_lanes():
            placing.place_waiting(lane, limit, own)
            continue
        while claimed := queue.claim_next(
            lane,
            limit,
            settings.lease_s,
            workspace_limit=own,
            host_id=processes.host_id(),
            node=processes.node_name(),
            children_wait=children_wait,
        ):
            _start(claimed)


def request_cancel(run: Run, *, by: Access | None = None) -> None:
    """Cancel a run that waits, and ask the monitor of one that works to end it; an ended one is not changed.

    Parameters
    ----------
    run : Run
        The run.
    by : Access, optional
        Access of the person who cancels it, which is recorded; by default the engine does.
    """
    now, access = time.time(), by or Access.engine(run.workspace)
    action = None if by is None else "cancel"
    while not (  # between two of these checks it may have started, ended, or been queued again
        runs.change_state(
            run.id,
            [RunState.QUEUED],
            RunState.CANCELLED,
            cancel_requested_at=now,
            finished_at=now,
            action=action,
            access=access,
        )
        or runs.set_fields(run.id, ACTIVE, cancel_requested_at=now, action=action, access=access)
        or runs.get(run.id, access=access).state.terminal
    ):
        pass


def _start(run: Run) -> None:
    folder, access = run_dir(run.id), Access.engine(run.workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reserve.reserve()
        with open(folder / LOG_NAME, "ab") as log:
            pid = local.start_monitor(run.id, log.fileno(), os.environ | _environment(run))
    except OSError as error:
        runs.change_state(
            run.id,
            [RunState.STARTING],
            RunState.FAILED,
            claim=run.claim_token,
            finished_at=time.time(),
            error_message=f"The run could not be started: {error.strerror or error}.",
            error_hint="Check the disk space and the permissions of the data folder, then repeat the run.",
            access=access,
        )
        return
    # With its identity, a monitor that is slow to start is not considered lost when the lease runs out.
    with contextlib.suppress(psutil.NoSuchProcess):
        _, created = processes.identity(pid)
        starting = [RunState.STARTING]
        runs.set_fields(
            run.id, starting, access=access, claim=run.claim_token, monitor_pid=pid, monitor_created=created
        )


def _environment(run: Run) -> dict[str, str]:
    """Return the mark of the run's processes, and this process's settings: the child uses the same catalog."""
    settings = get_settings()
    return {
        "PYTHONUNBUFFERED": "1",
        processes.MARK: run.id,
        processes.CLAIM: run.claim_token or "",
        "PLUMBLINE_HOME": str(settings.home.absolute()),
        "PLUMBLINE_DATABASE": settings.database_url,
        # A folder in the home is not named: a storage that is named is one that other hosts may use.
        **({} if settings.storage is None else {"PLUMBLINE_STORAGE": settings.storage_url}),
        **outer_environment(),
    }


def _recover_lost(lapsed: list[Run]) -> None:
    """Recover those of the runs whose lease has expired that are lost."""
    now, keys = time.monotonic(), {(run.id, run.lease_until) for run in lapsed}
    for key in [key for key in _lapsed_since if key not in keys]:
        _lapsed_since.pop(key, None)
    for run in lapsed:
        seen_s = now - _lapsed_since.setdefault((run.id, run.lease_until), now)
        if _is_lost(run, seen_s):
            _recover(run)


def _is_lost(run: Run, seen_s: float) -> bool:
    """Return whether the monitor of a run is gone, whose lease expired at least `seen_s` seconds ago.

    A pid has a meaning on its own host only. Of a monitor elsewhere only the lease is known: it is taken for lost when
    it has been silent for another lease, so that a database that was away, or whose clock was set, does not end it.
    """
    if run.host_id not in ("", processes.host_id()):
        return seen_s >= get_settings().lease_s
    # Slow is not lost (a suspended laptop, a busy disk): such a monitor renews its lease when it wakes.
    return not processes.is_alive(run.monitor_pid, run.monitor_created)


def _recover(run: Run) -> None:
    """Close a run whose monitor is lost, or queue it again if its task is resumable or begins anew."""
    settings = get_settings()
    last_seen = (run.lease_until or time.time()) - settings.lease_s
    claim = claims.take_over(run, settings.lease_s)
    if claim is None:
        return
    processes.end(lambda: processes.marked(run.id, run.claim_token), grace_s=0)
    outcome = read_outcome(run_dir(run.id), run.attempt)
    if outcome is None:  # else the work was done, and only its monitor did not live to say so
        ending = interruption("The run's process is gone: the computer restarted, or someone ended it.")
    else:
        ending = ending_by_outcome(outcome)
    finished_at = max(last_seen, run.started_at or last_seen)
    close(run, claim, ending, finished_at=finished_at, never_started=run.state is RunState.STARTING)


def close(run: Run, claim: str, ending: Ending, *, never_started: bool = False, **fields: claims.RunField) -> bool:
    """Write how a run ended, if the claim holds it; one that was interrupted is queued again if that makes sense.

    Parameters
    ----------
    run : Run
        The run.
    claim : str
        Token of the claim that must hold it.
    ending : Ending
        Ending of the run.
    never_started : bool, default=False
        Whether no work has been done in this attempt, so that any task may be started again.
    **fields
        Other columns by name.

    Returns
    -------
    bool
        Whether the claim held the run.
    """
    settings, spec = get_settings(), task_spec(run.task)
    with reading(INSTALLATION) as session:  # no write before the one that ends it: the disk may be full
        row = session.get(Run, run.id)
    if row is None or row.claim_token != claim:
        return False
    interrupted = ending.state is RunState.INTERRUPTED
    again = interrupted and run.attempt < settings.max_attempts and (never_started or spec.resumable or spec.restarts)
    # Before the next attempt can begin, which has the same folders.
    shutil.rmtree(temporary_folder(run.id), ignore_errors=True)
    if ending.state is RunState.SUCCEEDED or not (spec.resumable or again):
        remove_working_files(run_dir(run.id))
        checkpoints.remove(run.id)
    if not (spec.resumable or again):
        remove_upload(run)
    if interrupted:
        closed = claims.release(run.id, claim, again=again, **fields, **ending.fields()) is not None
    else:
        access = Access.engine(run.workspace)
        closed = runs.change_state(
            run.id, ACTIVE, ending.state, access=access, claim=claim, action=None, **fields, **ending.fields()
        )
    if closed:
        remove_outcome(run_dir(run.id), run.attempt)
    return closed
