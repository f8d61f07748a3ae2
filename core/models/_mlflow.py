"""A version in MLflow's model format, written without MLflow: https://mlflow.org/docs/latest/ml/model.

``MLmodel``
    The flavor python_function, the signature, where the model comes from.
``data/``
    The model (skops, or safetensors with its tokenizer), and ``model.json``: its columns and what else loading needs.
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
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.automl import BUNDLE_SOURCES, code_requirements
from core.edge.portable.rules import Rules
from core.errors import StorageError
from core.models._card_build import card
from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._registry import resolve
from core.models.served_model import ROW_ID, ServedModelFile
from core.models.serving import served_file

if TYPE_CHECKING:
    from core.catalog import ModelVersion
    from core.models._card import ModelCard
    from core.models._predictors import Label

__all__ = ["MLFLOW_SOURCES", "save_mlflow", "write_model"]

_CORE = Path(__file__).resolve().parents[1]
MLFLOW_SOURCES = (
    *BUNDLE_SOURCES,
    "explain/__init__.py",
    "explain/__init__.pyi",
    "finetune/base_model.py",
    "finetune/build.py",
    "finetune/encode.py",
    "finetune/settings.py",
    "models/_mlflow_loader.py",
)
"""The part of ``core`` that loads a model of either kind, as patterns below ``core``."""
_MLFLOW = "mlflow-skinny>=3,<4"  # all of MLflow requires an older pandas
_TYPES = {"category": "string", "text": "string", "boolean": "boolean"}


def save_mlflow(model: str, path: str | Path, *, policy: str | None = None, workspace: str) -> Path:
    """Write a version so that ``mlflow.pyfunc.load_model(path).predict(frame)`` predicts and decides as `score` does.

    A policy that draws some decisions at random needs unique ids in the column "row_id".

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else its newest version.
    path : path
        A folder that is new or empty.
    policy : str, optional
        Name of the file of a policy that is stored with the model; by default the one in force. "none" makes no
        decisions.
    workspace : str
        Name of the workspace.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    NotFoundError
        When there is no such model.
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    StorageError
        When the folder is not empty, or cannot be written.

    See Also
    --------
    push_mlflow : Send a model to an MLflow server.
    """
    version = resolve(model, workspace=workspace)
    evidence = RunEvidence.of(version.run_id, workspace)
    return write_model(evidence, version, card(version.id, workspace=workspace), Path(path), policy=policy)


def write_model(
    evidence: RunEvidence, version: ModelVersion, model_card: ModelCard, target: Path, *, policy: str | None
) -> Path:
    """Write a version, or the draft of one, with its card; the folder appears when it is complete.

    Parameters
    ----------
    evidence : RunEvidence
        The run that made the model.
    version : ModelVersion
        The version.
    model_card : ModelCard
        Its card.
    target : Path
        A folder that is new or empty.
    policy : str or None
        Name of the file of the policy that decides; by default the one in force.

    Raises
    ------
    InputError
        If the model does not have this policy, or none is named and it is not clear which one is in force.
    StorageError
        When the folder is not empty, or cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StorageError(f"'{target.name}' is not empty.", "Choose a new folder.")
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    served = served_file(evidence, version, policy)
    try:
        _write_data(evidence, served, partial / "data")
        _write_code(partial / "code" / "core")
        _write_environment(evidence, partial)
        _write_mlmodel(evidence, version, served, partial)
        (partial / "model_card.md").write_text(model_card.to_markdown(), encoding="utf-8")
        if target.exists():
            target.rmdir()
        partial.rename(target)
    except OSError as error:
        raise StorageError(
            f"'{target.name}' cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _write_data(evidence: RunEvidence, served: ServedModelFile, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in evidence.artifacts:
        if name == evidence.kind.model_file or name.startswith("model/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(evidence.path(name), folder / name)
    served.write(folder / "model.json")
    example: dict[str, JsonValue] = {
        field.name: "An example." if field.kind == "text" else field.default for field in served.fields
    }
    example |= dict.fromkeys(_ids(served), "1")
    values: dict[str, list[JsonValue]] = {"columns": list(example), "data": [list(example.values())]}
    (folder.parent / "input_example.json").write_text(json.dumps(values), encoding="utf-8")


def _ids(served: ServedModelFile) -> list[str]:
    """Return the column of ids, where decisions are drawn by them."""
    return [ROW_ID] if served.policy is not None and Rules(served.policy).randomized else []


def _write_code(folder: Path) -> None:
    """Copy the code, the same for tables and texts, so that one process can load both."""
    for pattern in MLFLOW_SOURCES:
        for source in sorted(_CORE.glob(pattern)):
            copy = folder / source.relative_to(_CORE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def _write_environment(evidence: RunEvidence, folder: Path) -> None:
    import yaml

    packages = evidence.result.packages
    # "2.13.0+cpu" is a build that the package index does not have under this name
    pinned = [f"{name}=={packages[name].split('+')[0]}" for name in evidence.kind.packages if name in packages]
    pinned += code_requirements()
    if evidence.replay is not None:  # the steps run in DuckDB, over Parquet
        pinned += [f"{name}=={version(name)}" for name in ("duckdb", "pyarrow")]
    requirements = [_MLFLOW, *pinned]
    if "pydantic-settings" not in packages:
        requirements.append("pydantic-settings>=2")
    python = packages["python"]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    env = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(env, sort_keys=False), encoding="utf-8")
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": requirements}],
    }
    (folder / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False), encoding="utf-8")


