"""The script trains the same model without us."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 2, "class_weights": True, "label_smoothing": 0.1, "freeze_layers": 1},
        {"epochs": 2, "lora": 4, "gradient_accumulation": 2, "early_stopping_patience": 1},
        {"epochs": 1, "label_column": "rating", "max_steps": 6},
    ],
    ids=["weights", "lora", "number"],
)
def test_script_reaches_the_same_test_metrics(train, reviews, tmp_path, values):
    frame = reviews.head(150).copy()
    frame.loc[[4, 40], "text"] = [None, " "]
    found = train(frame, **values).result
    found.save(tmp_path / "result")
    frame.to_csv(tmp_path / "table.csv", index=False)
    script = tmp_path / "result" / "train.py"
    assert "core" not in [
        line.split()[1].split(".")[0] for line in script.read_text().splitlines() if line[:4] == "from"
    ]
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "table.csv"), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: found.test_metrics[name].value for name in metrics} == pytest.approx(metrics, abs=1e-6)
    assert (tmp_path / "out" / "model.safetensors").is_file()
