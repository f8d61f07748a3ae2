"""Pipelines of real commands: order, failures, values, nesting and outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.errors import InputError
from core.pipelines import PipelineError, StepState, run_pipeline
from tests.unit.pipelines.pipeline_files import DIAMOND, pipeline_of

COPY = "cp ${{inputs.data}}/n ${{outputs.out}}/n"


def states(result) -> dict[str, str]:
    return {path: str(step.state) for path, step in result.steps.items()}


def test_a_diamond_runs_in_order(tmp_path: Path) -> None:
    result = run_pipeline(pipeline_of(tmp_path / "p", DIAMOND.replace("LEFT", COPY)), workdir=tmp_path / "w")
    assert list(result.steps) == ["first", "left", "right", "last", "apart"]
    assert set(states(result).values()) == {"SUCCEEDED"}
    assert (result.steps["last"].outputs["out"] / "n").read_text() == "1\n1\n"
    assert result.state is StepState.SUCCEEDED


@pytest.mark.parametrize("continues", [False, True])
def test_an_arm_that_fails(tmp_path: Path, continues: bool) -> None:
    text = DIAMOND.replace("LEFT", "echo about to fail; exit 3")
    settings = f"settings: {{continue_on_step_failure: {str(continues).lower()}}}\njobs:"
    result = run_pipeline(
        pipeline_of(tmp_path / "p", text.replace("jobs:", settings)), workdir=tmp_path / "w", max_parallel=1
    )
    others = "SUCCEEDED" if continues else "SKIPPED"
    assert states(result) == {
        "first": "SUCCEEDED",
        "left": "FAILED",
        "right": others,
        "last": "SKIPPED",
        "apart": others,
    }
    assert result.steps["left"].reason == "The command ended with status 3. Its last lines: about to fail"
    assert result.steps["last"].reason == "It needs 'left', which has no outputs."
    assert result.state is StepState.FAILED


def test_independent_steps_run_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for the other, so that neither could end alone."""
    loop = "for i in $(seq 200); do test -e ${{inputs.here}}/OTHER && exit 0; sleep .05; done"
    wait = f"touch ${{{{inputs.here}}}}/NAME; {loop}; exit 1"
    nodes = "".join(
        f"""
  {name}:
    command: {wait.replace("NAME", name).replace("OTHER", other)}
    environment: none
    inputs: {{here: {tmp_path}}}"""
        for name, other in (("one", "two"), ("two", "one"))
    )
    pipeline = pipeline_of(tmp_path / "p", f"type: pipeline\njobs:{nodes}\n")
    assert run_pipeline(pipeline, workdir=tmp_path / "w", max_parallel=2).state is StepState.SUCCEEDED


def test_values_arrive_as_they_are(tmp_path: Path) -> None:
    text = """
    type: pipeline
    inputs:
      text: "$(touch broken); 'a b' \\"c\\""
      flag: true
    jobs:
      say:
        command: printf '%s|%s|%s' ${{inputs.text}} ${{inputs.flag}} $[[${{inputs.other}}]] > ${{outputs.out}}
        environment: none
        inputs: {text: "${{parent.inputs.text}}", flag: "${{parent.inputs.flag}}"}
        outputs: {out: {type: uri_file}}
    """
    text = text.replace(" $[[${{inputs.other}}]]", "").replace("|%s' ", "' ")
    result = run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w")
    written = result.steps["say"].outputs["out"]
    assert written.read_text() == "$(touch broken); 'a b' \"c\"|True"
    assert not list(tmp_path.rglob("broken"))
    again = run_pipeline(
        pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w", inputs={"text": "x", "flag": "False"}
    )
    assert again.steps["say"].outputs["out"].read_text() == "x|False"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"texts": 1}, "The pipeline has no input 'texts'. Did you mean 'text'"),
        ({}, "line 4, column .*The input 'text' has no value"),
        ({"text": 1.5, "customers": "/nowhere"}, "'customers' is '/nowhere', which does not exist"),
        ({"text": 1.5}, "There is no data 'customers' here"),
    ],
)
def test_inputs_are_checked_before_anything_runs(tmp_path: Path, inputs: dict[str, object], said: str) -> None:
    text = """
    type: pipeline
    inputs:
      text: {type: string}
    jobs:
      say:
        command: touch ${{inputs.data}}/ran; echo ${{inputs.text}}
        environment: none
        inputs:
          text: ${{parent.inputs.text}}
          data: {type: uri_folder, path: azureml:customers@latest}
    """
    with pytest.raises(InputError, match=said):
        run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w", inputs=inputs)
    assert not (tmp_path / "w" / "steps").exists()