def _write_mlmodel(evidence: RunEvidence, version: ModelVersion, served: ServedModelFile, folder: Path) -> None:
    import yaml

    labels = evidence.result.labels
    inputs = _inputs(evidence, served)
    outputs = [{"type": "double" if labels is None else label_type(labels), "name": "prediction", "required": True}]
    outputs += [{"type": "double", "name": f"p({label})", "required": True} for label in labels or ()]
    if served.policy is not None:  # missing where the policy does not know the group
        outputs.append({"type": "any", "name": "decision", "required": True})
    document = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "loader_module": "core.models._mlflow_loader",
                "data": "data",
                "code": "code",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": evidence.result.packages["python"],
            }
        },
        "metadata": {
            "plumbline_version": version.lineage["registered_with"]["version"],
            "model": version.model_id or None,
            "number": version.number or None,
            "run": version.run_id,
            "fingerprint": evidence.fingerprint,
            "target": evidence.target,
            "policy": served.policy_name or None,
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
    (folder / "MLmodel").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _inputs(evidence: RunEvidence, served: ServedModelFile) -> list[dict[str, str | bool]]:
    """Return MLflow's description of the columns; those around the steps are optional, for either will do."""
    replay = evidence.replay
    made = set() if replay is None else replay.outputs
    inputs: list[dict[str, str | bool]] = [
        {"type": "any", "name": field.name, "required": False}
        if field.name in made
        else {"type": _input_type(field, field.name in served.formats), "name": field.name, "required": True}
        for field in served.fields
    ]
    inputs += [{"type": "any", "name": name, "required": True} for name in _ids(served)]
    names = {field.name for field in served.fields}
    raw = sorted((set() if replay is None else replay.inputs) - names)
    return inputs + [{"type": "any", "name": name, "required": False} for name in raw]


def _input_type(field: Field, written: bool) -> str:
    """Return MLflow's type of a column; "any" where MLflow's own checks refuse what the model takes.

    These refuse a category of numbers that come as numbers, missing values among booleans, dates with a time zone,
    whole numbers that come with missing ones (then as floats), numbers that come as a file has them (`written`), and
    groups that are numbers, which come as texts as well.
    """
    if field.role == "group" or (written and field.kind not in ("category", "text")):
        return "any"
    if field.kind == "date" or field.held or (field.nullable and (field.integer or field.kind == "boolean")):
        return "any"
    if field.kind == "number":
        return "long" if field.integer else "double"
    return _TYPES[field.kind]


def label_type(labels: list[Label]) -> str:
    if all(isinstance(label, bool) for label in labels):
        return "boolean"
    if all(isinstance(label, int) for label in labels):
        return "long"
    return "double" if all(isinstance(label, int | float) for label in labels) else "string"
