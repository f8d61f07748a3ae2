"""Settings that cannot be measured are refused by name, before anything runs."""

import subprocess
import sys

import onnxruntime
import pytest

from core.edge.latency import LatencySettings, Limits, Slo, providers
from core.errors import SettingsError


def test_defaults_are_honest():
    settings = LatencySettings()
    assert not settings.allow_spinning
    assert (settings.intra_op_threads, settings.inter_op_threads) == (1, 1)
    assert settings.scenario == "single_stream"


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"scenario": "multi_stream"}, "scenario"),
        ({"batch_size": 0}, "batch_size"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"warmup_s": -1}, "warmup_s"),
        ({"intra_op_threads": 0}, "intra_op_threads"),
        ({"graph_optimization": "most"}, "graph_optimization"),
        ({"spin": True}, "spin"),
        ({"scenario": "server"}, "needs target_qps"),
        ({"target_qps": 10}, "belong to the server scenario"),
        ({"scenario": "offline", "latency_bound_ms": 5}, "belong to the server scenario"),
        ({"inter_op_threads": 2}, "no effect unless execution_mode"),
        ({"scenario": "server", "latency_bound_ms": 5, "engine": "loadgen"}, "loadgen needs target_qps"),
        ({"provider": "CUDAExecutionProvider"}, "is not installed here"),
        ({"provider": "AzureExecutionProvider"}, "is not a device of this machine"),
    ],
)
def test_what_is_invalid_is_refused_by_name(values, word):
    with pytest.raises(SettingsError, match=word) as caught:
        LatencySettings(**values)
    assert caught.value.hint


def test_the_remote_provider_is_hidden(monkeypatch):
    names = ["CPUExecutionProvider", "AzureExecutionProvider", "XExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    assert providers() == ["CPUExecutionProvider", "XExecutionProvider"]
    assert LatencySettings(provider="XExecutionProvider").provider == "XExecutionProvider"


def test_what_is_slow_on_processors_is_left_out_there_alone(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider", "XExecutionProvider"])
    assert LatencySettings().disabled_optimizers == ("SkipLayerNormFusion",)
    assert LatencySettings(provider="XExecutionProvider").disabled_optimizers == ()
    assert LatencySettings(disabled_optimizers=()).disabled_optimizers == ()


def test_a_missing_loadgen_is_said_with_the_command(monkeypatch):
    from core.edge.latency import settings

    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="pip install mlcommons-loadgen"):
        LatencySettings(engine="loadgen")


def test_limits_and_objectives_are_checked_too():
    for make in (
        lambda: Limits(memory_mb=1),
        lambda: Slo(bound_ms=0, qps=1),
        lambda: Slo(bound_ms=1, qps=1, percentile=98),
    ):
        with pytest.raises(SettingsError):
            make()
    assert Slo(bound_ms=1, qps=1, percentile=99.9).percentile == 99.9


def test_settings_are_kept_as_they_are():
    settings = LatencySettings(scenario="server", target_qps=5)
    with pytest.raises(Exception, match="frozen"):
        settings.batch_size = 2  # type: ignore[misc]
    assert LatencySettings(**settings.model_dump(mode="json")) == settings


def test_the_web_process_loads_no_runtime():
    code = (
        "import sys, core.edge.latency as lab\n"
        "lab.LatencySettings(), lab.measure_latency, lab.LatencySuiteReport, lab.sweep, lab.verdict, lab.Texts\n"
        "heavy = {'onnxruntime', 'onnx', 'torch', 'transformers', 'sklearn', 'mlperf_loadgen'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_all_names_are_there():
    import core.edge.latency as lab

    assert sorted(lab.__all__) == lab.__all__
    for name in lab.__all__:
        assert getattr(lab, name) is not None
    with pytest.raises(AttributeError):
        _ = lab.nothing
