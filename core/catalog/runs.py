"""Queries over runs. Every change of state is a compare-and-set, so that it happens once.

A run may work for another one, its *parent*, such as a step for its pipeline: it goes with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import String, Update, and_, cast, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from core.access import INSTALLATION, Access
from core.catalog import audit, references
from core.catalog._waiting import require_place
from core.catalog.access_tables import REMOVED, Workspace
from core.catalog.claims import RunField
from core.catalog.clock import database_now
from core.catalog.engine import reading, writing
from core.catalog.hidden import ALL_ROWS
from core.catalog.queue import claim_next
from core.catalog.queue import position as queue_position
from core.catalog.tables import (
    ACTIVE,
    TERMINAL,
    Run,
    RunArtifact,
    RunState,
)
from core.errors import not_found

__all__ = [
    "add",
    "change_state",
    "children",
    "claim_next",
    "find",
    "get",
    "lapsed",
    "left_alone",
    "queue_position",
    "set_fields",
    "titles",
    "unfinished",
    "with_ids",
]


_IDS_AT_A_TIME = 500


def add(run: Run, *, artifacts: Collection[RunArtifact] = (), waiting_limit: int | None = None, access: Access) -> Run:
    """Store a new run. The contents that its settings name stay as long as its row.

    Parameters
    ----------
    run : Run
        The run.
    artifacts : collection of RunArtifact, default=()
        Files of a run that has ended already.
    waiting_limit : int, optional
        Maximum number of runs of the workspace that wait; those that work for another run do not count.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When as many wait already.
    """
    with writing(access) as session:
        session.add(run)
        session.flush()  # what belongs to it names it
        session.add_all(artifacts)
        references.replace(session, run.id, references.named_in(run.settings), access=access)
        if run.state is RunState.QUEUED and not run.parent_id:  # steps of a pipeline go with it
            audit.note(session, "run", run.title or run.task, access=access, task=run.task, id=run.id)
            require_place(session, waiting_limit, access=access)
    return run


def get(run_id: str, *, access: Access) -> Run:
    """Return a run.

    Raises
    ------
    NotFoundError
        When the workspace does not have this run.
    """
    with reading(access) as session:
        run = session.get(Run, run_id)
    if run is None or run.workspace != access.workspace:
        raise not_found("run", run_id, "It may have been deleted. The Runs page lists all runs.")
    return run


def find(
    *,
    task: str | None = None,
    dataset_id: str | None = None,
    states: Iterable[RunState] | None = None,
    parents_only: bool = False,
    result_names: str | None = None,
    settings_name: str | None = None,
    limit: int = 200,
    access: Access,
) -> list[Run]:
    """Return matching runs of a workspace, newest first.

    Parameters
    ----------
    access : Access
        The workspace, and who acts in it.
    task : str, optional
        Kind of the runs.
    dataset_id : str, optional
        Dataset that they work on.
    states : iterable of RunState, optional
        States that they may be in.
    parents_only : bool, default=False
        Whether runs that work for another run, such as the steps of a pipeline, are left out.
    result_names : str, optional
        Id of a row that their results name.
    settings_name : str, optional
        Id of a row that their settings name.
    limit : int, default=200
        Maximum number of runs.
    """
    query = select(Run).where(Run.workspace == access.workspace)
    if task is not None:
        query = query.where(Run.task == task)
    if dataset_id is not None:
        query = query.where(Run.dataset_id == dataset_id)
    if states is not None:
        query = query.where(col(Run.state).in_(list(states)))
    if parents_only:
        query = query.where(Run.parent_id == "")
    if result_names is not None:
        query = query.where(cast(col(Run.result), String).contains(f'"{result_names}"', autoescape=True))
    if settings_name is not None:
        query = query.where(cast(col(Run.settings), String).contains(f'"{settings_name}"', autoescape=True))
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Run.created_at).desc()).limit(limit)))


def children(run_id: str, *, access: Access) -> list[Run]:
    """Return the runs that work for a run, the first one first."""
    query = select(Run).where(Run.parent_id == run_id, Run.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Run.created_at), col(Run.id))))


def titles(run_ids: Iterable[str], *, access: Access) -> dict[str, str]:
    """Return the titles of runs by id; those that the workspace does not have are left out."""
    query = select(Run.id, Run.title).where(col(Run.id).in_(sorted(set(run_ids))), Run.workspace == access.workspace)
    with reading(access) as session:
        return dict(iter(session.exec(query)))


def unfinished() -> list[Run]:
    """Return the runs of all workspaces that wait or work."""
    query = select(Run).where(col(Run.state).in_([RunState.QUEUED, *ACTIVE]))
    with reading(INSTALLATION) as session:
        return list(session.exec(query))


def with_ids(run_ids: Iterable[str]) -> list[Run]:
    """Return the runs of all workspaces that have one of these ids, also deleted ones that can be had back."""
    ids = sorted(run_ids)
    with reading(INSTALLATION) as session:  # in parts: databases limit the parameters of a statement
        return [
            run
            for start in range(0, len(ids), _IDS_AT_A_TIME)
            for run in session.exec(
                select(Run).where(col(Run.id).in_(ids[start : start + _IDS_AT_A_TIME])), execution_options=ALL_ROWS
            )
        ]


def left_alone() -> list[Run]:
    """Return unfinished runs of all workspaces that nobody waits for any more; those being cancelled are left out.

    They work for a run that ended or is being cancelled, or their workspace is being removed.
    """
    parent = aliased(Run)
    query = (
        select(Run)
        .outerjoin(parent, col(parent.id) == col(Run.parent_id))
        .outerjoin(Workspace, col(Workspace.workspace) == col(Run.workspace))
        .where(
            col(Run.state).in_([RunState.QUEUED, *ACTIVE]),
            col(Run.cancel_requested_at).is_(None),
            or_(
                col(Workspace.kind) == REMOVED,
                and_(
                    col(Run.parent_id) != "",
                    or_(
                        col(parent.id).is_(None),
                        col(parent.state).in_(list(TERMINAL)),
                        col(parent.cancel_requested_at).is_not(None),
                    ),
                ),
            ),
        )
    )
    with reading(INSTALLATION) as session:
        return list(session.exec(query))


def change_state(
    run_id: str,
    expected: Iterable[RunState],
    state: RunState,
    *,
    access: Access,
    claim: str | None = None,
    action: str | None = None,
    **fields: RunField,
) -> bool:
    """Move a run to `state` if it is in one of the `expected` states; return whether it was.

    Parameters
    ----------
    run_id : str
        Id of the run.
    expected : iterable of RunState
        States that it may be in.
    state : RunState
        State that it is moved to. Where no work is done in it, nobody holds the run any longer.
    claim : str, optional
        Token of the claim that must hold the run.
    action : str, optional
        Action of a person that the audit log records with the change (`core.catalog.audit.ACTIONS`).
    access : Access
        The workspace, and who acts in it.
    **fields
        Other columns by name.
    """
    if state not in ACTIVE:
        fields |= {"claim_token": None, "lease_until": None}
    return _changed(_of(run_id, expected, claim, access).values(state=state, **fields), access, run_id, action)


def set_fields(
    run_id: str,
    expected: Iterable[RunState],
    *,
    access: Access,
    claim: str | None = None,
    action: str | None = None,
    **fields: RunField,
) -> bool:
    """Change fields of a run other than its state, as `change_state` does; return whether it was in a state for it."""
    return _changed(_of(run_id, expected, claim, access).values(**fields), access, run_id, action)


def _of(run_id: str, expected: Iterable[RunState], claim: str | None, access: Access) -> Update:
    own = col(Run.id) == run_id, col(Run.workspace) == access.workspace
    statement = update(Run).where(*own, col(Run.state).in_(list(expected)))
    return statement if claim is None else statement.where(col(Run.claim_token) == claim)


def _changed(statement: Update, access: Access, run_id: str, action: str | None) -> bool:
    with writing(access) as session:
        changed = bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]
        if changed and action is not None:
            run = session.get_one(Run, run_id)
            audit.note(session, action, run.title or run.task, access=access, task=run.task, id=run_id)
    return changed


def lapsed() -> list[Run]:
    """Return the active runs of all workspaces whose lease has expired by the database's clock."""
    expired = or_(col(Run.lease_until) < database_now(), col(Run.lease_until).is_(None))
    query = select(Run).where(col(Run.state).in_(list(ACTIVE)), expired)
    with reading(INSTALLATION) as session:
        return list(session.exec(query))
