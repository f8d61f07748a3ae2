"""Searches, trainings and preparations of the catalog as pipelines."""

from __future__ import annotations

from collections.abc import Callable

from core.access import Access
from core.automl import AutoMLSettings
from core.catalog import Dataset, Run, RunState, datasets
from core.checked import CheckedSettings
from core.errors import InputError
from core.finetune import FineTuneSettings
from core.jsonable import JsonObject
from core.pipelines import Exported, asset_name, export_preparation, export_search, export_training

__all__ = ["exported"]


def exported(source: Run | Dataset, *, access: Access) -> Exported:
    """Return the pipeline that repeats a search or a training, or that prepares a dataset.

    Parameters
    ----------
    source : Run or Dataset
        A search or a training that succeeded, of a dataset that is still here, or a dataset that was prepared.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run is of another kind or did not succeed, or the dataset was not prepared or rests on another one.
    NotFoundError
        When the dataset of the run was deleted.
    """
    if isinstance(source, Dataset):
        data, recipe = _table(source)
        return export_preparation(recipe or {"steps": []}, data=data, title=f"Prepare {source.name}")
    exports: dict[str, tuple[type[CheckedSettings], Callable[..., Exported]]] = {
        "automl": (AutoMLSettings, export_search),
        "finetune": (FineTuneSettings, export_training),
    }
    if source.task not in exports or source.state is not RunState.SUCCEEDED:
        raise InputError(
            f"A run of '{source.task}' that is {source.state.lower()} cannot be exported.",
            "Choose a search or a training that succeeded.",
        )
    data, recipe = _table(datasets.get(str(source.dataset_id), access=access))
    model, export = exports[source.task]
    settings = {name: value for name, value in source.settings.items() if name in model.model_fields}
    return export(settings, data=data, title=source.title, recipe=recipe)


def _table(dataset: Dataset) -> tuple[str, JsonObject | None]:
    """Return the reference to the table as it was read, and the steps from there; or that to the version itself.

    Steps that join other datasets cannot be repeated from one table: then the version is what the pipeline begins with.
    """
    recipe: JsonObject | None = dataset.lineage.get("recipe")
    if recipe is not None and any("dataset" in step for step in recipe["steps"]):
        return f"azureml:{asset_name(dataset.name)}:{dataset.number}", None
    number = dataset.number if recipe is None else 1
    return f"azureml:{asset_name(dataset.name)}:{number}", recipe
