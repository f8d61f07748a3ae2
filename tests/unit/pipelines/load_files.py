"""Pipeline files that the tests of `load_pipeline` read, change and break."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TRAIN = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: train
version: 3
type: command
inputs:
  data: {type: uri_folder}
  rate: {type: number, default: 1e-3, min: 0, max: 1}
  loss: {type: string, enum: [squared, absolute], default: squared}
  weights: {type: uri_file, optional: true}
outputs:
  model: {type: mlflow_model}
code: ./src
environment: {image: python}
command: >-
  python train.py --data ${{inputs.data}} --rate ${{inputs.rate}} --loss ${{inputs.loss}}
  $[[--weights ${{inputs.weights}}]] --model ${{outputs.model}}
"""

MAIN = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: churn
tags: {team: growth, year: 2024}
settings:
  default_compute: azureml:cpu-cluster
  continue_on_step_failure: true
inputs:
  raw: {type: uri_folder, path: ./data, mode: ro_mount}
  rate: 0.2
  rows: 100
  label: churned
  shuffle: true
outputs:
  best: {mode: upload}
jobs:
  prepare:
    command: python prepare.py ${{inputs.raw}} ${{inputs.rows}} ${{inputs.label}} ${{outputs.table}}
    code: src
    compute: azureml:cpu-cluster
    environment: azureml:sklearn:1
    inputs:
      raw: ${{parent.inputs.raw}}
      rows: ${{inputs.rows}}
      label: ${{parent.inputs.label}}
    outputs:
      table: {type: uri_folder, mode: rw_mount}
    limits: {timeout: 60}
  train:
    component: file:./train.yml
    inputs:
      data: {type: uri_folder, path: "${{parent.jobs.prepare.outputs.table}}", mode: download}
      rate: "0.5"
    outputs:
      model: ${{parent.outputs.best}}
    environment_variables: {SEED: 1}
"""


def write_files(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """Write files beside the folders and tables that they name, and return the path of the pipeline.

    Parameters
    ----------
    folder : Path
        Folder to write to.
    files : dict of str to str, optional
        Texts by relative path, besides ``pipeline.yml`` and ``train.yml``.
    """
    for name in ("src", "data"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "table.csv").write_text("a,b\n")
    for name, text in {"pipeline.yml": MAIN, "train.yml": TRAIN, **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "pipeline.yml"
