"""Components by reference: shipped, in folders and files, from a source; versions, labels, nesting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from core.pipelines import Asset, ComponentSource, Data, PipelineError, load_pipeline, steps_of
from tests.unit.pipelines.load_files import write_files

CHURN = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: customer_churn_training
settings:
  default_compute: azureml:gpu-cluster
jobs:
  data_prep:
    type: command
    component: azureml:data_prep@latest
    inputs:
      raw_data:
        type: uri_folder
        path: azureml:customer_data@latest
    outputs:
      prepared_data:
  feature_engineering:
    type: command
    component: azureml:feature_engineering@latest
    inputs:
      input_data: ${{parent.jobs.data_prep.outputs.prepared_data}}
    outputs:
      features:
  train_model:
    type: command
    component: azureml:train_xgboost@latest
    inputs:
      training_data: ${{parent.jobs.feature_engineering.outputs.features}}
      learning_rate: 0.1
      max_depth: 6
    outputs:
      model:
        type: mlflow_model
  evaluate:
    type: command
    component: azureml:model_evaluation@latest
    inputs:
      model: ${{parent.jobs.train_model.outputs.model}}
      test_data: ${{parent.jobs.feature_engineering.outputs.features}}
    outputs:
      evaluation_results:
"""

ONE_STEP = """
type: pipeline
jobs:
  step:
    component: REFERENCE
"""


def component(name: str, version: str, command: str = "echo 1") -> str:
    return f"type: command\nname: {name}\nversion: {version}\nenvironment: none\ncommand: {command}\n"


def step_of(
    folder: Path, reference: str, components: Path | list[Path] | ComponentSource | None = None
) -> tuple[str, str]:
    """Return name and version of the component that a reference leads to."""
    path = write_files(folder, {"pipeline.yml": ONE_STEP.replace("REFERENCE", reference)})
    found_component = load_pipeline(path, components=components).nodes["step"].component
    return found_component.name, found_component.version


def test_the_document_s_pipeline_has_shipped_components(tmp_path: Path) -> None:
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": CHURN}))
    assert pipeline.title == "customer_churn_training"
    assert all(node.component.shipped for node in pipeline.nodes.values())
    assert [(step.path, step.needs) for step in steps_of(pipeline)] == [
        ("data_prep", []),
        ("feature_engineering", ["data_prep"]),
        ("train_model", ["feature_engineering"]),
        ("evaluate", ["train_model", "feature_engineering"]),
    ]
    raw = pipeline.nodes["data_prep"].inputs["raw_data"]
    assert isinstance(raw, Data)
    assert raw.asset == Asset("customer_data", label="latest")
    # Only what the file itself says has a notice, not what the shipped components say.
    assert [(position.file, position.line) for position, _ in pipeline.notices] == [(None, 6)]


def test_given_components_come_before_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data_prep.yml").write_text(component("data_prep", "9"))
    assert step_of(tmp_path, "azureml:data_prep@latest", tmp_path / "mine") == ("data_prep", "9")
    with pytest.raises(PipelineError, match="needs the input 'raw_data'"):
        step_of(tmp_path, "azureml:data_prep@latest")


@pytest.fixture
def versions(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "registered"
    paths = []
    for version in ("9", "10", "2", "1.10", "1.9"):
        path = folder / version / "scale.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(component("scale", f'"{version}"'))
        paths.append(path)
    (folder / "notes.yml").write_text("[not a component")
    return paths


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("azureml:scale@latest", "10"),  # the highest number, not the last text
        ("azureml:scale", "10"),
        ("azureml:scale:9", "9"),
        ("azureml:scale:1.10", "1.10"),
        ("azureml://registries/azureml/components/scale/versions/2", "2"),
        ("azureml://registries/azureml/components/scale/labels/latest", "10"),
        ("azureml://registries/azureml/components/scale", "10"),
        ("azureml:/subscriptions/1/resourceGroups/g/workspaces/w/components/scale/versions/9", "9"),
    ],
)
def test_reference_to_a_registered_component(
    tmp_path: Path, versions: list[Path], reference: str, version: str
) -> None:
    assert step_of(tmp_path, reference, versions) == ("scale", version)
    assert step_of(tmp_path, reference, tmp_path / "registered") == ("scale", version)


@pytest.mark.parametrize(
    ("reference", "message", "hint"),
    [
        ("azureml:scale:3", "no version '3'; versions that exist: 1.9, 1.10, 2, 9, 10", "azureml:scale:10"),
        ("azureml:scale@best", "no label 'best'", "azureml:scale@latest"),
        ("azureml:scael:1", "'azureml:scael:1' is not registered here", "Did you mean 'scale'?"),
        ("azureml://registries/azureml/components/none/versions/1", "is not registered here", "Register it"),
    ],
)
def test_reference_to_nothing(tmp_path: Path, versions: list[Path], reference: str, message: str, hint: str) -> None:
    with pytest.raises(PipelineError) as caught:
        step_of(tmp_path, reference, versions)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.line == 5


