"""A script that trains a model again with transformers alone: ``templates/train.py``, its settings filled in.

Where a training differed from the usual one, the functions of other templates take the place of those of the same name,
or stand beside them.
"""

from __future__ import annotations

import ast
import pprint
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.evaluation import METRICS
from core.finetune.base_model import DEFAULT, PACKAGE
from core.finetune.settings import FineTuneSettings
from core.finetune.targets import TargetKind, kind_of_task

__all__ = ["standalone_script"]

_TEMPLATES = Path(__file__).parent / "templates"
_BUILD = "    model = build_model(base)\n"
_ADAPT = """    held_out = [texts[row] for row in (*validation, *test)]
    base = adapt(base, tokenizer, [texts[row] for row in rows], held_out, source, Path(target))
"""
_SETTINGS = re.compile(r"(?<=# Settings of the run\n).*?(?=# End of the settings\n)", re.DOTALL)
_REQUIREMENTS = re.compile(r"(?<=Requirements: )pip install .*")
_NAMES = (
    "text_column",
    "second_text_column",
    "label_column",
    "epochs",
    "train_batch_size",
    "eval_batch_size",
    "learning_rate",
    "warmup_steps",
    "weight_decay",
    "max_length",
    "class_weights",
    "lora",
    "early_stopping_patience",
    "label_smoothing",
    "gradient_accumulation",
    "validation_fraction",
    "test_fraction",
    "seed",
    "threads",
    "max_steps",
)


def standalone_script(settings: FineTuneSettings, info: Mapping[str, Any]) -> str:
    """Return a script ``python train.py table.csv out`` that reaches the same test metrics on the same machine.

    Parameters
    ----------
    settings : FineTuneSettings
        The settings of the training.
    info : mapping
        ``FineTuneResult.to_dict()``, or at least labels, metric, training (with precision, frozen parts and head) and
        packages of it; the task and the findings where a text has several labels.

    Returns
    -------
    str
        Python source that imports torch, transformers, scikit-learn, pandas (and peft for LoRA), and nothing of ours.
    """
    values = {name: getattr(settings, name) for name in _NAMES}
    packaged = settings.base_model == DEFAULT
    values["base_model"] = f"package:{PACKAGE}" if packaged else settings.base_model
    kind = kind_of_task(info.get("task", "regression" if info["labels"] is None else "multiclass"))
    values |= {"labels": info["labels"], "metric": info["metric"], "problem_type": kind.problem_type}
    if kind.name == "multilabel":
        values |= {"label_columns": list(settings.label_columns), "label_separator": _separator(settings, info)}
    values["larger_is_better"] = METRICS[info["metric"]].larger_is_better
    values |= {name: info["training"][name] for name in ("precision", "frozen", "head", "constant")}
    requirements = [f"{name}=={version}" for name, version in info.get("packages", {}).items() if name != "python"]
    if packaged:
        requirements.append(PACKAGE.replace("_", "-"))
    source = (_TEMPLATES / "train.py").read_text(encoding="utf-8")
    for part in _parts(settings, kind):
        source = _with_functions(source, (_TEMPLATES / f"{part}.py").read_text(encoding="utf-8"))
    if settings.adaptation_epochs:
        values["adaptation_epochs"] = settings.adaptation_epochs
        source = source.replace(_BUILD, f"{_ADAPT}{_BUILD}")
    block = f"SETTINGS: dict[str, Any] = {pprint.pformat(values, sort_dicts=False, width=110)}\n"
    source = _REQUIREMENTS.sub(lambda _: f"pip install {' '.join(requirements)}", source, count=1)
    return _SETTINGS.sub(lambda _: block, source, count=1)


def _separator(settings: FineTuneSettings, info: Mapping[str, Any]) -> str | None:
    """Return the sign between the labels of a cell, as the training read them."""
    read = [item["values"] for item in info["findings"] if item["check"] == "labels_read"]
    return settings.label_separator or (str(read[0]["separator"]) or None if read else None)


def _parts(settings: FineTuneSettings, kind: TargetKind) -> list[str]:
    """Return the names of the templates whose functions a script needs besides."""
    asked = {"several_labels": kind.name == "multilabel", "few_shot": settings.few_shot}
    asked["adaptation"] = settings.adaptation_epochs > 0
    return [name for name, needed in asked.items() if needed]


def _with_functions(source: str, others: str) -> str:
    """Return a script with the functions and classes of another template, in place of its own or before its last one.

    What a template imports from the script's own template is there already.
    """
    theirs, ours = others.splitlines(), source.splitlines()
    functions = {
        item.name: theirs[item.lineno - 1 : item.end_lineno]
        for item in ast.parse(others).body
        if isinstance(item, ast.FunctionDef | ast.ClassDef)
    }
    own = [item for item in ast.parse(source).body if isinstance(item, ast.FunctionDef | ast.ClassDef)]
    new = [lines for name, lines in functions.items() if name not in {item.name for item in own}]
    for item in reversed(own):
        if item.name == "main":
            ours[item.lineno - 1 : item.lineno - 1] = [line for lines in new for line in (*lines, "", "")]
        elif item.name in functions:
            ours[item.lineno - 1 : item.end_lineno] = functions[item.name]
    return _with_imports("\n".join(ours) + "\n", others)


def _with_imports(source: str, others: str) -> str:
    """Return a script with the imports of another template that it lacks."""
    known = {(item.module, alias.name) for item in _imports(source) for alias in item.names}
    lines = source.splitlines()
    last = max(item.end_lineno or 0 for item in ast.parse(source).body if isinstance(item, ast.Import | ast.ImportFrom))
    missing = [
        f"from {item.module} import {alias.name}"
        for item in _imports(others)
        for alias in item.names
        if (item.module, alias.name) not in known
    ]
    plain = {alias.name for item in ast.parse(source).body if isinstance(item, ast.Import) for alias in item.names}
    missing += [
        f"import {alias.name}"
        for item in ast.parse(others).body
        if isinstance(item, ast.Import)
        for alias in item.names
        if alias.name not in plain
    ]
    lines[last:last] = sorted(missing)
    return "\n".join(lines) + "\n"


def _imports(source: str) -> list[ast.ImportFrom]:
    items = [item for item in ast.parse(source).body if isinstance(item, ast.ImportFrom)]
    return [item for item in items if not str(item.module).startswith("core.")]
