"""Registries of the edge package: every entry goes through core, and an added one works as the others do."""

import pytest
from sklearn.neighbors import KNeighborsClassifier

from core.edge import EXPORTABLE, QUANTIZATION_MODES, ExportableEstimator
from core.edge.export.estimators import convert_estimator
from core.edge.latency import SCENARIOS, LatencySettings, Scenario, measure_latency
from core.edge.latency.measuring.operations import OPERATIONS
from core.errors import ExportError
from core.tasks.onnx_upload import data_free_modes
from tests.unit.edge.latency.conftest import matmul


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("registries") / "matmul.onnx"
    path.write_bytes(matmul())
    return path


def _quick(scenario: Scenario) -> LatencySettings:
    rate = {"target_qps": 100} if "target_qps" in scenario.settings else {}
    return LatencySettings(scenario=scenario.name, warmup_s=0.05, duration_s=0.1, **rate)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_every_scenario_is_measured(scenario, model):
    report = measure_latency(model, _quick(scenario))
    assert report.settings.scenario == scenario.name
    assert (report.server is not None) == (scenario.loop == "open")
    short = f"of {scenario.min_queries:,} requests" in report.shortened_text
    assert short == (report.requests < scenario.min_queries)
    assert scenario.title
    assert scenario.help.endswith(".")


def test_a_scenario_can_be_added():
    SCENARIOS.add(Scenario("multi_stream", "Multi stream", "Eight at once.", "closed", "SingleStream", 662, ()))
    try:
        assert LatencySettings(scenario="multi_stream").scenario == "multi_stream"
    finally:
        SCENARIOS.remove("multi_stream")


@pytest.mark.parametrize("mode", QUANTIZATION_MODES.values(), ids=lambda mode: mode.name)
def test_every_mode_is_described_and_offered(mode):
    assert mode.title
    assert mode.help.endswith(".")
    assert (mode.name in data_free_modes()) == (not mode.needs_calibration)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_every_operation_has_its_function(operation):
    assert callable(operation.load())


def test_an_estimator_can_be_added():
    fitted = KNeighborsClassifier(1).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ExportError, match="no converter is known to be right"):
        convert_estimator(fitted, 1)
    EXPORTABLE.add(ExportableEstimator("sklearn.KNeighborsClassifier"))
    try:
        assert convert_estimator(fitted, 1).graph.node
    finally:
        EXPORTABLE.remove("sklearn.KNeighborsClassifier")
