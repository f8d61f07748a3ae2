"""``automl`` nodes run our search; what has no effect is said first in the log."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from core.pipelines import StepState, run_pipeline
from tests.unit.pipelines.pipeline_files import pipeline_of

TEXT = """
type: pipeline
inputs:
  rows: {type: mltable, path: ./rows}
  trials: 2
outputs:
  best: {type: mlflow_model}
jobs:
  search:
    type: automl
    task: classification
    primary_metric: AUC_weighted
    target_column_name: species
    training_data: ${{parent.inputs.rows}}
    validation_data: ${{parent.inputs.rows}}
    test_data: ${{parent.inputs.rows}}
    limits:
      max_trials: ${{parent.inputs.trials}}
      max_nodes: 3
    training:
      allowed_training_algorithms: [LightGBM]
      enable_stack_ensemble: false
    outputs:
      best_model: ${{parent.outputs.best}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = tmp_path / "p" / "rows"
    rows.mkdir(parents=True)
    flowers = load_iris(as_frame=True)
    frame = flowers.data.assign(species=pd.Series(flowers.target_names)[flowers.target].to_numpy())
    frame.to_csv(rows / "rows.csv", index=False)
    (rows / "MLTable").write_text("paths:\n- file: ./rows.csv\ntransformations:\n- read_delimited: {delimiter: ','}\n")
    return tmp_path


@pytest.mark.nightly
def test_a_search_by_azures_keys(folder: Path) -> None:
    cache = folder / "cache"
    result = run_pipeline(pipeline_of(folder / "p", TEXT), workdir=folder / "w", cache=cache)
    log = (folder / "w" / "steps" / "search" / "log.txt").read_text()
    assert result.state is StepState.SUCCEEDED, log
    assert "'validation_data' has no effect: the model is scored on 'test_data'." in log.split("Read ")[0]
    assert "max_nodes" in log.split("Read ")[0]
    assert "The metric is 'roc_auc' for Azure's 'AUC_weighted'" in log
    report = json.loads((folder / "w" / "steps" / "search" / "results" / "report.json").read_text())
    assert report["target"] == "species"
    tried = pd.read_csv(folder / "w" / "steps" / "search" / "results" / "leaderboard.csv")["learner"]
    assert "lgbm" in set(tried)
    assert not {"rf", "xgboost", "extra_tree"} & set(tried)
    assert (result.outputs["best"] / "MLmodel").is_file()

    assert run_pipeline(pipeline_of(folder / "p", TEXT), workdir=folder / "w2", cache=cache).executed == []
    more = run_pipeline(pipeline_of(folder / "p", TEXT), workdir=folder / "w3", cache=cache, inputs={"trials": 3})
    assert more.steps["search"].reason == "Parameter limits.max_trials changed from 2 to 3."