def test_two_files_of_the_same_version(tmp_path: Path, versions: list[Path]) -> None:
    again = tmp_path / "registered" / "again.yml"
    again.write_text(component("scale", "9"))
    with pytest.raises(PipelineError, match=r"'again\.yml' and 'scale\.yaml' are both the component 'scale'"):
        step_of(tmp_path, "azureml:scale:2", [*versions, again])


def test_a_source_of_one_s_own(tmp_path: Path, versions: list[Path]) -> None:
    @dataclass
    class Source:
        asked: list[Asset]

        def find(self, asset: Asset) -> Path | None:
            self.asked.append(asset)
            return versions[0] if asset.name == "scale" else None

        def names(self) -> list[str]:
            return ["scale"]

        def versions(self, name: str) -> list[str]:
            return ["9"] if name == "scale" else []

    source = Source([])
    assert step_of(tmp_path, "azureml:scale@production", source) == ("scale", "9")
    assert source.asked == [Asset("scale", label="production")]


def nested(folder: Path, levels: int, width: int = 1) -> Path:
    """Write pipelines that are nested a number of levels deep, each with the next one a number of times."""
    (folder / "leaf.yml").write_text(component("leaf", "1"))
    files = {}
    for level in range(levels):
        inner = f"./level{level + 1}.yml" if level + 1 < levels else "./leaf.yml"
        jobs = "".join(f"  step{number}:\n    component: {inner}\n" for number in range(width))
        files[f"level{level}.yml"] = f"type: pipeline\njobs:\n{jobs}"
    files["pipeline.yml"] = ONE_STEP.replace("REFERENCE", "./level0.yml")
    return write_files(folder, files)


def test_pipelines_within_pipelines(tmp_path: Path) -> None:
    assert [step.path for step in steps_of(load_pipeline(nested(tmp_path, 3)))] == ["step/step0/step0/step0"]


