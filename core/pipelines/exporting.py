"""A search, a training or a preparation as a pipeline's file that repeats it, and as a plain Python script."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from core.errors import InputError
from core.jsonable import JsonObject
from core.pipelines.bindings import DATA_TYPES

__all__ = ["Exported", "asset_name", "export_preparation", "export_search", "export_training"]

_SCHEMA = "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json"
_COMPUTE = "azureml:cpu-cluster"
_ARGUMENTS = {"metric": "primary_metric", "time_budget_s": "time_budget_s", "max_trials": "max_trials"}
"""Settings of a search that the file shows as inputs, with their names; the others stand in a file beside it."""


_README = """\
# {name}

* `pipeline.yml` runs on Plumbline's Pipelines page, and with `core.pipelines`.
* `{name}.py` does the same without pipelines: `python {name}.py TABLE`.

## In Azure ML

Replace the compute's name in line {lines} of `pipeline.yml` by that of your workspace. Register the table as a data
asset of the name in `raw_data`, and the components, whose files are in `core/pipelines/shipped` of Plumbline, with an
environment that has Plumbline's requirements. Nothing else in the file has to change.
"""


@dataclass(frozen=True)
class Exported:
    """A pipeline as files.

    Parameters
    ----------
    name : str
        Name of the pipeline.
    text : str
        Text of its file.
    script : str
        Python script that does the same without pipelines.
    files : dict of str to str
        Texts of the files that stand beside both, by name.
    """

    name: str
    text: str
    script: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def cloud_lines(self) -> list[int]:
        """Numbers of the lines of the text that name a compute, which a cloud's workspace names differently."""
        return [number for number, line in enumerate(self.text.splitlines(), start=1) if _COMPUTE in line]

    def to_zip(self) -> bytes:
        """Return all files as one zip; equal contents give equal bytes."""
        packed = io.BytesIO()
        contents = {
            "pipeline.yml": self.text,
            f"{self.name}.py": self.script,
            "README.md": self._readme(),
            **self.files,
        }
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in contents.items():
                archive.writestr(zipfile.ZipInfo(name), text)
        return packed.getvalue()

    def _readme(self) -> str:
        lines = ", ".join(map(str, self.cloud_lines))
        return _README.format(name=self.name, lines=lines)


