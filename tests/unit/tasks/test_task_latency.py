"""A text model's way to the edge as runs: export, int8, measured beside the model as it was trained."""

import json
import time

import pandas as pd
import pytest

from core import exports, jobs
from core.access import LOCAL
from core.catalog import RunState
from core.edge.latency import LatencySettings, LatencySuiteSettings
from core.errors import InputError
from core.tasks import latency

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tuned(stocked):
    return jobs.get(stocked.text, access=LOCAL)


@pytest.fixture(scope="module")
def exported(stocked):
    return jobs.get(stocked.text_export, access=LOCAL)


@pytest.fixture(scope="module")
def measured(stocked):
    run = jobs.get(stocked.text_measured, access=LOCAL)
    return run, json.loads(jobs.artifact_path(run.id, latency.LATENCY, access=LOCAL).read_text())


def test_a_text_model_is_proven_quantised_and_compared(tuned, exported):
    record = exports.read(exported, access=LOCAL)
    test = pd.read_parquet(jobs.artifact_path(tuned.id, "test.parquet", access=LOCAL))
    assert record.kind == "text"
    assert record.rows.held_out == len(test)
    by_name = {variant.name: variant for variant in record.variants}
    assert list(by_name) == ["fp32", "dynamic-int8", "fp16"]
    assert len(record.made) == 3
    # The accuracy of the file on the test texts is what the training computed with torch.
    known = json.loads(jobs.artifact_path(tuned.id, "result.json", access=LOCAL).read_text())["test_metrics"][
        "accuracy"
    ]
    assert by_name["fp32"].metrics["accuracy"].value == pytest.approx(known["value"])
    assert by_name["dynamic-int8"].size_bytes < by_name["fp32"].size_bytes
    assert by_name["dynamic-int8"].comparison.n == len(test)


def test_every_figure_is_stored(measured, stocked):
    run, result = measured
    assert set(result["reports"]) == {"fp32", "dynamic-int8"}
    assert result["native"]["kind"] == "text"
    assert result["with_preprocessing"]["preprocessing"] is True
    with_objective = json.loads(jobs.artifact_path(stocked.measured, latency.LATENCY, access=LOCAL).read_text())
    assert set(with_objective["slo"]) == set(with_objective["reports"]) == {"fp32"}
    assert {row["sequence_length"] for row in result["sweep"]} == {8, 16}
    assert all(row["accuracy"] is not None for row in result["sweep"])
    assert result["errors"] == []
    assert result["export"] == run.settings["export"]


def test_every_request_is_stored(measured):
    run, result = measured
    samples = pd.read_parquet(jobs.artifact_path(run.id, latency.SAMPLES, access=LOCAL))
    counts = samples["variant"].value_counts()
    for name, report in result["reports"].items():
        assert counts[name] == report["requests"]
        part = samples.loc[samples["variant"] == name, "ms"]
        assert part.max() == pytest.approx(report["max_ms"])
        assert report["min_ms"] <= part.median() <= report["max_ms"]


@pytest.mark.nightly
def test_a_measurement_that_is_stopped_keeps_what_it_has(exported):
    settings = LatencySuiteSettings(
        variants=("fp32",), latency=LatencySettings(duration_s=1), sweep={"batch_size": [*range(1, 90)]}
    )
    run_id = latency.submit(exported, settings, access=LOCAL)
    deadline = time.monotonic() + 60
    while not any("of 89" in event.message for event in jobs.events(run_id, access=LOCAL)):
        assert time.monotonic() < deadline, jobs.log(run_id, access=LOCAL)
        time.sleep(0.1)
    jobs.stop(run_id, access=LOCAL)
    run = jobs.wait(run_id, 30, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    values = json.loads(jobs.artifact_path(run_id, latency.LATENCY, access=LOCAL).read_text())
    assert values["stopped"] is True
    assert list(values["reports"]) == ["fp32"]


def test_a_variant_that_is_not_there_is_refused_before_anything_is_queued(exported):
    with pytest.raises(InputError, match="There is no variant 'static-int8-u8s8'"):
        latency.submit(exported, LatencySuiteSettings(variants=("static-int8-u8s8",)), access=LOCAL)
