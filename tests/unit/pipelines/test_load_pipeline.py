"""What a pipeline file says is what its records say: nodes, components, values, bindings."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.pipelines import (
    Asset,
    Data,
    Given,
    InputOf,
    OutputOf,
    Pipeline,
    PipelineError,
    load_pipeline,
    promoted_outputs,
    steps_of,
)
from tests.unit.pipelines.load_files import MAIN, TRAIN, write_files


@pytest.fixture
def churn(tmp_path: Path) -> Pipeline:
    return load_pipeline(write_files(tmp_path))


def test_head_of_a_file(churn: Pipeline) -> None:
    assert churn.title == "churn"
    assert churn.tags == {"team": "growth", "year": "2024"}
    assert churn.settings.continue_on_step_failure
    assert not churn.settings.force_rerun
    assert {name: port.type for name, port in churn.inputs.items()} == {
        "raw": "uri_folder",
        "rate": "number",
        "rows": "integer",
        "label": "string",
        "shuffle": "boolean",
    }
    assert {name: value.value for name, value in churn.values.items() if isinstance(value, Given)} == {
        "rate": 0.2,
        "rows": 100,
        "label": "churned",
        "shuffle": True,
    }
    raw = churn.values["raw"]
    assert isinstance(raw, Data)
    assert (raw.text, raw.path, raw.mode) == ("./data", churn.path.parent / "data", "ro_mount")


def test_inline_command(churn: Pipeline) -> None:
    node = churn.nodes["prepare"]
    assert (node.kind, node.timeout_s, node.component.code) == ("command", 60, churn.path.parent / "src")
    assert node.component.environment == "azureml:sklearn:1"
    assert {name: port.type for name, port in node.component.inputs.items()} == {
        "raw": "uri_folder",
        "rows": "integer",
        "label": "string",
    }
    value = node.inputs["rows"]
    assert isinstance(value, InputOf)
    assert (value.name, value.position.line) == ("rows", 25)


def test_component_of_a_file(churn: Pipeline) -> None:
    node = churn.nodes["train"]
    component = node.component
    assert (node.reference, component.name, component.version) == ("file:./train.yml", "train", "3")
    assert component.source == TRAIN
    assert component.environment == '{"image": "python"}'
    assert (component.inputs["rate"].default, component.inputs["rate"].high) == (0.001, 1)
    assert component.inputs["loss"].choices == ("squared", "absolute")
    assert node.environment_variables == {"SEED": "1"}
    data = node.inputs["data"]
    assert isinstance(data, OutputOf)
    assert (data.node, data.output, data.mode) == ("prepare", "table", "download")
    assert node.inputs["rate"] == Given("0.5", node.inputs["rate"].position)  # as written


def test_outputs(churn: Pipeline) -> None:
    assert churn.nodes["train"].outputs["model"].promoted == "best"
    assert churn.outputs["best"].type == "mlflow_model"  # that of the step, since the file states none
    steps = steps_of(churn)
    assert [(step.path, step.needs) for step in steps] == [("prepare", []), ("train", ["prepare"])]
    assert promoted_outputs(churn)["best"].step == "train"


def test_what_has_no_effect_is_noticed_once(churn: Pipeline) -> None:
    notices = [(position.line, text.split()[0]) for position, text in churn.notices if position.file is None]
    assert notices == [(7, "'default_compute'"), (10, "'mode'"), (21, "'compute'"), (22, "'environment'")]


def test_registered_data(tmp_path: Path) -> None:
    text = MAIN.replace("path: ./data, mode: ro_mount", "path: azureml:customer_data@latest")
    raw = load_pipeline(write_files(tmp_path, {"pipeline.yml": text})).values["raw"]
    assert isinstance(raw, Data)
    assert (raw.asset, raw.path) == (Asset("customer_data", label="latest"), None)


@pytest.mark.parametrize("path", ["azureml://datastores/blob/paths/x", "https://example.com/x", "wasbs://a@b.net/x"])
def test_data_of_a_cloud_is_noticed(tmp_path: Path, path: str) -> None:
    text = MAIN.replace("path: ./data, mode: ro_mount", f"path: '{path}'")
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": text}))
    raw = pipeline.values["raw"]
    assert isinstance(raw, Data)
    assert (raw.path, raw.asset) == (None, None)
    assert any(position.line == 10 and "not on this machine" in text for position, text in pipeline.notices)


@pytest.mark.parametrize(("value", "given"), [("0.2", 0.2), ("1", 1), ('"0.2"', "0.2")])
def test_plain_value_has_the_type_and_bounds_of_where_it_goes(tmp_path: Path, value: str, given: object) -> None:
    text = MAIN.replace("rate: 0.2", f"rate: {value}").replace('rate: "0.5"', "rate: ${{parent.inputs.rate}}")
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": text}))
    port = pipeline.inputs["rate"]
    assert (port.type, port.low, port.high) == ("number", 0, 1)
    literal = pipeline.values["rate"]
    assert isinstance(literal, Given)
    assert literal.value == given


def test_declared_input_without_a_value(tmp_path: Path) -> None:
    text = MAIN.replace("rate: 0.2", "rate: {type: number, max: 1}").replace(", path: ./data, mode: ro_mount", "")
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": text}))
    assert {"raw", "rate"} & pipeline.values.keys() == set()
    assert (pipeline.inputs["raw"].type, pipeline.inputs["rate"].high) == ("uri_folder", 1)


@pytest.mark.parametrize(
    ("value", "notice"),
    [
        ("no", "'no' is read as False"),
        ("01234", "'01234' is read as 668"),
        ("1:30", "'1:30' is read as 90"),
        ("'no'", ""),
        ("true", ""),
        ("-12", ""),
        ("0.50", ""),
        ("0x1f", ""),
    ],
)
def test_value_that_yaml_reads_as_another_one_is_noticed(tmp_path: Path, value: str, notice: str) -> None:
    text = MAIN.replace("label: churned", f"label: {value}")
    notices = load_pipeline(write_files(tmp_path, {"pipeline.yml": text})).notices
    converted = [(position.line, line) for position, line in notices if "is read as" in line]
    assert [line for line, _ in converted] == ([13] if notice else [])
    assert all(notice in line for _, line in converted)


def test_an_input_that_a_nested_pipeline_does_not_have_is_a_notice_unless_it_is_misspelt(tmp_path: Path) -> None:
    inner = """
