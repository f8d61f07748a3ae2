"""The measuring process is ended when it takes too much, when it is stopped, and when it dies it says of what."""

import os
import signal
import time
from threading import Timer

import psutil
import pytest

from core.edge.latency import LatencySettings, Limits, measure_latency, process
from core.edge.latency.messages import Job
from core.edge.latency.process import describe_exit, run_in_child
from core.errors import InputError, LimitError, SettingsError, StoppedError, UnexpectedError
from tests.unit.edge.latency.conftest import children, filler


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = {child.pid for child in psutil.Process().children()}
    yield
    assert {child.pid for child in psutil.Process().children()} <= before  # zombies count, too


def when(phase_seen, act):
    """Return `report` and `should_stop` that act once a phase was reported."""
    seen = []

    def should_stop():
        return phase_seen in seen and act()

    return {"report": lambda event: seen.append(event.phase), "should_stop": should_stop}


def test_stopping_ends_the_process(file, quick):
    began, pids = time.monotonic(), []

    def stop():
        pids.extend(child.pid for child in children())
        return True

    with pytest.raises(StoppedError) as caught:
        measure_latency(file("matmul"), quick(duration_s=60), **when("measure", stop))
    assert caught.value.hint
    assert time.monotonic() - began < 30
    assert len(pids) == 1
    assert not psutil.pid_exists(pids[0])


def test_a_crash_is_named(file, quick):
    def crash():
        for child in children():
            os.kill(child.pid, signal.SIGSEGV)
        return False

    with pytest.raises(InputError, match=r"crashed its process .*Segmentation fault"):
        measure_latency(file("matmul"), quick(duration_s=30), **when("measure", crash))


def test_being_killed_from_outside_reads_as_out_of_memory(file, quick):
    def kill():
        for child in children():
            os.kill(child.pid, signal.SIGKILL)
        return False

    with pytest.raises(LimitError, match="was killed"):
        measure_latency(file("matmul"), quick(duration_s=30), **when("measure", kill))


def test_too_much_memory_is_refused(file, quick):
    with pytest.raises(LimitError, match="more than 300 MB"):
        measure_latency(file("filler"), quick(), limits=Limits(memory_mb=300))


def test_one_huge_allocation_fails_at_once(tmp_path, quick):
    path = tmp_path / "huge.onnx"
    path.write_bytes(filler(2_000_000))
    with pytest.raises(LimitError, match="more than 512 MB"):
        measure_latency(path, quick(), limits=Limits(memory_mb=512))


def test_a_run_that_never_ends_is_ended(file, quick, monkeypatch):
    monkeypatch.setattr(process, "_GRACE_S", 0.3)
    with pytest.raises(LimitError, match=r"One run takes longer than the measurement lasts"):
        measure_latency(file("endless"), quick())


def test_a_slow_start_is_ended(file, quick):
    with pytest.raises(LimitError, match=r"not loaded within 0\.05 s"):
        measure_latency(file("matmul"), quick(), limits=Limits(load_s=0.05))


@pytest.mark.nightly
def test_a_start_may_take_longer_than_what_is_measured(file, quick, monkeypatch):
    """Where libraries load slowly, its own limit holds."""
    monkeypatch.setattr(process, "_GRACE_S", 0.3)
    paused = []

    def pause():
        if not paused:
            (child,) = children()
            paused.append(child.pid)
            child.suspend()
            Timer(6, child.resume).start()
        return False

    assert measure_latency(file("matmul"), quick(duration_s=0.5), **when("start", pause)).requests > 0
    assert paused


def test_a_process_that_ended_itself_for_lack_of_a_parent_is_named():
    assert describe_exit(-signal.SIGALRM).message == "The measurement did not end in time."


def test_errors_of_the_process_are_raised_again_as_they_were(tmp_path):
    options = {"duration_s": 1.0, "limits": Limits()}
    with pytest.raises(SettingsError, match="Unknown operation 'onyx'") as caught:
        run_in_child(Job("onyx", LatencySettings()), tmp_path, dict, **options)
    assert "Did you mean 'onnx'?" in caught.value.hint
    # A defect is named by its error, and not taken for a model that cannot be run.
    with pytest.raises(UnexpectedError, match="FileNotFoundError"):
        run_in_child(Job("onnx", LatencySettings(), path="/absent.onnx"), tmp_path, dict, **options)
    assert "exit status 3" in describe_exit(3).message


def test_what_the_runtime_says_is_passed_on(tmp_path, quick):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model at all")
    with pytest.raises(InputError, match="cannot be run") as caught:
        measure_latency(path, quick())
    assert "ONNXRuntimeError" not in caught.value.message
    with pytest.raises(InputError, match=r"no file 'absent\.onnx'"):
        measure_latency(tmp_path / "absent.onnx", quick())


def test_progress_comes_in_order_and_grows(file, quick):
    events = []
    measure_latency(file("matmul"), quick(duration_s=0.8), report=events.append)
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert events[-1].fraction == 1
    assert "measure" in [event.phase for event in events]
    assert all(event.message for event in events)
