"""Searches, trainings and preparations of the catalog as pipelines."""

from __future__ import annotations

from collections.abc import Callable

from core.automl import AutoMLSettings
from core.catalog import Run, RunState, datasets
from core.checked import CheckedSettings
from core.errors import InputError
from core.finetune import FineTuneSettings
from core.pipelines import Exported, asset_name, export_preparation, export_search, export_training

__all__ = ["exported"]


def exported(source: Run) -> Exported:
    """Return the pipeline that repeats a search, a training or a preparation.

    Parameters
    ----------
    source : Run
        A run that succeeded, of a dataset that is still here.

    Raises
    ------
    InputError
        When the run is of another kind, did not succeed, or rests on a step that joins another dataset.
    NotFoundError
        When the dataset was deleted.
    """
    exports: dict[str, tuple[type[CheckedSettings], Callable[..., Exported]]] = {
        "automl": (AutoMLSettings, export_search),
        "finetune": (FineTuneSettings, export_training),
    }
    if source.task not in (*exports, "prepare") or source.state is not RunState.SUCCEEDED:
        raise InputError(
            f"A run of '{source.task}' that is {source.state.lower()} cannot be exported.",
            "Choose a search, a training or a preparation that succeeded.",
        )
    made = (source.result or {}).get("dataset_id") if source.task == "prepare" else source.dataset_id
    dataset = datasets.get(str(made), source.workspace)
    recipe = dataset.lineage.get("recipe")
    joins = recipe is not None and any("dataset" in step for step in recipe["steps"])
    first = recipe is not None and not joins
    number = 1 if first else dataset.number
    data = f"azureml:{asset_name(dataset.name)}:{number}"
    if source.task == "prepare":
        return export_preparation(recipe or {"steps": []}, data=data, title=source.title)
    model, export = exports[source.task]
    settings = {name: value for name, value in source.settings.items() if name in model.model_fields}
    return export(settings, data=data, title=source.title, recipe=recipe if first else None)
