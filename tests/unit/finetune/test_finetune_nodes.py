"""A training on two nodes of a Ray cluster: the model of one, stopped, resumed, and errors that arrive.

The nodes are on this machine; each process has a folder of its own, as on another machine.
"""

import json
import shutil

import numpy as np
import pytest

from core import node_folder
from core.errors import SettingsError, StoppedError, TrainingError
from core.finetune import FineTuneSettings, fine_tune
from core.finetune.checkpoints import TrainingFolder
from tests.ray_nodes import ray_cluster


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster() as nodes:
        for _ in range(2):
            nodes.add(cpus=1)
        patch = pytest.MonkeyPatch()
        for name, value in (nodes.variables() | {"RAY_ADDRESS": nodes.address}).items():
            patch.setenv(name, value)
        yield nodes
        patch.undo()


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


@pytest.mark.nightly
def test_two_nodes_train_the_model_of_one(cluster, reviews, settings_of, without_dropout, tmp_path):
    # So many rows that no last batch has to be filled up:
    values = {"epochs": 2, "base_model": without_dropout, "train_batch_size": 10}
    one = fine_tune(reviews, settings_of(**values), output_dir=tmp_path / "one")
    events = []
    two = fine_tune(reviews, settings_of(nodes=2, **values), output_dir=tmp_path / "two", report=events.append)
    assert two.device.startswith("2 nodes")
    assert any(event.values.get("step") for event in events)
    assert two.training["steps"] == one.training["steps"]
    np.testing.assert_allclose(losses(two), losses(one), rtol=0, atol=1e-5)
    assert two.test["prediction"].equals(one.test["prediction"])
    names = [{path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert names[1] - names[0] <= {"nodes"}
    assert [path.name for path in node_folder._root().iterdir() if path.name.startswith("base-")] == []


@pytest.mark.nightly
def test_stopped_and_resumed(cluster, reviews, settings_of, without_dropout, tmp_path):
    values = {"epochs": 3, "base_model": without_dropout, "train_batch_size": 10}
    whole = fine_tune(reviews, settings_of(**values), output_dir=tmp_path / "whole")
    seen = [0]

    def report(event):
        seen[0] = event.values.get("step", seen[0])

    part = tmp_path / "part"
    settings = settings_of(nodes=2, **values)
    with pytest.raises(StoppedError, match="Stopped at step"):
        fine_tune(reviews, settings, output_dir=part, report=report, should_stop=lambda: seen[0] >= 3)
    assert TrainingFolder(part).latest() is not None
    resumed = fine_tune(reviews, settings, output_dir=part, resume=True)
    assert resumed.training["steps"] == whole.training["steps"]
    np.testing.assert_allclose(losses(resumed)[-3:], losses(whole)[-3:], rtol=0, atol=1e-5)


@pytest.mark.nightly
def test_an_error_of_a_process_arrives(cluster, reviews, settings_of, tmp_path, monkeypatch):
    from core.finetune import nodes

    asked = nodes.request_of
    monkeypatch.setattr(nodes, "request_of", lambda job, base: asked(job, base) | {"metric": "no_such_metric"})
    with pytest.raises(TrainingError, match="no_such_metric"):
        fine_tune(reviews, settings_of(nodes=2), output_dir=tmp_path)


@pytest.mark.nightly
def test_a_node_that_is_lost_is_said_and_the_training_resumes_on_one(cluster, reviews, settings_of, tmp_path):
    killed = []

    def report(event):
        if event.values.get("step") and (tmp_path / "checkpoints").is_dir() and not killed:
            killed.append(cluster.nodes[1].kill())

    with pytest.raises(TrainingError, match=r"ended without a model.*Resume it"):
        fine_tune(reviews, settings_of(nodes=2, epochs=40), output_dir=tmp_path, report=report)
    resumed = fine_tune(reviews, settings_of(nodes=2, epochs=40), output_dir=tmp_path, resume=True)
    assert [finding.check for finding in resumed.findings].count("nodes") == 1


def test_batches_are_shared_evenly_and_few_texts_stay_on_one_node():
    texts = {"text_column": "text", "label_column": "label"}
    with pytest.raises(SettingsError, match="16 texts of a batch cannot be shared evenly by 3 nodes"):
        FineTuneSettings(nodes=3, **texts)
    with pytest.raises(SettingsError, match="few_shot trains on one node"):
        FineTuneSettings(nodes=2, few_shot=True, **texts)


def test_several_nodes_without_a_cluster_are_refused(reviews, settings_of, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(SettingsError, match="does not run on a Ray cluster"):
        fine_tune(reviews, settings_of(nodes=2), output_dir=tmp_path)