type: pipeline
inputs: {rate: {type: number, default: 1}}
jobs:
  a: {command: "echo ${{inputs.rate}}", environment: none, inputs: {rate: "${{parent.inputs.rate}}"}}
"""
    (tmp_path / "inner.yml").write_text(inner)
    path = tmp_path / "pipeline.yml"
    path.write_text(
        "type: pipeline\njobs:\n  n: {type: pipeline, component: ./inner.yml, inputs: {surplus_ratio: 2}}\n"
    )
    pipeline = load_pipeline(path)
    assert "'surplus_ratio' has no effect: the pipeline component of 'n' has no such input." in [
        text for _, text in pipeline.notices
    ]
    assert pipeline.nodes["n"].inputs == {}
    path.write_text(path.read_text().replace("surplus_ratio", "rates"))
    with pytest.raises(PipelineError, match=r"line 3, column .*has no input 'rates'") as raised:
        load_pipeline(path)
    assert "Did you mean 'rate'" in raised.value.hint


def test_settings_of_a_sweep_with_another_effect_are_notices(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_text("""
type: pipeline
jobs:
  tune:
    type: sweep
    trial: {command: "echo ${{search_space.x}}", environment: none}
    sampling_algorithm: bayesian
    early_termination: {type: bandit, slack_factor: 0.1}
    search_space: {x: {type: choice, values: [1, 2]}}
    objective: {goal: maximize, primary_metric: m}
    limits: {max_total_trials: 2}
""")
    said = " ".join(text for _, text in load_pipeline(path).notices)
    assert "'bayesian' draws at random here" in said
    assert "'early_termination' has no effect" in said
