"""An objective is met, not met, or cannot be told yet."""

from dataclasses import replace

import pytest

from core.edge.latency import LatencySettings, Percentile, Slo, measure_latency, measure_slo, verdict
from core.errors import SettingsError

SLO = Slo(bound_ms=10, qps=100)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    from tests.unit.edge.latency.conftest import matmul

    path = tmp_path_factory.mktemp("slo") / "matmul.onnx"
    path.write_bytes(matmul())
    settings = LatencySettings(scenario="server", target_qps=100, warmup_s=0.05, duration_s=0.2)
    return measure_latency(path, settings), path


def altered(report, percentile, **server):
    return replace(
        report,
        percentiles=report.percentiles | {99: percentile},
        server=replace(report.server, **{"kept_up": True, **server}),
    )


@pytest.mark.parametrize(
    ("percentile", "kept_up", "word"),
    [
        (Percentile(8.0, 7.0, 9.0, 1_000, 662, True), True, "met"),
        (Percentile(8.0, 7.0, 9.0, 1_000, 662, True), False, "not met"),
        (Percentile(12.0, 11.0, 13.0, 1_000, 662, True), True, "not met"),
        (Percentile(None, 11.0, None, 300, 662, False), True, "not met"),  # few samples, and yet beyond doubt
        (Percentile(None, 7.0, None, 300, 662, False), True, "not enough samples"),
        (Percentile(9.5, 9.0, 10.5, 1_000, 662, True), True, "not enough samples"),
        (Percentile(8.0, 7.0, None, 1_000, 662, True), True, "not enough samples"),
    ],
)
def test_verdicts(measured, percentile, kept_up, word):
    result = verdict(altered(measured[0], percentile, kept_up=kept_up), SLO)
    assert result.verdict == word
    assert result.reason
    assert result.to_dict()["percentile"]["n"] == percentile.n


def test_it_must_have_been_measured_so(measured):
    report = measured[0]
    with pytest.raises(SettingsError, match="says nothing about a rate"):
        verdict(replace(report, server=None), SLO)
    with pytest.raises(SettingsError, match="at 100 requests per second"):
        verdict(report, Slo(bound_ms=10, qps=200))


def test_measuring_takes_the_objectives_rate_and_threads(measured):
    settings = LatencySettings(warmup_s=0.05, duration_s=0.3)
    report, result = measure_slo(measured[1], Slo(bound_ms=0.0001, qps=400, percentile=50), settings=settings)
    assert report.settings.target_qps == 400
    assert report.settings.scenario == "server"
    assert result.verdict == "not met"
    _, result = measure_slo(measured[1], Slo(bound_ms=60_000, qps=100, percentile=99.9), settings=settings)
    assert result.verdict == "not enough samples"
    assert "needs 6,636 samples" in result.reason
    _, result = measure_slo(measured[1], Slo(bound_ms=60_000, qps=200, percentile=50), settings=settings)
    assert result.verdict == "met"
