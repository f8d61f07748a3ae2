"""The queue: which run starts next. Workspaces take turns, so that none waits for all runs of another one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, func, or_, tuple_
from sqlmodel import Session, col, select

from core.access import INSTALLATION
from core.catalog.claims import new_claim
from core.catalog.clock import database_now
from core.catalog.engine import reading, writing
from core.catalog.tables import ACTIVE, QueueLock, QueueTurn, Run, RunState

__all__ = ["choose", "claim_next", "position", "waits"]


def claim_next(
    lane: str,
    limit: int | None,
    lease_s: float,
    *,
    workspace_limit: int | None = None,
    host_id: str = "",
    node: str = "",
    children_wait: bool = True,
) -> Run | None:
    """Claim the next run of a lane, unless `limit` runs of the lane are active.

    It is the longest-waiting run of the workspace whose last turn is the longest ago; one that never had a turn comes
    first, and of several the one that has waited for longer. Its time does not run yet: until its monitor begins, it
    waits.

    Parameters
    ----------
    lane : str
        The lane.
    limit : int or None
        Maximum number of active runs; None for no limit.
    lease_s : float
        Seconds until the claim expires.
    workspace_limit : int, optional
        Maximum number of active runs of one workspace.
    host_id : str, default=""
        Host that starts its process.
    node : str, default=""
        Name of this machine.
    children_wait : bool, default=True
        Whether the limits hold for runs that work for another run, too. In a lane whose runs wait for their children
        they must not: a child would wait for its parent, and the parent for the child.
    """
    if not waits(lane):  # an empty queue, the common case, must not take the write lock
        return None
    with writing(INSTALLATION) as session:
        run = choose(session, lane, limit, workspace_limit=workspace_limit, children_wait=children_wait)
        if run is not None:
            run.state, run.claim_token, run.host_id, run.node = RunState.STARTING, new_claim(), host_id, node
            run.lease_until = session.exec(select(database_now() + lease_s)).one()
            session.add(run)
    return run


def waits(lane: str) -> bool:
    """Return whether a run of a lane waits for its turn."""
    with reading(INSTALLATION) as session:
        return session.exec(select(Run.id).where(_waits(), Run.lane == lane).limit(1)).first() is not None


def choose(
    session: Session,
    lane: str,
    limit: int | None,
    *,
    workspace_limit: int | None = None,
    children_wait: bool = True,
    engine: str = "",
) -> Run | None:
    """Return the run of a lane whose turn it is, for a transaction that ends its waiting; None when none may start.

    No other process chooses a run until the transaction ends. Runs that were placed count against the limits where this
    engine, by its setting, was asked for them. The other parameters are those of `claim_next`.
    """
    session.exec(select(QueueLock).with_for_update()).one()
    workspace, child = _next(session, lane, limit, workspace_limit, children_wait, engine)
    if workspace is None:
        return None
    own = select(Run).where(_waits(), Run.lane == lane, Run.workspace == workspace)
    if child:
        own = own.where(Run.parent_id != "")
    newest = session.exec(select(func.max(QueueTurn.number)).where(QueueTurn.lane == lane)).one() or 0
    session.merge(QueueTurn(workspace=workspace, lane=lane, number=newest + 1))
    return session.exec(own.order_by(col(Run.queued_at), col(Run.id)).limit(1).with_for_update()).one()


def _waits() -> ColumnElement[bool]:
    """Whether a run waits for its turn; one that was placed had it, and waits for a node."""
    return and_(col(Run.state) == RunState.QUEUED, col(Run.placed_at).is_(None))


def _counts(engine: str) -> ColumnElement[bool]:
    """Whether a run counts against the limits: it works, or this engine was asked for it."""
    placed = and_(col(Run.state) == RunState.QUEUED, col(Run.placed_at).is_not(None), col(Run.engine) == engine)
    return or_(col(Run.state).in_(list(ACTIVE)), placed)


def _next(
    session: Session, lane: str, limit: int | None, workspace_limit: int | None, children_wait: bool, engine: str
) -> tuple[str | None, bool]:
    """Return the workspace whose turn it is, and whether only a run that works for another one may start."""
    active = select(Run.workspace, func.count()).where(_counts(engine), Run.lane == lane)
    if not children_wait:
        active = active.where(Run.parent_id == "")
    working = dict(iter(session.exec(active.group_by(col(Run.workspace)))))
    full = limit is not None and sum(working.values()) >= limit
    if full and children_wait:
        return None, False
    waiting = _waiting(session, lane)
    children = set() if children_wait else set(_waiting(session, lane, children=True))
    at_limit = {name for name, count in working.items() if workspace_limit is not None and count >= workspace_limit}
    able = [name for name in waiting if name in children or not (full or name in at_limit)]
    if not able:
        return None, False
    turns = _turns(session, lane)
    chosen = min(able, key=lambda name: (turns.get(name, 0), waiting[name][1], name))
    return chosen, full or chosen in at_limit


def _waiting(session: Session, lane: str, *, children: bool = False) -> dict[str, tuple[int, float]]:
    """Return how many runs of each workspace wait, and since when the first one does."""
    query = select(Run.workspace, func.count(), func.min(Run.queued_at)).where(_waits(), Run.lane == lane)
    if children:
        query = query.where(Run.parent_id != "")
    return {name: (count, since) for name, count, since in session.exec(query.group_by(col(Run.workspace)))}


def _turns(session: Session, lane: str) -> Mapping[str, int]:
    return dict(iter(session.exec(select(QueueTurn.workspace, QueueTurn.number).where(QueueTurn.lane == lane))))


def position(run: Run) -> int | None:
    """Return how many runs start until a queued run has, itself included, as far as is known now; None for others.

    It is 1 for the next one; one that was placed and waits for a node has no position. Which workspaces the other runs
    are of is not said, nor what they are.
    """
    if run.state is not RunState.QUEUED or run.placed_at is not None:
        return None
    earlier = select(func.count()).where(
        _waits(),
        Run.lane == run.lane,
        Run.workspace == run.workspace,
        tuple_(Run.queued_at, Run.id) < (run.queued_at, run.id),
    )
    with reading(INSTALLATION) as session:
        own = session.exec(earlier).one() + 1
        waiting, turns = _waiting(session, run.lane), _turns(session, run.lane)
    order = {name: (turns.get(name, 0), since, name) for name, (_, since) in waiting.items()}
    others = [name for name in waiting if name != run.workspace]
    # In each round every workspace that still waits has one turn; those after this one have one less until then.
    ahead = sum(
        min(waiting[name][0], own if order[name] < order.get(run.workspace, (0, run.queued_at, "")) else own - 1)
        for name in others
    )
    return own + ahead
