"""measure_latency on small graphs: what was asked for is what was done, and the report says how far to trust it."""

import contextlib
import json
import os
import time

import numpy as np
import psutil
import pytest
from onnx import TensorProto, helper

from core.edge.latency import LatencyReport, LatencySettings, measure_latency
from core.edge.latency.measuring.session import IDENTITY
from core.edge.latency.measuring.timing import measure
from core.errors import InputError, SettingsError
from tests.unit.edge.latency.conftest import children, info, model


def test_a_report_holds_together(file, quick):
    path = file("matmul")
    report = measure_latency(path, quick(batch_size=3))
    assert len(report.samples_ms) == report.requests == report.percentiles[50].n
    assert report.percentiles[50].low <= report.percentiles[50].value <= report.percentiles[50].high
    assert report.min_ms <= report.percentiles[50].value <= report.max_ms
    assert report.throughput == pytest.approx(3 * report.requests / report.elapsed_s)
    assert report.elapsed_s < 0.2 + 2 * report.max_ms / 1e3 + 0.1
    assert report.size_bytes == path.stat().st_size
    assert 0 < report.rss_before_mb < report.peak_rss_mb < report.rss_before_mb + 500
    assert report.load_ms > 0
    assert report.first_ms > 0
    assert 0 < report.harness_floor_us < 1e3 * report.max_ms
    assert report.cpu_s_per_inference > 0
    assert report.server is None
    assert report.tokenisation is None
    assert report.shortened
    assert "of 600 s" in report.shortened_text
    assert len(report.windows_ms) == 3
    assert report.curve[0][0] == 1


def test_a_report_survives_json(file, quick):
    for settings in (quick(), quick(scenario="server", latency_bound_ms=50)):
        report = measure_latency(file("matmul"), settings)
        written = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert written == report.to_dict()
        again = LatencyReport.from_dict(written)
        assert again == report
        assert again.percentiles[99.9] == report.percentiles[99.9]
        assert again.samples_ms.size == 0