@pytest.mark.parametrize(
    ("levels", "width", "message"), [(30, 1, "more than 20 levels"), (15, 2, "more than 1,000 steps")]
)
def test_pipelines_within_too_many_pipelines(tmp_path: Path, levels: int, width: int, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        load_pipeline(nested(tmp_path, levels, width))


def test_a_circle_of_files(tmp_path: Path) -> None:
    files = {
        f"{name}.yml": f"type: pipeline\njobs:\n  x:\n    component: ./{other}.yml\n" for name, other in ("ab", "ba")
    }
    path = write_files(tmp_path, {"pipeline.yml": ONE_STEP.replace("REFERENCE", "./a.yml"), **files})
    with pytest.raises(PipelineError, match=r"line 4, column 16: in b\.yml: .*: a\.yml → b\.yml → a\.yml"):
        load_pipeline(path)


def test_pipeline_of_a_component(tmp_path: Path) -> None:
    files = {
        "inner.yml": """
            type: pipeline
            inputs:
              rate: {type: number, max: 1}
              table: {type: uri_folder}
            outputs:
              copy: {type: uri_folder}
            jobs:
              step:
                command: train ${{inputs.rate}} ${{inputs.table}} ${{outputs.copy}}
                environment: none
                inputs: {rate: "${{parent.inputs.rate}}", table: "${{parent.inputs.table}}"}
                outputs: {copy: "${{parent.outputs.copy}}"}
            """,
        "pipeline.yml": "type: pipeline\ncomponent: ./inner.yml\ninputs:\n  rate: RATE\n  table: ./data\n",
    }
    path = write_files(tmp_path, {**files, "pipeline.yml": files["pipeline.yml"].replace("RATE", "0.5")})
    pipeline = load_pipeline(path)
    assert (list(pipeline.nodes), list(pipeline.outputs)) == (["step"], ["copy"])
    table = pipeline.values["table"]
    assert isinstance(table, Data)
    assert table.path == tmp_path / "data"
    path = write_files(tmp_path, {**files, "pipeline.yml": files["pipeline.yml"].replace("RATE", "5")})
    with pytest.raises(PipelineError, match=r"line 4, column 9: .*above its maximum of 1"):
        load_pipeline(path)


SWEEP = """
type: pipeline
jobs:
  sweep:
    type: sweep
    trial: ./train.yml
    inputs:
      data: {type: uri_folder, path: ./data}
    sampling_algorithm: random
    search_space:
      rate: {type: uniform, min_value: 0.1, max_value: 0.9}
    objective: {goal: minimize, primary_metric: error}
    limits: {max_total_trials: 4, max_concurrent_trials: 2}
  search:
    type: automl
    task: classification
    primary_metric: accuracy
    target_column_name: churned
    training_data: {type: mltable, path: ./data}
    limits: {max_trials: 5}
"""


def test_settings_of_a_sweep_and_a_search(tmp_path: Path) -> None:
    nodes = load_pipeline(write_files(tmp_path, {"pipeline.yml": SWEEP})).nodes
    sweep, search = nodes["sweep"], nodes["search"]
    assert (sweep.component.name, sweep.settings["limits"]["max_total_trials"]) == ("train", 4)
    assert sweep.settings["search_space"]["rate"]["max_value"] == 0.9
    assert search.settings == {
        "task": "classification",
        "primary_metric": "accuracy",
        "target_column_name": "churned",
        "limits": {"max_trials": 5},
    }
    assert search.component.outputs["best_model"].type == "mlflow_model"


def test_settings_that_a_search_takes_in_another_way_are_noticed(tmp_path: Path) -> None:
    text = (
        SWEEP.replace("primary_metric: accuracy", "primary_metric: AUC_weighted") + "    featurization: {mode: 'off'}\n"
    )
    pipeline = load_pipeline(write_files(tmp_path, {"pipeline.yml": text}))
    assert any("featurization 'off' has no effect" in notice for _, notice in pipeline.notices)


def test_settings_of_a_search_that_are_inputs_of_the_pipeline(tmp_path: Path) -> None:
    text = SWEEP.replace("jobs:", "inputs: {target: churned, trials: 7}\njobs:", 1)
    text = text.replace("name: churned", "name: ${{parent.inputs.target}}")
    text = text.replace("{max_trials: 5}", '{max_trials: "${{parent.inputs.trials}}"}')
    search = load_pipeline(write_files(tmp_path, {"pipeline.yml": text})).nodes["search"]
    assert "target_column_name" not in search.settings
    types = {name: port.type for name, port in search.component.inputs.items() if name in search.inputs}
    assert types == {"training_data": "mltable", "target_column_name": "string", "limits.max_trials": "integer"}


@pytest.mark.parametrize(
    ("text", "changed", "line", "message"),
    [
        ("type: uniform", "type: uniformly", 11, "no distribution 'uniformly'"),
        ("min_value: 0.1", "min: 0.1", 11, "no key 'min'"),
        ("min_value: 0.1", "min_value: low", 11, "'min_value' has to be a number"),
        ("min_value: 0.1", "min_value: 3", 11, "'min_value' is above 'max_value'"),
        ("rate: {type: uniform", "rte: {type: uniform", 11, "has 'rte', which is not an input of the trial"),
        ("rate: {type", "data: {type", 11, "takes files, and cannot be swept"),
        ("max_value: 0.9", "max_value: 9", 11, "above its maximum of 1"),
        ("{type: uniform, min_value: 0.1, max_value: 0.9}", "{type: choice, values: [0.1, x]}", 11, "'rate' is 'x'"),
        ("algorithm: random", "algorithm: grid", 11, "A grid needs choices, but 'rate' is of the type 'uniform'"),
        ("goal: minimize", "goal: smallest", 12, "no goal 'smallest'"),
        ("max_total_trials: 4, ", "", 13, "'max_total_trials' is missing"),
        ("max_total_trials: 4", "max_total_trials: 0", 13, "is 0, below 1"),
        ("algorithm: random", "algorithm: annealing", 9, "no sampling algorithm 'annealing'"),
        ("task: classification", "task: text_ner", 16, "The task 'text_ner' does not run here"),
        ("    target_column_name: churned\n", "", 15, "'target_column_name' is missing"),
        ("type: mltable, path: ./data", "type: uri_file, path: ./table.csv", 19, "takes mltable, but './table.csv'"),
        ("{max_trials: 5}", "5", 20, "'limits' has to be a group of keys"),
        ("{max_trials: 5}", "{max_trails: 5}", 20, "no key 'max_trails' in 'limits'"),
        ("{max_trials: 5}", "{max_trials: many}", 20, "'limits.max_trials' has to be a whole number"),
        ("primary_metric: accuracy", "primary_metric: acc", 17, "Unknown metric 'acc'"),
        ("target_column_name: churned", "target_column_name: [a]", 18, "'target_column_name' has to be a text"),
        ("target_column_name: churned", "target_column_name: ${{parent.inputs.x}}", 18, "no input 'x'"),
        ("{max_trials: 5}", "{}\n    training: {allowed_training_algorithms: lgbm}", 21, "has to be a list"),
        ("limits: {max_trials: 5}", "limit: {max_trials: 5}", 20, "no key 'limit'"),
    ],
)
def test_mistake_in_a_sweep_or_search(tmp_path: Path, text: str, changed: str, line: int, message: str) -> None:
    assert text in SWEEP
    with pytest.raises(PipelineError) as caught:
        load_pipeline(write_files(tmp_path, {"pipeline.yml": SWEEP.replace(text, changed, 1)}))
    assert message in caught.value.message
    assert caught.value.line == line