def test_data_that_is_named_is_a_folder_of_the_caller(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a\n1\n")
    text = """
    type: pipeline
    jobs:
      count:
        command: wc -l < ${{inputs.data}}/rows.csv > ${{outputs.out}}
        environment: none
        inputs:
          data: {type: uri_folder, path: azureml:customers@latest}
        outputs: {out: {type: uri_file}}
    """
    pipeline = pipeline_of(tmp_path / "p", text)
    result = run_pipeline(pipeline, workdir=tmp_path / "w", inputs={"customers": tmp_path / "data"})
    assert result.steps["count"].outputs["out"].read_text().strip() == "2"


NESTED = {
    "pipeline.yml": """
        type: pipeline
        outputs: {final: }
        jobs:
          outer:
            type: pipeline
            component: ./outer.yml
            inputs: {word: hello}
            outputs: {result: "${{parent.outputs.final}}"}
          after:
            command: cp ${{inputs.data}}/n ${{outputs.out}}/n
            environment: none
            inputs: {data: "${{parent.jobs.outer.outputs.result}}"}
            outputs: {out: }
    """,
    "outer.yml": """
        type: pipeline
        name: outer
        version: 1
        inputs:
          word: {type: string}
          times: {type: integer, default: 2}
        outputs: {result: {type: uri_folder}}
        jobs:
          inner:
            type: pipeline
            component: ./inner.yml
            inputs: {word: "${{parent.inputs.word}}", times: "${{parent.inputs.times}}"}
            outputs: {made: "${{parent.outputs.result}}"}
    """,
    "inner.yml": """
        type: pipeline
        name: inner
        version: 1
        inputs:
          word: {type: string}
          times: {type: integer}
        outputs: {made: {type: uri_folder}}
        jobs:
          write:
            command: for i in $(seq ${{inputs.times}}); do echo ${{inputs.word}} >> ${{outputs.out}}/n; done
            environment: none
            inputs: {word: "${{parent.inputs.word}}", times: "${{parent.inputs.times}}"}
            outputs: {out: "${{parent.outputs.made}}"}
    """,
}


def test_pipelines_within_pipelines(tmp_path: Path) -> None:
    files = {name.replace(".", "_"): text for name, text in NESTED.items() if name != "pipeline.yml"}
    pipeline = pipeline_of(tmp_path / "p", NESTED["pipeline.yml"], **files)
    result = run_pipeline(pipeline, workdir=tmp_path / "w")
    assert states(result) == {"outer/inner/write": "SUCCEEDED", "after": "SUCCEEDED"}
    assert (result.outputs["final"] / "n").read_text() == "hello\nhello\n"
    assert (result.steps["after"].outputs["out"] / "n").read_text() == "hello\nhello\n"


@pytest.mark.parametrize(
    ("command", "output", "said"),
    [
        ("true", "{type: uri_file}", "wrote no file for its output 'out'"),
        ("true", "{type: mlflow_model}", "'out' is not an MLflow model: it has no file 'MLmodel'"),
        ("kill -9 $$", "", "The command ended by signal 9. It printed nothing."),
        ("no-such-program", "", "status 127. Its last lines: .*no-such-program"),
        ("echo 'PLUMBLINE_ERROR RECORD'; exit 1", "", "^There is no column x.$"),
    ],
)
def test_a_failure_says_what_happened(tmp_path: Path, command: str, output: str, said: str) -> None:
    record = json.dumps({"type": "InputError", "message": "There is no column x.", "hint": "Choose one."})
    text = f"""
type: pipeline
jobs:
  step:
    command: |
      {command.replace("RECORD", record)}
    environment: none
    outputs: {{out: {output}}}
"""
    result = run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w")
    assert result.steps["step"].state is StepState.FAILED
    assert re.search(said, result.steps["step"].reason)


def test_what_is_left_in_the_folder_outputs_is_the_output_artifacts(tmp_path: Path) -> None:
    text = """
    type: pipeline
    jobs:
      write:
        command: echo world > ./outputs/world.txt
        environment: none
        outputs: {artifacts: }
      read:
        command: cat ${{inputs.data}}/outputs/world.txt
        environment: none
        inputs: {data: "${{parent.jobs.write.outputs.artifacts}}"}
    """
    result = run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w")
    assert result.state is StepState.SUCCEEDED, result.steps


def test_a_step_ends_at_its_limit_with_all_that_it_started(tmp_path: Path) -> None:
    text = """
    type: pipeline
    jobs:
      slow:
        command: sleep 60 & sleep 60
        environment: none
        limits: {timeout: 1}
    """
    result = run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w")
    assert result.steps["slow"].state is StepState.TIMED_OUT
    assert result.elapsed_s < 30


def test_a_cancelled_pipeline_starts_nothing_more(tmp_path: Path) -> None:
    asked: list[bool] = []

    def should_stop() -> bool:
        asked.append(True)
        return len(asked) > 3

    text = DIAMOND.replace("LEFT", "sleep 60").replace("echo 1", "sleep 60; echo 1")
    result = run_pipeline(
        pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w", should_stop=should_stop, max_parallel=1
    )
    assert result.state is StepState.CANCELLED
    assert states(result)["first"] == "CANCELLED"
    assert states(result)["last"] == "SKIPPED"


def test_data_elsewhere_is_refused_with_its_line(tmp_path: Path) -> None:
    text = """
    type: pipeline
    jobs:
      read:
        command: cat ${{inputs.data}}
        environment: none
        inputs:
          data: {type: uri_file, path: "https://example.com/rows.csv"}
    """
    with pytest.raises(PipelineError, match="is not on this machine") as raised:
        run_pipeline(pipeline_of(tmp_path / "p", text), workdir=tmp_path / "w")
    assert raised.value.line == 8