def asset_name(name: str) -> str:
    """Return a name that Azure ML takes for an asset, which also fits the dataset of this name.

    Examples
    --------
    >>> asset_name("Adult census income (1994)")
    'Adult_census_income_1994'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-") or "data"


def export_search(settings: JsonObject, *, data: str, title: str, recipe: JsonObject | None = None) -> Exported:
    """Return a search as a pipeline.

    Parameters
    ----------
    settings : dict
        Settings of the search as JSON, with ``target``.
    data : str
        Reference to the table, such as ``"azureml:customers:1"``.
    title : str
        Title for users.
    recipe : dict, optional
        Steps that prepare the table before the search.

    Returns
    -------
    Exported
        In the reproducible mode (no time budget, a number of trials), every run of it gives the same model.
    """
    shown = [name for name in _ARGUMENTS if settings.get(name) not in (None, "auto")]
    rest = {name: value for name, value in settings.items() if name not in (*shown, "target")}
    inputs = {
        "training_data": _prepared(recipe),
        "target": settings["target"],
        **{_ARGUMENTS[name]: settings[name] for name in shown},
        "settings": {"type": "uri_file", "path": "./settings.json"},
    }
    node = {
        "type": "command",
        "component": "azureml:train_automl@latest",
        "inputs": inputs,
        "outputs": {"model": {"type": "mlflow_model"}, "results": {"type": "uri_folder"}},
    }
    body = [
        "from core.automl import AutoMLSettings, search",
        "",
        f"settings = AutoMLSettings.model_validate_json({_literal(settings)})",
        "result = search(frame, settings)",
        "print(result.verdict)",
        'result.save("result")',
    ]
    files = {"settings.json": _json(rest)}
    return _exported("search", title, data, recipe, {"search": node}, files, body)


def export_training(settings: JsonObject, *, data: str, title: str, recipe: JsonObject | None = None) -> Exported:
    """Return the training of a language model as a pipeline; see `export_search` for the parameters.

    Raises
    ------
    InputError
        When the labels are in several columns, of which a component reads one.
    """
    if settings.get("label_columns"):
        raise InputError(
            "A pipeline reads labels from one column; this training has a column for each label.",
            "Put the labels of a text into one column, as lists or with a sign between them.",
        )
    node = {
        "type": "command",
        "component": "azureml:fine_tune_text@latest",
        "inputs": {
            "training_data": _prepared(recipe),
            "settings": {"type": "uri_file", "path": "./settings.json"},
        },
        "outputs": {"model": {"type": "custom_model"}},
    }
    body = [
        "from core.finetune import FineTuneSettings, fine_tune",
        "",
        f"settings = FineTuneSettings.model_validate_json({_literal(settings)})",
        'result = fine_tune(frame, settings, output_dir="model")',
        "print(result.test_metrics)",
    ]
    return _exported("training", title, data, recipe, {"training": node}, {"settings.json": _json(settings)}, body)


def export_preparation(recipe: JsonObject, *, data: str, title: str) -> Exported:
    """Return the preparation of a table as a pipeline; see `export_search` for the parameters."""
    return _exported("preparation", title, data, recipe, {}, {}, ['frame.to_parquet("prepared.parquet")'])


def _exported(
    name: str,
    title: str,
    data: str,
    recipe: JsonObject | None,
    nodes: Mapping[str, JsonObject],
    files: Mapping[str, str],
    body: Sequence[str],
) -> Exported:
    steps = [] if recipe is None else recipe["steps"]
    if not steps and not nodes:
        raise InputError("The table was not prepared: it has no steps.", "Prepare it on the Data page first.")
    if any("dataset" in step for step in steps):
        raise InputError(
            "A step joins another dataset, which a pipeline of one table cannot do.",
            "Export it from the version joined.",
        )
    jobs: JsonObject = {}
    if steps:
        jobs["data_prep"] = {
            "type": "command",
            "component": "azureml:data_prep@latest",
            "inputs": {
                "raw_data": "${{parent.inputs.raw_data}}",
                "recipe": {"type": "uri_file", "path": "./recipe.json"},
            },
            "outputs": {"prepared_data": {"type": "uri_folder"}},
        }
        files = {**files, "recipe.json": _json(recipe)}
    document = {
        "$schema": _SCHEMA,
        "type": "pipeline",
        "display_name": title,
        "settings": {"default_compute": _COMPUTE},
        "inputs": {"raw_data": {"type": DATA_TYPES[1], "path": data}},
        "jobs": jobs | dict(nodes),
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    text = text.replace(
        f"default_compute: {_COMPUTE}", f"default_compute: {_COMPUTE}  # in Azure ML: your compute's name"
    )
    return Exported(name, text, _script(title, recipe if steps else None, body), files)


def _prepared(recipe: JsonObject | None) -> str:
    has_steps = recipe is not None and bool(recipe["steps"])
    return "${{parent.jobs.data_prep.outputs.prepared_data}}" if has_steps else "${{parent.inputs.raw_data}}"


def _script(title: str, recipe: JsonObject | None, body: Sequence[str]) -> str:
    """Return the script: reading, preparing, and what comes after."""
    lines = [
        f'"""{_safe(title)}, repeated for a table: `python FILE TABLE`, where the package `core` of Plumbline is."""',
        "",
        *(["import json"] if recipe else []),
        "import sys",
        "",
        f"from core.datasets import {'Recipe, apply_recipe, read_table' if recipe else 'read_table'}",
        "",
        "frame = read_table(sys.argv[1]).frame",
    ]
    if recipe:
        lines += [
            f"recipe = Recipe.from_dict(json.loads({_literal(recipe)}))",
            "frame = apply_recipe(frame, recipe).frame",
        ]
    return "\n".join([*lines, "", *body]) + "\n"


def _safe(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")


def _json(values: JsonObject | None) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False, sort_keys=True)


def _literal(values: JsonObject) -> str:
    """Return the Python literal of the JSON of some values, over several lines where that is plain."""
    text = _json(values)
    return repr(text) if "'''" in text or "\\" in text else f"'''{text}'''"
