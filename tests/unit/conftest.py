"""What the tests of several packages share: a search that is watched."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
import psutil
import pytest

from core import fork_server
from core.automl import AutoMLResult, AutoMLSettings, search
from core.progress import Event
from tests.unit.pipelines.shipped_chain import Chain, make_chain

_OWN = ("workdir", "should_stop", "clock", "configs", "earlier")  # arguments of `search` itself

collect_ignore = ["automl/extension.py"]  # importing it adds its records, also when doctests are looked for


class Searched(NamedTuple):
    """A search that is over: what it was given, told and found."""

    result: AutoMLResult
    frame: pd.DataFrame
    events: list[Event]
    left: list[psutil.Process]

    @property
    def trial_events(self) -> list[Event]:
        """The events of trials."""
        return [event for event in self.events if "trial" in event.values]


def helper_processes() -> list[psutil.Process]:
    """Return the processes of searches that this process has started and that are alive, without their fork server."""
    this = psutil.Process()
    alive = [child for child in this.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    return [
        child
        for child in alive
        if any("core.automl." in part for part in child.cmdline())
        and not (child.ppid() == this.pid and fork_server.SERVER in child.cmdline())
    ]


@pytest.fixture(scope="session")
def helpers() -> Any:
    """``helpers()`` lists the processes of searches that are alive."""
    return helper_processes


@pytest.fixture(scope="session")
def shipped_chain(shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """What the shipped components of pipelines made of German credit, up to a model; nobody changes it."""
    made: Chain = shared("shipped-chain", lambda: make_chain(tmp_path_factory.mktemp("shipped") / "chain"))
    return made


@pytest.fixture(scope="session")
def run_search() -> Any:
    """``run_search(frame, settings..., workdir=...)`` searches and keeps what it told and left behind."""

    def run(frame: pd.DataFrame, *, watch: Any = None, **values: Any) -> Searched:
        events: list[Event] = []

        def report(event: Event) -> None:
            events.append(event)
            if watch is not None:
                watch(event)

        own = {name: values.pop(name) for name in _OWN if name in values}
        result = search(frame, AutoMLSettings(**values), report=report, **own)
        return Searched(result, frame, events, helper_processes())

    return run
