"""Each feature that a profile lacks is refused by the functions of core that it is made of, and works elsewhere."""

import contextlib
import io

import pytest

from core import alerts, jobs, models
from core.access import FEATURES, LOCAL, PROFILES
from core.catalog import Dataset, Run, RunState, runs
from core.edge.latency import LatencySettings, LatencySuiteSettings
from core.errors import DeniedError, NotFoundError, PlumblineError
from core.federated import FederatedSettings
from core.finetune import FineTuneSettings, base_models, tensorboard
from core.jobs import Timing, scheduler
from core.pipelines import load_pipeline
from core.tasks import federated_study, finetune, latency, onnx_upload, push

MISSING = "0" * 16
PIPELINE = "type: pipeline\njobs:\n  step:\n    command: echo x > ${{outputs.x}}\n    outputs: {x: {type: uri_file}}\n"


def dataset():
    digests = dict.fromkeys(("fingerprint", "data_digest", "profile_digest"), "a" * 64)
    return Dataset(workspace="local", name="x", rows=1, columns=1, size_bytes=1, **digests)


def train(base_model):
    settings = FineTuneSettings(text_column="a", label_column="b", base_model=base_model)
    return finetune.submit(dataset(), settings, access=LOCAL)


def measure(_folder):
    suite = LatencySuiteSettings(variants=("fp32",), latency=LatencySettings(engine="loadgen"))
    return latency.submit(Run(id=MISSING, workspace="local", task="export"), suite, access=LOCAL)


def load(folder):
    (folder / "pipeline.yml").write_text(PIPELINE)
    return load_pipeline(folder / "pipeline.yml")


CALLS = {
    "server_facts": [lambda _: jobs.log(runs.add(Run(workspace="local", task="check"), access=LOCAL).id, access=LOCAL)],
    "hub_models": [lambda _: train("google-bert/bert-base-uncased"), lambda _: train("a-name")],
    "model_folders": [lambda folder: train(str(folder)), lambda _: train("~/x"), lambda _: train("../x")],
    "mlflow_push": [
        lambda folder: models.push_mlflow(MISSING, tracking_uri=folder.as_uri(), access=LOCAL),
        lambda _: push.submit(Run(id=MISSING, workspace="local", task="automl"), access=LOCAL),
    ],
    "tensorboard": [lambda folder: tensorboard.logs_dir(folder)],
    "onnx_uploads": [lambda _: onnx_upload.submit(io.BytesIO(b"x"), "x.onnx", access=LOCAL)],
    "load_generator": [measure],
    "pipeline_commands": [load],
    "network_studies": [
        lambda _: federated_study.submit(
            FederatedSettings(target="y"), ["north", "south"], "127.0.0.1:8470", access=LOCAL
        ),
    ],
    "alert_channels": [
        lambda _: alerts.add_channel("webhook", "x", "http://8.8.8.8", credential="WEBHOOK_X", access=LOCAL),
        lambda _: alerts.change_channel(MISSING, enabled=True, access=LOCAL),
        lambda _: alerts.try_channel(MISSING, access=LOCAL),
    ],
    "schedules": [
        lambda _: jobs.add_schedule("check", {}, Timing(interval_s=3_600), title="x", access=LOCAL),
        lambda _: jobs.change_schedule(MISSING, enabled=True, access=LOCAL),
    ],
}
"""Functions that a feature is made of."""


@pytest.fixture(scope="module", params=list(PROFILES))
def profile(installation, tmp_path_factory, request):
    """One of the profiles, in an installation of its own."""
    with installation(tmp_path_factory.mktemp(request.param), PROFILE=request.param):
        yield PROFILES[request.param]


@pytest.fixture
def folder(profile, tmp_path, monkeypatch):
    """A folder, in an installation whose runs wait."""
    monkeypatch.setattr(scheduler, "_start", lambda run: None)
    monkeypatch.setattr(tensorboard, "_installed", lambda: True)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path))
    monkeypatch.setenv("PLUMBLINE_SECRET_WEBHOOK_X", "a long random text")
    return tmp_path


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_is_refused_where_the_profile_lacks_it(profile, folder, name):
    before = runs.find(states=list(RunState), access=LOCAL)
    for call in CALLS[name]:
        if name in profile.off:
            with pytest.raises(PlumblineError) as caught:
                call(folder)
            assert isinstance(caught.value, DeniedError) or "on this installation" in caught.value.message
            assert "installation of your own" in caught.value.hint
            assert name == "server_facts" or runs.find(access=LOCAL) == before
        else:
            with contextlib.suppress(NotFoundError):  # of what is not there, which is past the refusal
                assert call(folder) is not None


def test_models_on_the_hub_are_offered_where_they_can_be_used(profile):
    assert (len(base_models()) == 1) == ("hub_models" in profile.off)