def test_options_are_read_back_from_the_session(file, quick):
    report = measure_latency(
        file("matmul"),
        quick(
            intra_op_threads=2,
            inter_op_threads=2,
            execution_mode="parallel",
            graph_optimization="basic",
            memory_arena=False,
            allow_spinning=True,
        ),
    ).applied
    assert report == {
        "intra_op_threads": 2,
        "inter_op_threads": 2,
        "graph_optimization": "ORT_ENABLE_BASIC",
        "execution_mode": "ORT_PARALLEL",
        "memory_arena": False,
        "allow_spinning": True,
        "providers": ["CPUExecutionProvider"],
    }
    assert not measure_latency(file("matmul"), quick()).applied["allow_spinning"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system pins no processes")
def test_the_process_is_pinned_light_and_has_the_threads_it_was_given(file, quick):
    seen = []

    def look():
        for process in children():
            with contextlib.suppress(psutil.Error, OSError):  # it has just ended
                maps = {part.path.rsplit("/", 1)[-1].split(".")[0] for part in process.memory_maps()}
                seen.append((sorted(process.cpu_affinity()), process.environ().get("OMP_NUM_THREADS"), maps))
        return False

    report = measure_latency(file("matmul"), quick(), should_stop=look)
    cores, threads, maps = seen[-1]
    assert tuple(cores) == report.machine.pinned
    assert len(cores) == 1
    assert threads == "1"
    assert "onnxruntime_pybind11_state" in maps
    assert not {name for name in maps if name.startswith(("libtorch", "_pandas", "lib_lightgbm", "_sklearn"))}


def test_peak_memory_is_the_childs_own(file, quick):
    ballast = np.ones(400 * 2**20 // 8)  # what the parent holds must not be taken for the child's
    report = measure_latency(file("identity"), quick())
    assert ballast.nbytes / 2**20 + report.rss_before_mb > report.peak_rss_mb


def test_the_server_scenario_measures_from_when_requests_were_due(file, quick):
    report = measure_latency(file("loop"), quick(scenario="server", target_qps=300, duration_s=0.5))
    assert report.server.target_qps == 300
    assert report.server.requests == report.requests
    assert report.server.offered_qps == pytest.approx(report.requests / 0.5)
    assert report.server.service_ms > 0
    assert 0 < report.server.utilisation <= 1
    assert report.percentiles[50].value >= 0.5 * report.server.service_ms


def test_a_server_that_cannot_keep_up_is_said_to(file, quick):
    alone = measure_latency(file("loop"), quick())
    rate = 5e3 / alone.percentiles[50].value
    report = measure_latency(file("loop"), quick(scenario="server", target_qps=rate))
    assert not report.server.kept_up
    assert report.server.queue_at_end > report.requests / 2
    assert report.percentiles[50].value > 5 * alone.percentiles[50].value


@pytest.mark.nightly
def test_the_highest_rate_is_searched_within_the_time(file, quick):
    report = measure_latency(file("loop"), quick(scenario="server", latency_bound_ms=100, duration_s=0.8))
    assert len(report.server.probes) == 8
    assert report.server.max_qps == max(probe.qps for probe in report.server.probes if probe.met)
    assert report.server.latency_bound_ms == 100
    assert report.elapsed_s < 0.9
    none = measure_latency(file("loop"), quick(scenario="server", latency_bound_ms=1e-6))
    assert none.server.max_qps == 0
    assert none.server.confirmed is False


def test_offline_counts_rows(file, quick):
    report = measure_latency(file("matmul"), quick(scenario="offline", batch_size=16))
    assert report.throughput == pytest.approx(16 * report.requests / report.elapsed_s)


def test_the_warm_up_is_not_in_the_samples(tmp_path):
    calls = []

    def cold(process):
        calls.append(process)
        if len(calls) <= 10:
            time.sleep(0.02)

    phases = []
    timing = measure(
        cold,
        [None],
        lambda process: None,
        LatencySettings(warmup_s=0.3, duration_s=0.1),
        tmp_path,
        lambda step: phases.append(step.phase),
    )
    samples = np.load(tmp_path / "samples.npz")["latency"]
    assert len(samples) + timing.warmup.count == len(calls)
    assert np.percentile(samples, 90) < 10e6 < np.percentile(timing.warmup.samples_ms[:10], 10) * 1e6
    assert phases == ["floor", "warmup", "measure"]


def test_the_empty_graph_is_what_onnx_writes():
    x, y = info("x", TensorProto.FLOAT, [1]), info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    written = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    assert written.SerializeToString() == IDENTITY


def test_inputs_of_every_form(file, quick):
    strings = [{"x": np.array([["a"], ["bb"]], dtype=object)}, {"x": np.array([["ccc"]])}]
    assert measure_latency(file("strings"), quick(batch_size=2), inputs=strings).requests > 0
    assert measure_latency(file("strings"), quick()).requests > 0
    feeds = [{"x": np.ones((1, 4), np.float32)}] * 3
    assert measure_latency(file("fixed"), quick(), inputs=feeds).requests > 0
    with pytest.raises(InputError, match="cannot be run: Unexpected input data type"):
        measure_latency(file("fixed"), quick(), inputs=[{"x": np.ones((1, 4))}])
    with pytest.raises(InputError, match="type 'int'"):
        measure_latency(file("fixed"), quick(), inputs=3)
    with pytest.raises(InputError, match="no row"):
        measure_latency(file("fixed"), quick(), inputs=[])
    with pytest.raises(InputError, match="Preprocessing can be timed for texts and rows"):
        measure_latency(file("fixed"), quick(), inputs=feeds, include_preprocessing=True)
    with pytest.raises(SettingsError, match="takes batches of 1, not of 8"):
        measure_latency(file("fixed"), quick(batch_size=8))


def test_odd_names_of_inputs_are_no_problem(tmp_path, quick):
    name = "a/b c:0"
    path = tmp_path / "odd.onnx"
    path.write_bytes(
        model(
            [helper.make_node("Identity", [name], ["y"])],
            [info(name, TensorProto.FLOAT, ["n", 1])],
            [info("y", TensorProto.FLOAT, ["n", 1])],
        )
    )
    assert measure_latency(path, quick(), inputs=[{name: np.ones((5, 1), np.float32)}]).requests > 0
