"""A training as a run: submitted, stopped, resumed, and its files."""

import time

import pandas as pd
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState, artifacts, datasets
from core.datasets import load_sample
from core.demo import reviews
from core.finetune import FineTuneResult, FineTuneSettings
from core.tasks import finetune, ingest
from tests.golden import tiny_base


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("models") / "tiny-bert", reviews()["text"].tolist())


@pytest.fixture(scope="module")
def stopped(installation, tmp_path_factory, tiny):
    """A run that was stopped after some steps, and its state then."""
    with installation(tmp_path_factory.mktemp("finetuned") / "home"):
        loaded = jobs.wait(ingest.submit_sample("product_reviews", access=LOCAL), 60, access=LOCAL)
        dataset = datasets.get(loaded.result["dataset_id"], access=LOCAL)
        settings = FineTuneSettings(
            text_column="text",
            label_column="sentiment",
            base_model=str(tiny),
            epochs=2,
            learning_rate=3e-3,
            max_length=32,
            threads=1,
        )
        run_id = finetune.submit(dataset, settings, access=LOCAL)
        deadline = time.monotonic() + 120
        while not any(event.values.get("step") for event in jobs.events(run_id, phase="train", access=LOCAL)):
            assert time.monotonic() < deadline, jobs.log(run_id, access=LOCAL)
            assert not jobs.get(run_id, access=LOCAL).state.terminal, jobs.log(run_id, access=LOCAL)
            time.sleep(0.1)
        asked = time.monotonic()
        jobs.stop(run_id, access=LOCAL)
        run = jobs.wait(run_id, 60, access=LOCAL)
        yield dataset, settings, run, time.monotonic() - asked


@pytest.fixture(scope="module")
def resumed(stopped):
    return jobs.wait(jobs.resume(stopped[2].id, access=LOCAL).id, 240, access=LOCAL)


@pytest.mark.nightly
def test_stop_ends_soon_and_says_where(stopped):
    _, _, run, took = stopped
    assert run.state is RunState.CANCELLED
    assert run.error_message.startswith("Stopped at step ")
    assert run.error_message.endswith("; resume to continue.")
    assert run.error_hint
    assert took < 5 + 5, "five seconds, and a loaded machine"
    assert jobs.resumable(run, access=LOCAL)


@pytest.mark.nightly
def test_resume_goes_on_from_there(stopped, resumed):
    assert resumed.state is RunState.SUCCEEDED, resumed.error_message
    step = int(stopped[2].error_message.split()[3].replace(",", ""))
    later = [
        event
        for event in jobs.events(resumed.id, phase="train", access=LOCAL)
        if event.attempt == 2 and "step" in event.values
    ]
    assert later[0].values["step"] > step
    assert resumed.result["verdict"]


@pytest.mark.nightly
def test_files_are_those_of_the_result(stopped, resumed, tmp_path):
    for artifact in artifacts.find(resumed.id, access=LOCAL):
        target = tmp_path / artifact.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(jobs.artifact_path(resumed.id, artifact.name, access=LOCAL).read_bytes())
    loaded = FineTuneResult.load(tmp_path)
    assert loaded.settings == stopped[1]
    assert loaded.verdict == resumed.result["verdict"]
    steps = [line["step"] for line in loaded.history if "loss" in line]
    assert steps == sorted(set(steps))
    assert len(loaded.predict(["it works"])) == 1
    frame = pd.DataFrame(load_sample("product_reviews").frame)
    rows = frame.iloc[loaded.test["row_id"]]
    assert rows["sentiment"].tolist() == loaded.test["sentiment"].tolist()
