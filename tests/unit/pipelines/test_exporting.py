"""Exported pipelines: they say what they repeat, load here, and their scripts run on their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from core.datasets import Recipe, apply_recipe
from core.errors import InputError
from core.pipelines import asset_name, export_preparation, export_search, load_pipeline, run_pipeline

RECIPE = Recipe([{"step": "rename", "column": "a b", "to": "b'c\\d"}]).to_dict()
ROOT = Path(__file__).resolve().parents[3]


def unpacked(data: bytes, folder: Path) -> Path:
    zipfile.ZipFile(BytesIO(data)).extractall(folder)
    return folder / "pipeline.yml"


def test_a_preparation_gives_the_same_table_as_a_pipeline_and_as_a_script(tmp_path: Path) -> None:
    exported = export_preparation(RECIPE, data="azureml:rows:1", title='Renames "a b"')
    frame = pd.DataFrame({"a b": [1, 2, 3], "other": ["x", "y", "z"]})
    (tmp_path / "data").mkdir()
    frame.to_parquet(tmp_path / "data" / "rows.parquet")
    path = unpacked(exported.to_zip(), tmp_path / "p")
    expected = apply_recipe(frame, Recipe.from_dict(RECIPE)).frame

    result = run_pipeline(load_pipeline(path), inputs={"rows": tmp_path / "data"}, workdir=tmp_path / "w")
    (table,) = result.steps["data_prep"].outputs["prepared_data"].glob("*.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(table), expected, check_dtype=False)

    command = [sys.executable, str(tmp_path / "p" / "preparation.py"), str(tmp_path / "data" / "rows.parquet")]
    subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "prepared.parquet"), expected, check_dtype=False)


def test_a_search_shows_its_arguments_and_keeps_all_settings() -> None:
    settings = {"target": "income", "metric": "roc_auc", "time_budget_s": None, "max_trials": 5, "folds": 3}
    exported = export_search(settings, data="azureml:adult:2", title="Search", recipe={"recipe": 1, "steps": []})
    assert "data_prep" not in exported.text, "nothing was prepared"
    assert "target: income" in exported.text
    assert "max_trials: 5" in exported.text
    assert json.loads(exported.files["settings.json"]) == {"folds": 3, "time_budget_s": None}
    assert [exported.text.splitlines()[line - 1].split("#")[0].strip() for line in exported.cloud_lines] == [
        "default_compute: azureml:cpu-cluster"
    ]
    compile(exported.script, "search.py", "exec")
    assert exported.to_zip() == export_search(settings, data="azureml:adult:2", title="Search").to_zip()


def test_the_text_of_a_user_stays_a_text(tmp_path: Path) -> None:
    title = "x'''\"\"\"\n${{parent.inputs.y}}: [1"
    exported = export_preparation(RECIPE, data="azureml:rows:1", title=title)
    assert load_pipeline(unpacked(exported.to_zip(), tmp_path)).display_name == title
    compile(exported.script, "preparation.py", "exec")


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"recipe": 1, "steps": []}, "was not prepared"),
        ({"recipe": 1, "steps": [{"step": "join", "dataset": "0123"}]}, "joins another dataset"),
    ],
)
def test_what_one_table_cannot_repeat_is_refused(recipe: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        export_preparation(recipe, data="azureml:rows:1", title="t")


def test_names_of_assets() -> None:
    assert asset_name("Ärzte & Kliniken (2024)") == "rzte_Kliniken_2024"
    assert asset_name("表") == "data"
