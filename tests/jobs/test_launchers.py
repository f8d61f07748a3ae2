"""What every engine has to do, tested on each: the same tests against a fake command line and a fake API server.

An engine of another kind joins by a function that yields an `Engine`, and its name in `ENGINES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import JobError, RemoteError
from core.jobs.launchers.base import Nodes, Sight
from core.jobs.needs import Needs
from tests.jobs.launcher_engines import CPUS, GPUS, MEMORY_MB, PASSWORD, Engine, kubernetes, slurm

ENGINES = {"slurm": slurm, "kubernetes": kubernetes}
ALL = Needs(cpus=CPUS, memory_mb=1_000)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with ENGINES[request.param](tmp_path) as (under_test, _):
        yield under_test


@pytest.fixture
def seen(until: Callable[..., object], engine: Engine) -> Callable[[str, str], Sight]:
    """``seen(handle, state)`` waits until the engine says that a job is in a state, and returns what it says."""

    def wait(handle: str, state: str) -> Sight:
        sights: list[Sight] = []
        until(lambda: sights.append(engine.launcher.look(handle)) or sights[-1].state == state)
        return sights[-1]

    return wait


def begun(engine: Engine, name: str) -> bool:
    return engine.starts(name) > 0


def test_a_job_waits_works_and_is_gone(engine, seen, until):
    first = engine.launch("first", ALL)
    seen(first, "running")
    second = engine.launch("second", ALL)
    waiting = engine.launcher.look(second)
    assert waiting.state == "waiting"
    until(lambda: begun(engine, "first"))
    engine.finish("first")
    assert not seen(first, "gone").blameless
    assert seen(second, "running").message == ""
    until(lambda: begun(engine, "second"))
    engine.finish("second", 3)
    sight = seen(second, "gone")
    assert sight.message
    assert not sight.blameless
    assert engine.starts("first") == engine.starts("second") == 1


def test_the_reason_of_a_job_that_waits_is_named(engine, seen, until):
    if not engine.explains_waiting:
        pytest.skip("the engine does not say why a job waits")
    seen(engine.launch("first", ALL), "running")
    second = engine.launch("second", ALL)
    seen(second, "waiting")
    message = until(lambda: engine.launcher.look(second).message)  # a scheduler needs a moment to know it
    assert "\n" not in message
    assert len(message) <= 300


def test_a_job_that_waits_is_ended(engine, seen):
    first = engine.launch("first", ALL)
    seen(first, "running")
    second = engine.launch("second", ALL)
    if not engine.ends_waiting:
        pytest.skip("the engine cannot end what waits")
    engine.launcher.end(second)
    seen(second, "gone")
    engine.launcher.end(first)
    seen(first, "gone")
    assert engine.starts("second") == 0


def test_a_job_that_works_is_asked_to_end(engine, seen, until):
    handle = engine.launch("first")
    seen(handle, "running")
    until(lambda: begun(engine, "first"))
    engine.launcher.end(handle)
    until(lambda: (engine.node / "first.ended").exists())
    seen(handle, "gone")
    engine.launcher.end(handle)


def test_launching_again_changes_nothing(engine, seen, until):
    handle = engine.launch("first")
    engine.launch("first")
    seen(handle, "running")
    until(lambda: begun(engine, "first"))
    engine.launch("first")
    engine.finish("first")
    seen(handle, "gone")
    engine.launch("first")
    assert engine.launcher.look(handle).state == "gone"
    time.sleep(0.2)
    assert engine.starts("first") == 1


def test_a_job_that_the_engine_does_not_know_is_gone(engine):
    sight = engine.launcher.look("plumbline-nobody")
    assert sight.state == "gone"
    assert "does not know the job" in sight.message
    assert not sight.blameless
    engine.launcher.end("plumbline-nobody")
    assert engine.launcher.log("plumbline-nobody", 100) == ""


def test_an_engine_that_is_away_is_asked_again_later(engine):
    handle = engine.launch("first")
    engine.stop()
    calls: list[Callable[[], object]] = [
        lambda: engine.launch("second"),
        lambda: engine.launcher.look(handle),
        lambda: engine.launcher.end(handle),
        lambda: engine.launcher.nodes(),
    ]
    for call in calls:
        with pytest.raises(RemoteError, match="cannot be reached") as error:
            call()
        assert error.value.hint


def test_needs_that_no_node_can_hold_are_refused(engine):
    nodes = engine.launcher.nodes()
    assert Nodes(nodes=nodes.nodes).can_hold(ALL)
    assert not Nodes(nodes=nodes.nodes).can_hold(Needs(cpus=CPUS + 1))
    assert not Nodes(nodes=nodes.nodes).can_hold(Needs(gpus=GPUS + 1))
    assert not Nodes(nodes=nodes.nodes).can_hold(Needs(memory_mb=2 * MEMORY_MB))
    if engine.refused is not None:
        with pytest.raises(JobError, match=r"did not start a job: .*not available"):
            engine.launch("first", engine.refused)
        assert engine.launcher.look("plumbline-first").state == "gone"
    else:
        handle = engine.launch("first", Needs(cpus=CPUS + 1))
        assert engine.launcher.look(handle).state == "waiting"


def used(engine: Engine) -> tuple[float, float, float]:
    """Return what jobs have of the one node; an engine that does not say counts as nothing."""
    (node,) = engine.launcher.nodes().nodes
    return node.used_cpus or 0, node.used_gpus or 0, node.used_memory_mb or 0


def test_the_node_and_what_jobs_have_of_it(engine, seen, until):
    (node,) = engine.launcher.nodes().nodes
    assert node.name
    assert (node.cpus, node.gpus, node.memory_mb) == (CPUS, GPUS, MEMORY_MB)
    assert used(engine) == (0, 0, 0)
    handle = engine.launch("first", Needs(cpus=3, gpus=1, memory_mb=2_000))
    seen(handle, "running")
    until(lambda: used(engine) == (3, 1, 2_000))
    until(lambda: begun(engine, "first"))
    engine.finish("first")
    seen(handle, "gone")
    until(lambda: used(engine) == (0, 0, 0))


def test_the_log_has_what_the_command_wrote(engine, seen, until):
    claim = 'it\'s "quoted" $HOME $(HOSTNAME) $$ \\ ü'
    handle = engine.launch("first", PLUMBLINE_RUN_CLAIM=claim)
    seen(handle, "running")
    until(lambda: engine.launcher.log(handle, 10_000).endswith(f"begins first {claim}\n"))
    assert engine.launcher.log(handle, 5) == "\\ ü\n"
    engine.launcher.end(handle)


def test_no_secret_of_the_settings_is_given_to_the_engine(engine, seen):
    if engine.submitted is None:
        pytest.skip("nobody can look at what the engine got")
    seen(engine.launch("first", PLUMBLINE_RUN_CLAIM="a1b2"), "running")
    text = engine.submitted()
    assert "a1b2" in text
    assert PASSWORD not in text
    assert "postgresql" not in text


def test_titles_can_stand_in_sentences(engine):
    assert engine.launcher.title.startswith("the ")
