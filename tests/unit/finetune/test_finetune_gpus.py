"""A training in several processes, as on several GPUs: the same model, stopped, resumed, and errors that arrive.

There is no GPU here: the processes share the processor (gloo), and everything else is the same.
"""

import json
import shutil
import threading
import time

import numpy as np
import pytest

from core.errors import StoppedError, TrainingError
from core.finetune import fine_tune
from core.finetune.checkpoints import TrainingFolder

pytestmark = pytest.mark.nightly


@pytest.fixture
def two(monkeypatch):
    """Let trainings run in two processes."""
    monkeypatch.setattr("core.finetune.train.gpus_for", lambda _: 2)


@pytest.fixture
def without_dropout(tiny, tmp_path):
    """Return a base model without dropout: what is drawn at random for each text depends on the process."""
    folder = tmp_path / "without-dropout"
    shutil.copytree(tiny, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def losses(result):
    return [line["loss"] for line in result.history if "loss" in line]


@pytest.mark.parametrize("values", [{}, {"freeze_layers": 1}, {"label_column": "rating"}, {"gradient_accumulation": 3}])
def test_two_processes_train_the_model_of_one(reviews, settings_of, without_dropout, tmp_path, monkeypatch, values):
    # So many rows that no last batch has to be filled up:
    settings = settings_of(epochs=2, base_model=without_dropout, train_batch_size=10, **values)
    one = fine_tune(reviews, settings, output_dir=tmp_path / "one")
    assert one.rows["train"] % 10 == 0
    monkeypatch.setattr("core.finetune.train.gpus_for", lambda _: 2)
    events = []
    shared = fine_tune(reviews, settings, output_dir=tmp_path / "two", report=events.append)
    assert shared.device.startswith("2 GPUs")
    assert any(event.values.get("step") for event in events)
    assert shared.training["steps"] == one.training["steps"]
    np.testing.assert_allclose(losses(shared), losses(one), rtol=1e-3)
    assert shared.test["prediction"].equals(one.test["prediction"]) or values == {"label_column": "rating"}


def test_adapters_train_in_two_processes(reviews, settings_of, two, tmp_path):
    result = fine_tune(reviews, settings_of(lora=4), output_dir=tmp_path)  # their dropout is drawn by process
    assert losses(result)[-1] < losses(result)[0] * 1.1


def test_stopped_and_resumed(reviews, settings_of, two, tmp_path):
    settings = settings_of(epochs=3)
    whole = fine_tune(reviews, settings, output_dir=tmp_path / "whole")
    seen = [0]

    def report(event):
        seen[0] = event.values.get("step", seen[0])

    with pytest.raises(StoppedError, match="Stopped at step"):
        fine_tune(reviews, settings, output_dir=tmp_path / "part", report=report, should_stop=lambda: seen[0] >= 5)
    assert TrainingFolder(tmp_path / "part").latest() is not None
    resumed = fine_tune(reviews, settings, output_dir=tmp_path / "part", resume=True)
    assert resumed.training["steps"] == whole.training["steps"]
    np.testing.assert_allclose(losses(resumed)[-3:], losses(whole)[-3:], rtol=1e-4)


def test_an_error_of_a_process_arrives(reviews, settings_of, two, tmp_path, monkeypatch):
    from core.finetune import gpus

    asked = gpus.request_of

    def broken(job, base):
        return asked(job, base) | {"metric": "no_such_metric"}

    monkeypatch.setattr(gpus, "request_of", broken)
    with pytest.raises(TrainingError, match="no_such_metric"):
        fine_tune(reviews, settings_of(), output_dir=tmp_path)


def test_a_process_that_is_killed_is_said_so(reviews, settings_of, two, tmp_path):
    import psutil

    def kill():
        for _ in range(600):
            children = [
                child
                for child in psutil.Process().children(recursive=True)
                if "core.finetune.gpu_process" in " ".join(child.cmdline()) and "-u" in child.cmdline()
            ]
            if (tmp_path / "gpus" / "events.jsonl").exists() and children:
                children[-1].kill()
                return
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(TrainingError, match="ended without a model"):
        fine_tune(reviews, settings_of(epochs=50), output_dir=tmp_path)
    killer.join()
    assert not [
        child
        for child in psutil.Process().children(recursive=True)
        if child.is_running() and "gpu_process" in " ".join(child.cmdline())
    ]
