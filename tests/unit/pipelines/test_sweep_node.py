"""Sweeps of real commands: the best trial's outputs are the step's, by the metric that the trials report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.pipelines import StepState, run_pipeline
from tests.unit.pipelines.pipeline_files import pipeline_of

TRIAL = """
type: command
name: trial
version: 1
inputs:
  depth: {type: integer}
  word: {type: string, default: w}
outputs:
  model: {type: uri_folder}
command: |
  echo ${{inputs.word}} ${{inputs.depth}} > ${{outputs.model}}/n
  REPORT
environment: none
"""
TEXT = """
type: pipeline
jobs:
  tune:
    type: sweep
    trial: ./trial.yml
    inputs: {word: best}
    sampling_algorithm: ALGORITHM
    search_space:
      depth: {type: choice, values: [2, 5, 3]}
    objective: {goal: GOAL, primary_metric: score}
    limits: {max_total_trials: 3, max_concurrent_trials: 2}
    outputs: {model: }
  use:
    command: cat ${{inputs.model}}/n
    environment: none
    inputs: {model: "${{parent.jobs.tune.outputs.model}}"}
"""
BY_FILE = """echo "{\\"score\\": ${{inputs.depth}}}" > $PLUMBLINE_METRICS"""
# What MLflow's client writes to a store of files: value and step of each time, one line each.
BY_MLFLOW = """M=${MLFLOW_TRACKING_URI#file://}/0/abc/metrics; mkdir -p $M
  printf '1 9 0\\n2 %s 1\\n' ${{inputs.depth}} > $M/score"""


def run(folder: Path, *, goal: str = "maximize", report: str = BY_FILE, algorithm: str = "grid"):
    text = TEXT.replace("GOAL", goal).replace("ALGORITHM", algorithm)
    return run_pipeline(
        pipeline_of(folder / "p", text, trial_yml=TRIAL.replace("REPORT", report)), workdir=folder / "w"
    )


@pytest.mark.parametrize("report", [BY_FILE, BY_MLFLOW], ids=["file", "mlflow"])
@pytest.mark.parametrize(("goal", "best"), [("maximize", 5), ("minimize", 2)])
def test_the_best_trial_wins(tmp_path: Path, goal: str, best: int, report: str) -> None:
    result = run(tmp_path, goal=goal, report=report)
    assert result.state is StepState.SUCCEEDED, result.steps
    assert (result.steps["tune"].outputs["model"] / "n").read_text() == f"best {best}\n"
    trials = json.loads((tmp_path / "w" / "steps" / "tune" / "trials.json").read_text())
    assert [(trial["depth"], trial["score"], trial["state"]) for trial in trials] == [
        (2, 2.0, "SUCCEEDED"),
        (5, 5.0, "SUCCEEDED"),
        (3, 3.0, "SUCCEEDED"),
    ]


def test_trials_that_fail_take_no_part(tmp_path: Path) -> None:
    result = run(tmp_path, report=f"test ${{{{inputs.depth}}}} -lt 5\n  {BY_FILE}".replace("-lt 5", "-lt 5 || exit 1"))
    assert (result.steps["tune"].outputs["model"] / "n").read_text() == "best 3\n"


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("exit 3", "Every trial failed. The first: The command ended with status 3"),
        ("true", "No trial logged the metric 'score'. They logged no metric."),
        (BY_FILE.replace("score", "scores"), "No trial logged the metric 'score'. They logged scores."),
    ],
)
def test_without_a_metric_there_is_no_winner(tmp_path: Path, report: str, said: str) -> None:
    result = run(tmp_path, report=report)
    assert result.steps["tune"].state is StepState.FAILED
    assert said in result.steps["tune"].reason


def test_draws_are_those_of_the_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tmp_path / name, algorithm="{type: random, seed: 4}")
    one, other = ((tmp_path / name / "w" / "steps" / "tune" / "trials.json").read_text() for name in "ab")
    assert one == other
