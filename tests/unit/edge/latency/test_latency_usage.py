"""A machine that other processes use is called busy, and a model whose time drifts is not called stable."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from core.edge.latency import LatencyReport, LatencySettings, measure_latency
from core.edge.latency.facts import Warmup
from core.edge.latency.measure import build_report
from core.edge.latency.measuring.usage import Others
from core.edge.latency.messages import LoadedModel, Measured, Timing


@pytest.fixture
def neighbor():
    """Another process that takes a whole core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    time.sleep(0.3)
    yield
    process.kill()
    process.wait()


def test_what_others_take_is_counted_and_ones_own_is_not(neighbor):
    others = Others()
    end = time.perf_counter() + 0.8
    while time.perf_counter() < end:
        pass
    taken = others.cores()
    if taken is None:
        pytest.skip("this system does not count processor time")
    assert taken > 0.3
    assert taken < (os.cpu_count() or 1) + 0.1


def test_a_busy_machine_is_flagged(neighbor, file, quick):
    machine = measure_latency(file("matmul"), quick(duration_s=0.6)).machine
    if machine.others_cpu is None:
        pytest.skip("this system does not count processor time")
    assert machine.others_cpu > 0.3
    assert machine.busy


@pytest.mark.parametrize(
    ("last_ms", "others", "stable", "busy"),
    [(1.05, 0.02, True, False), (1.2, 0.2, False, True), (1.0, None, True, False)],
)
def test_a_report_judges_drift_and_company(tmp_path, last_ms, others, stable, busy):
    service = (np.repeat([1.0, 1.0, last_ms], 100) * 1e6).astype(np.int64)
    np.savez(tmp_path / "samples.npz", latency=service, service=service, started=np.cumsum(service) - service)
    model = LoadedModel(load_ms=1.0, first_ms=2.0, rss_before_mb=1.0, applied={}, onnxruntime=None, tokens=None)
    timing = Timing(
        warmup=Warmup(1, (2.0,)),
        floor_us=3.0,
        elapsed_s=0.3,
        served=300,
        cpu_s=0.3,
        others_cpu=others,
        peak_rss_mb=2.0,
        server=None,
    )
    report = build_report(
        Measured(model, timing),
        tmp_path,
        LatencySettings(),
        0.5,
        [0],
        name="m",
        kind="onnx",
        size_bytes=1,
        preprocessing=False,
    )
    assert isinstance(report, LatencyReport)
    assert (report.stable, report.machine.busy) == (stable, busy)
    assert report.windows_ms == (1.0, 1.0, last_ms)
    assert report.cpu_s_per_inference == pytest.approx(0.001)
