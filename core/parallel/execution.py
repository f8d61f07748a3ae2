"""Does the items of a work in lanes, and returns their results in order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from core.errors import LimitError
from core.parallel.lanes import InlineLane, Lane, LostLaneError, ProcessLane
from core.parallel.messages import dumps
from core.resources import usable_cores

__all__ = ["Executor", "executor", "map_parallel"]

T = TypeVar("T")
R = TypeVar("R")


class Executor:
    """Lanes that do items, as `executor` makes them.

    Parameters
    ----------
    lanes : sequence of Lane
        The lanes.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = list(lanes)

    @property
    def count(self) -> int:
        """Number of items that are done at the same time."""
        return len(self._lanes)

    def map(
        self, function: Callable[..., R], items: Iterable[T], *, should_stop: Callable[[], bool] | None = None
    ) -> list[R]:
        """Return what a function makes of each item.

        Parameters
        ----------
        function : callable
            Function of an item and the shared arguments.
        items : iterable
            The items.
        should_stop : callable, optional
            Called before each item; once it returns True no other item is begun.

        Returns
        -------
        list
            Results in the order of the items; those of the first ones where it was stopped.

        Raises
        ------
        PlumblineError
            The error of the first item that failed; one that is not of the tree becomes an `UnexpectedError`, unless
            the items are done in this process.
        LimitError
            When all processes were ended from outside.
        """
        work = _Work(function, list(items), should_stop or (lambda: False))
        if len(self._lanes) == 1 and isinstance(self._lanes[0], InlineLane):
            work.run(self._lanes[0])
            return work.results()
        while self._lanes and work.is_open:  # again where the last lane at work was lost
            threads = [threading.Thread(target=work.run, args=(lane,), daemon=True) for lane in self._lanes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self._lanes = [lane for lane in self._lanes if lane not in work.lost]
        return work.results()


class _Work(Generic[T, R]):
    """Items, which lanes take one after the other."""

    def __init__(self, function: Callable[..., R], items: Sequence[T], should_stop: Callable[[], bool]) -> None:
        self._function = function
        self._items = items
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._next = 0
        self._returned: list[int] = []  # items whose lane was lost
        self._results: dict[int, R] = {}
        self._failures: dict[int, Exception] = {}
        self._reason = "ended before"
        self._began = False
        self.lost: list[Lane] = []

    @property
    def is_open(self) -> bool:
        """Whether there are items to do."""
        return not self._failures and (not self._began or bool(self._returned))

    def run(self, lane: Lane) -> None:
        """Do items in a lane until there is none left."""
        self._began = True
        while (index := self._take()) is not None:
            try:
                result = lane.call(self._function, self._items[index])
            except LostLaneError as error:
                with self._lock:
                    self._returned.append(index)
                    self.lost.append(lane)
                    self._reason = error.reason
                return
            except Exception as error:  # noqa: BLE001  (raised by `results`, in the thread that asked)
                self._failures[index] = error
                return
            self._results[index] = result

    def _take(self) -> int | None:
        """Return the item that is next; None when no other should be begun."""
        with self._lock:
            if self._failures:
                return None
            if self._returned:
                return self._returned.pop(0)
            if self._next >= len(self._items) or self._should_stop():
                return None
            self._next += 1
            return self._next - 1

    def results(self) -> list[R]:
        """Return the results in order, or raise the first failure."""
        if self._failures:
            raise self._failures[min(self._failures)]
        if self._returned or (self._items and not self._began):
            raise LimitError(
                f"All processes that did the work were {self._reason}; the usual cause is too little memory.",
                "Use fewer rows, or end other programs.",
            )
        return [self._results[index] for index in range(self._next)]


@contextlib.contextmanager
def executor(*, jobs: int | None = None, nodes: int = 1, shared: tuple[object, ...] = ()) -> Iterator[Executor]:
    """Start the processes of a parallel work, and end them after the block.

    Parameters
    ----------
    jobs : int, optional
        Number of processes of this machine; by default one per core. With 1, and one node, this process does the work
        itself, in a loop.
    nodes : int, default=1
        Number of nodes of the cluster to work on, this one among them.
    shared : tuple, default=()
        Further arguments of each call, such as tables and models, which each process gets once.

    Yields
    ------
    Executor

    Raises
    ------
    SettingsError
        When several nodes are requested and this process does not run on a cluster.

    See Also
    --------
    map_parallel : The same for one function.

    Examples
    --------
    >>> with executor(jobs=1, shared=(10,)) as parallel:
    ...     parallel.map(pow, [1, 2, 3])
    [1, 1024, 59049]
    """
    count = usable_cores() if jobs is None else max(1, jobs)
    if nodes == 1 and count == 1:
        yield Executor([InlineLane(shared)])
        return
    content = dumps(shared)
    with contextlib.ExitStack() as stack:
        lanes: list[Lane] = []
        if nodes > 1:
            from core.parallel.actors import lanes_on_nodes

            lanes += stack.enter_context(lanes_on_nodes(nodes, content))
        for _ in range(count):
            lane = ProcessLane(content)
            stack.callback(lane.close)
            lanes.append(lane)
        yield Executor(lanes)


def map_parallel(
    function: Callable[..., R],
    items: Iterable[T],
    *,
    jobs: int | None = None,
    nodes: int = 1,
    shared: tuple[object, ...] = (),
) -> list[R]:
    """Return what a function makes of each item, in order.

    Parameters
    ----------
    function : callable
        Function of an item and the shared arguments. Its random numbers should depend on the item alone.
    items : iterable
        The items.
    jobs : int, optional
        Number of processes of this machine; by default one per core, and none without items for them.
    nodes : int, default=1
        Number of nodes of the cluster to work on, this one among them.
    shared : tuple, default=()
        Further arguments of each call, which each process gets once.

    Raises
    ------
    PlumblineError
        The error of the first item that failed.
    SettingsError
        When several nodes are requested and this process does not run on a cluster.

    See Also
    --------
    executor : The same for several functions, and with a way to stop.

    Examples
    --------
    >>> map_parallel(abs, [-2, 3, -4], jobs=2)
    [2, 3, 4]
    """
    listed = list(items)
    count = usable_cores() if jobs is None else jobs
    with executor(jobs=min(count, max(1, len(listed))), nodes=nodes, shared=shared) as parallel:
        return parallel.map(function, listed)
