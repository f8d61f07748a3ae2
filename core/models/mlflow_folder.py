"""The folder of a model in MLflow's format, written without MLflow: https://mlflow.org/docs/latest/ml/model.

``MLmodel``
    The flavor python_function, the signature, where the model comes from.
``data/``
    The model (skops, or safetensors with its tokenizer), and ``model.json``: its columns and what else loading needs.
``code/``
    The part of ``core`` that loads it. Nothing is pickled.
``requirements.txt``, ``python_env.yaml``, ``conda.yaml``, ``input_example.json``
    What it needs, and a row that it takes (medians and most frequent values).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.automl import BUNDLE_SOURCES, code_requirements
from core.edge.portable.rules import Rules
from core.models._fields import Field
from core.models._model_kinds import ModelKind
from core.models.served_model import ROW_ID, ServedModelFile

if TYPE_CHECKING:
    from core.datasets import Replay
    from core.models._predictors import Label

__all__ = ["MLFLOW_SOURCES", "MlflowFolder", "label_type"]

_CORE = Path(__file__).resolve().parents[1]
MLFLOW_SOURCES = (
    *BUNDLE_SOURCES,
    "explain/__init__.py",
    "explain/__init__.pyi",
    "finetune/architecture.py",
    "finetune/base_model.py",
    "finetune/device.py",
    "finetune/encode.py",
    "finetune/loading.py",
    "finetune/targets.py",
    "models/_mlflow_loader.py",
)
"""The part of ``core`` that loads a model of either kind, as patterns below ``core``."""
_MLFLOW = "mlflow-skinny>=3,<4"  # all of MLflow requires an older pandas
_TYPES = {"category": "string", "text": "string", "boolean": "boolean"}


@dataclass(frozen=True)
class MlflowFolder:
    """A model that can be written in MLflow's format.

    Parameters
    ----------
    served : ServedModelFile
        Columns, format, steps and policy of the model.
    kind : ModelKind
        Kind of the model.
    labels : sequence or None
        Classes, as the target has them; None for a number.
    packages : mapping of str to str
        Versions of the libraries that it was trained with, and of Python.
    metadata : dict
        Facts about where the model comes from.
    uuid : str
        Id of the model, 32 hexadecimal digits.
    """

    served: ServedModelFile
    kind: ModelKind
    labels: Sequence[Label] | None
    packages: Mapping[str, str]
    metadata: Mapping[str, JsonValue]
    uuid: str

    @cached_property
    def replay(self) -> Replay | None:
        """The steps between a file and the table that the model was trained on."""
        from core.datasets import Replay

        return Replay.from_dict(self.served.steps) if self.served.steps else None

    def write(self, folder: Path, files: Mapping[str, Path]) -> Path:
        """Write the folder.

        Parameters
        ----------
        folder : Path
            Folder; it is made when it does not exist.
        files : mapping of str to Path
            Files of the model by their name in ``data``.

        Returns
        -------
        Path
            `folder`.
        """
        self._write_data(folder / "data", files)
        _write_code(folder / "code" / "core")
        self._write_environment(folder)
        self._write_mlmodel(folder)
        return folder

    @property
    def _ids(self) -> list[str]:
        """The column of ids, where decisions are drawn by them."""
        return [ROW_ID] if self.served.policy is not None and Rules(self.served.policy).randomized else []

    def _write_data(self, folder: Path, files: Mapping[str, Path]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        self.served.write(folder / "model.json")
        example: dict[str, JsonValue] = {
            item.name: "An example." if item.kind == "text" else item.default for item in self.served.fields
        }
        example |= dict.fromkeys(self._ids, "1")
        values: dict[str, list[JsonValue]] = {"columns": list(example), "data": [list(example.values())]}
        (folder.parent / "input_example.json").write_text(json.dumps(values), encoding="utf-8")

    def _write_environment(self, folder: Path) -> None:
        import yaml

        packages = self.packages
        # "2.13.0+cpu" is a build that the package index does not have under this name
        pinned = [f"{name}=={packages[name].split('+')[0]}" for name in self.kind.packages if name in packages]
        pinned += code_requirements()
        if self.replay is not None:  # the steps run in DuckDB, over Parquet
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

    def _write_mlmodel(self, folder: Path) -> None:
        import yaml

        labels = self.labels
        inputs = self._inputs()
        outputs = [{"type": "double" if labels is None else label_type(labels), "name": "prediction", "required": True}]
        outputs += [{"type": "double", "name": f"p({label})", "required": True} for label in labels or ()]
        if self.served.policy is not None:  # missing where the policy does not know the group
            outputs.append({"type": "any", "name": "decision", "required": True})
        document = {
            "artifact_path": "model",
            "flavors": {
                "python_function": {
                    "loader_module": "core.models._mlflow_loader",
                    "data": "data",
                    "code": "code",
                    "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                    "python_version": self.packages["python"],
                }
            },
            "metadata": dict(self.metadata),
            "model_uuid": self.uuid,
            "saved_input_example_info": {
                "artifact_path": "input_example.json",
                "pandas_orient": "split",
                "type": "dataframe",
            },
            "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
            "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        }
        (folder / "MLmodel").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def _inputs(self) -> list[dict[str, str | bool]]:
        """Return MLflow's description of the columns; those around the steps are optional, for either will do."""
        replay = self.replay
        made = set() if replay is None else replay.outputs
        inputs: list[dict[str, str | bool]] = [
            {"type": "any", "name": item.name, "required": False}
            if item.name in made
            else {"type": _input_type(item, item.name in self.served.formats), "name": item.name, "required": True}
            for item in self.served.fields
        ]
        inputs += [{"type": "any", "name": name, "required": True} for name in self._ids]
        names = {item.name for item in self.served.fields}
        raw = sorted((set() if replay is None else replay.inputs) - names)
        return inputs + [{"type": "any", "name": name, "required": False} for name in raw]


def _write_code(folder: Path) -> None:
    """Copy the code, the same for tables and texts, so that one process can load both."""
    for pattern in MLFLOW_SOURCES:
        for source in sorted(_CORE.glob(pattern)):
            copy = folder / source.relative_to(_CORE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


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


def label_type(labels: Sequence[Label]) -> str:
    if all(isinstance(label, bool) for label in labels):
        return "boolean"
    if all(isinstance(label, int) for label in labels):
        return "long"
    return "double" if all(isinstance(label, int | float) for label in labels) else "string"
