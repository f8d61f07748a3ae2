"""A version as a model of MLflow, written without MLflow: https://mlflow.org/docs/latest/ml/model.

``MLmodel``
    The flavour python_function, the signature, where the model comes from.
``data/``
    The model (skops, or safetensors with its tokenizer), and ``model.json``: its columns and what else loading takes.
``code/``
    The part of ``core`` that loads it. Nothing is pickled.
``requirements.txt``, ``python_env.yaml``, ``conda.yaml``, ``input_example.json``, ``model_card.md``
    What it needs, a row that it takes (medians and most frequent values), and its card.
"""

from __future__ import annotations

import json
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl import BUNDLE_SOURCES, code_requirements
from core.errors import StorageError
from core.models._card_build import card
from core.models._evidence import Evidence
from core.models._fields import Field
from core.models._registry import resolve

if TYPE_CHECKING:
    from core.catalog import ModelVersion
    from core.models._card import ModelCard

__all__ = ["save_mlflow", "write_model"]

_CORE = Path(__file__).resolve().parents[1]
_CODE = (
    *BUNDLE_SOURCES,
    "explain/__init__.py",
    "explain/__init__.pyi",
    "finetune/__init__.py",
    "finetune/__init__.pyi",
    "finetune/_base.py",
    "finetune/_build.py",
    "finetune/_encode.py",
    "finetune/_settings.py",
    "models/__init__.py",
    "models/__init__.pyi",
    "models/_fields.py",
    "models/_intake.py",
    "models/_mlflow_loader.py",
    "models/_predictors.py",
)
_PACKAGES = {
    "table": ("scikit-learn", "lightgbm", "xgboost", "pandas", "numpy", "skops", "pydantic-settings"),
    "text": ("torch", "transformers", "tokenizers", "pandas", "numpy"),
}
_MLFLOW = "mlflow-skinny>=3,<4"  # all of MLflow asks for an older pandas
_TYPES = {"category": "string", "text": "string", "boolean": "boolean"}


def save_mlflow(model: str, path: str | Path, *, workspace: str) -> Path:
    """Write a version so that ``mlflow.pyfunc.load_model(path).predict(frame)`` predicts as `score` does.

    Policies stay behind: what is served are labels and probabilities.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    path : path
        A folder that is new or empty.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    NotFoundError
        When there is no such model.
    StorageError
        When the folder holds something, or cannot be written.
    """
    version = resolve(model, workspace=workspace)
    return write_model(
        Evidence.of(version.run_id, workspace), version, card(version.id, workspace=workspace), Path(path)
    )


def write_model(evidence: Evidence, version: ModelVersion, shown: ModelCard, target: Path) -> Path:
    """Write a version, or a run as a draft of one, with its card; the folder appears when it is whole.

    Raises
    ------
    StorageError
        When the folder holds something, or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StorageError(f"'{target.name}' holds something already.", "Choose a new folder.")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        _write(evidence, version, part)
        (part / "model_card.md").write_text(shown.to_markdown(), encoding="utf-8")
        if target.exists():
            target.rmdir()
        part.rename(target)
    except OSError as error:
        raise StorageError(
            f"'{target.name}' cannot be written: {error.strerror or error}.", "Choose another."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _write(evidence: Evidence, version: ModelVersion, folder: Path) -> None:
    fields = [field for field in map(Field.from_dict, version.columns) if field.role == "feature"]
    data = folder / "data"
    data.mkdir(parents=True)
    names = [name for name in evidence.artifacts if name == "model.skops" or name.startswith("model/")]
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(evidence.path(name), data / name)
    settings = evidence.result["settings"]
    told = {
        "kind": evidence.kind,
        "fields": [field.to_dict() for field in fields],
        "labels": evidence.labels,
        "max_length": settings.get("max_length"),
        "batch_size": settings.get("eval_batch_size"),
    }
    (data / "model.json").write_text(json.dumps(told, allow_nan=False), encoding="utf-8")
    for pattern in _CODE:  # the same for tables and texts, so that one process can load both
        for source in sorted(_CORE.glob(pattern)):
            copy = folder / "code" / "core" / source.relative_to(_CORE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    example = {"columns": [field.name for field in fields], "data": [[_example(field) for field in fields]]}
    (folder / "input_example.json").write_text(json.dumps(example), encoding="utf-8")
    _environment(evidence, folder)
    _mlmodel(evidence, version, fields, folder)


def _example(field: Field) -> Any:
    return "An example." if field.kind == "text" else field.default


def _environment(evidence: Evidence, folder: Path) -> None:
    import yaml

    packages = evidence.result["packages"]
    # "2.13.0+cpu" names a build that the package index does not have under that name
    pinned = [f"{name}=={packages[name].split('+')[0]}" for name in _PACKAGES[evidence.kind] if name in packages]
    pinned += code_requirements()
    needs = [_MLFLOW, *pinned, *(["pydantic-settings>=2"] if "pydantic-settings" not in packages else [])]
    python = packages["python"]
    (folder / "requirements.txt").write_text("\n".join(needs) + "\n", encoding="utf-8")
    env = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(env, sort_keys=False), encoding="utf-8")
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": needs}],
    }
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False), encoding="utf-8")


def _mlmodel(evidence: Evidence, version: ModelVersion, fields: list[Field], folder: Path) -> None:
    import yaml

    inputs = [{"type": _type(field), "name": field.name, "required": True} for field in fields]
    labels = evidence.result["labels"]
    answers = ["prediction", *(f"p({label})" for label in labels or ())]
    kinds = ["double" if labels is None else _label_type(labels), *("double" for _ in labels or ())]
    outputs = [{"type": kind, "name": name, "required": True} for kind, name in zip(kinds, answers, strict=True)]
    about = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "loader_module": "core.models._mlflow_loader",
                "data": "data",
                "code": "code",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": evidence.result["packages"]["python"],
            }
        },
        "metadata": {
            "plumbline_version": version.lineage["registered_with"]["version"],
            "model": version.model_id or None,
            "number": version.number or None,
            "run": version.run_id,
            "fingerprint": evidence.fingerprint,
            "target": evidence.target,
        },
        "model_uuid": version.id * 2,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "type": "dataframe",
        },
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(about, sort_keys=False), encoding="utf-8")


def _type(field: Field) -> str:
    """Return MLflow's type of a column; "any" where its own checks refuse what the model takes.

    It refuses a category of numbers that come as such, missing values among booleans, dates with a time zone, and whole
    numbers that once came with missing ones (then as floats) and once without.
    """
    if field.kind == "date" or field.held or (field.nullable and (field.integer or field.kind == "boolean")):
        return "any"
    if field.kind == "number":
        return "long" if field.integer else "double"
    return _TYPES[field.kind]


def _label_type(labels: list[Any]) -> str:
    if all(isinstance(label, bool) for label in labels):
        return "boolean"
    if all(isinstance(label, int) for label in labels):
        return "long"
    return "double" if all(isinstance(label, int | float) for label in labels) else "string"
